-- One row: one Claude model of the window. Tokens as logged, and what they cost at the API's list
-- price of their own day, in micro-dollars: null as soon as one request has no price.
select
    coalesce(model, 'unknown') as model,
    count(*) as requests,
    sum(input_tokens)::bigint as input_tokens,
    sum(cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
    sum(cache_write_1h_tokens)::bigint as cache_write_1h_tokens,
    sum(cache_read_tokens)::bigint as cache_read_tokens,
    sum(output_tokens)::bigint as output_tokens,
    sum(full_input_tokens)::bigint as full_input_tokens,
    -- Rounded half up once.
    case
        when count(cost_usd_picos) = count(*)
            then ((sum(cost_usd_picos) + 500000) // 1000000)::bigint
    end as cost_usd_micros
from 'priced_requests.sql'
where client = 'claude'
group by 1
order by full_input_tokens desc, 1
