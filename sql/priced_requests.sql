-- One row: one request with what it cost at its list price, in millionths of a micro-dollar: exact,
-- and null where a class that was used has no price. `requests` have a client, a model, a UTC `date`
-- and their full input. `list_prices` has one row per client, model, day, part of the day and tier:
-- integer micro-dollars per million tokens, holding for full inputs from `from_tokens` to
-- `up_to_tokens` in the minutes from `from_minute` to `up_to_minute`, all included.
select
    requests.*,
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
    + case when list_prices.model is null then null else 0 end as cost_usd_picos
from requests
left join list_prices on list_prices.client = requests.client
    and list_prices.model = requests.model
    and list_prices.date = requests.date
    and requests.full_input_tokens between list_prices.from_tokens and list_prices.up_to_tokens
    and hour(requests.ts) * 60 + minute(requests.ts)
        between list_prices.from_minute and list_prices.up_to_minute
