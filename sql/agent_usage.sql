-- One row: one agent of the org over the window, Claude Code only, agents without work included
-- and 'unattributed' always last. Tokens; share in [0, 1]; context is full input of one request.
with
listed as (
    select agent from agents where agent <> 'unattributed'
    union
    select 'unattributed'
),
-- An agent that the org no longer lists is unattributed work: rows must sum to the client's total.
claude as (
    select coalesce(listed.agent, 'unattributed') as known_agent, requests.*
    from requests
    left join listed on listed.agent = requests.agent
    where requests.client = 'claude'
)
select
    listed.agent,
    count(claude.client) as requests,
    coalesce(sum(input_tokens), 0)::bigint as input_tokens,
    coalesce(sum(cache_write_5m_tokens), 0)::bigint as cache_write_5m_tokens,
    coalesce(sum(cache_write_1h_tokens), 0)::bigint as cache_write_1h_tokens,
    coalesce(sum(cache_read_tokens), 0)::bigint as cache_read_tokens,
    coalesce(sum(output_tokens), 0)::bigint as output_tokens,
    coalesce(sum(full_input_tokens), 0)::bigint as full_input_tokens,
    sum(cache_read_tokens)::bigint / nullif(sum(full_input_tokens)::bigint, 0) as cache_read_share,
    quantile_cont(full_input_tokens, 0.5) as context_p50,
    quantile_cont(full_input_tokens, 0.9) as context_p90
from listed
left join claude on claude.known_agent = listed.agent
group by listed.agent
order by listed.agent = 'unattributed', full_input_tokens desc, listed.agent
