-- One row: one size of prompt, a quarter of a doubling above the one before, from 1,024 tokens to
-- the first that every request of Claude Code in the window fits. Requests at or below that size.
with
claude as (
    select full_input_tokens from requests where client = 'claude'
),
sizes as (
    select round(1024 * pow(2, step / 4.0))::bigint as tokens
    from (select unnest(range(0, 65)) as step)
),
counted as (
    select
        sizes.tokens,
        count(*) filter (claude.full_input_tokens <= sizes.tokens) as requests,
        count(*) as of_requests
    from sizes
    cross join claude
    group by sizes.tokens
)
select tokens, requests, requests / of_requests as requests_share
from counted
qualify lag(requests, 1, 0) over (order by tokens) < of_requests
order by tokens
