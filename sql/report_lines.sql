-- One row: one client's model in one period of a usage report. Tokens; micro-dollars, exact to a
-- millionth of one. `requests` are ledger rows with their `period`, UTC `date` and full input;
-- `list_prices` has one row per client, model, day, part of it and tier, as in subscription_value.sql.
with priced as (
    select
        requests.*,
        -- A class that was not used needs no price; one that was, and has none, makes null.
          case when input_tokens = 0 then 0
            else input_tokens::hugeint * input_price end
        + case when cache_write_5m_tokens = 0 then 0
            else cache_write_5m_tokens::hugeint * cache_write_5m_price end
        + case when cache_write_1h_tokens = 0 then 0
            else cache_write_1h_tokens::hugeint * cache_write_1h_price end
        + case when cache_read_tokens = 0 then 0
            else cache_read_tokens::hugeint * cache_read_price end
        + case when output_tokens = 0 then 0
            else output_tokens::hugeint * output_price end
        + case when list_prices.model is null then null else 0 end as cost
    from requests
    left join list_prices on list_prices.client = requests.client
        and list_prices.model = requests.model
        and list_prices.date = requests.date
        and requests.full_input_tokens between list_prices.from_tokens and list_prices.up_to_tokens
        and hour(requests.ts) * 60 + minute(requests.ts)
            between list_prices.from_minute and list_prices.up_to_minute
)
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
    count(*) - count(cost) as unpriced_requests,
    -- Tokens times micro-dollars per million: a millionth of it is micro-dollars, nothing rounded.
    coalesce(sum(cost), 0)::decimal(32, 0) * 0.000001::decimal(6, 6) as priced_usd_micros
from priced
group by 1, 2, 3
order by 1, sum(full_input_tokens) + sum(output_tokens) desc, 3, 2
