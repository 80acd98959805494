-- One row: one client's model in one period of a usage report. Tokens; micro-dollars, exact to a
-- millionth of one. The requests are ledger rows with their `period`, UTC `date` and full input.
select
    period,
    client,
    coalesce(model, 'unknown') as model,
    count(*) as requests,
    sum(input_tokens)::bigint as input_tokens,
    sum(output_tokens)::bigint as output_tokens,
    (sum(cache_write_5m_tokens) + sum(cache_write_1h_tokens))::bigint as cache_write_tokens,
    sum(cache_read_tokens)::bigint as cache_read_tokens,
    count(*) filter (where not output_is_final) as placeholders,
    coalesce(sum(web_search_requests), 0)::bigint as web_searches,
    count(*) filter (where speed = 'fast') as fast_requests,
    min(ts) as first_ts,
    max(ts) as last_ts,
    count(*) - count(cost_usd_picos) as unpriced_requests,
    coalesce(sum(cost_usd_picos), 0)::decimal(32, 0) * 0.000001::decimal(6, 6)
        as priced_usd_micros
from 'priced_requests.sql'
group by 1, 2, 3
order by 1, sum(full_input_tokens) + sum(output_tokens) desc, 3, 2
