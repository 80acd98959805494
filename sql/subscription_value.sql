-- One row: one Claude model of the window. Tokens as logged, and what they cost at the API's list
-- price of their own day, in micro-dollars: null as soon as one request has no price.
-- `list_prices` has one row per model, day, part of the day and tier: integer micro-dollars per
-- million tokens, holding for full inputs from `from_tokens` to `up_to_tokens` in the minutes from
-- `from_minute` to `up_to_minute`, all included.
with priced as (
    select
        coalesce(requests.model, 'unknown') as name,
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
    left join list_prices on list_prices.model = requests.model
        and list_prices.date = requests.date
        and requests.full_input_tokens >= list_prices.from_tokens
        and requests.full_input_tokens <= list_prices.up_to_tokens
        and hour(requests.ts) * 60 + minute(requests.ts)
            between list_prices.from_minute and list_prices.up_to_minute
    where requests.client = 'claude'
)
select
    name as model,
    count(*) as requests,
    sum(input_tokens)::bigint as input_tokens,
    sum(cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
    sum(cache_write_1h_tokens)::bigint as cache_write_1h_tokens,
    sum(cache_read_tokens)::bigint as cache_read_tokens,
    sum(output_tokens)::bigint as output_tokens,
    sum(full_input_tokens)::bigint as full_input_tokens,
    -- Exact until here: tokens times micro-dollars per million, rounded half up once.
    case
        when count(cost) = count(*) then ((sum(cost) + 500000) // 1000000)::bigint
    end as cost_usd_micros
from priced
group by name
order by full_input_tokens desc, name
