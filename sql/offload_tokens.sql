-- One row: one covered UTC day and one price tier of the target model, Claude Code only. Tokens.
-- A request falls whole into the highest tier that its own full input exceeds (a tier never
-- applies to a part of a request, nor to a sum of requests).
with
covered as (
    select distinct date from requests
),
claude as (
    select
        requests.*,
        (
            select max(above_tokens) from tiers where above_tokens < full_input_tokens
        ) as tier
    from requests
    where client = 'claude'
)
select
    covered.date,
    tiers.above_tokens,
    count(claude.client) as requests,
    coalesce(sum(input_tokens), 0)::bigint as input_tokens,
    coalesce(sum(cache_write_5m_tokens), 0)::bigint as cache_write_5m_tokens,
    coalesce(sum(cache_write_1h_tokens), 0)::bigint as cache_write_1h_tokens,
    coalesce(sum(cache_read_tokens), 0)::bigint as cache_read_tokens,
    coalesce(sum(output_tokens), 0)::bigint as output_tokens
from covered
cross join tiers
left join claude on claude.date = covered.date
    and coalesce(claude.tier, 0) = tiers.above_tokens
group by 1, 2
order by 1, 2
