-- One row: one block of five hours of one client, over the window. Tokens; UTC. A block begins at the
-- full hour of its first request; the next one begins with the first request more than five hours
-- after that hour, or after the one before it. Hosts and agents are taken for users of one account.
-- target_tokens: the part of full input that the agents' target shares would have moved.
select
    numbered.client,
    min(numbered.started_at) as started_at,
    min(numbered.started_at) + interval 5 hours as ends_at,
    max(numbered.ts) as last_request_at,
    count(*) as requests,
    sum(numbered.input_tokens)::bigint as input_tokens,
    sum(numbered.cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
    sum(numbered.cache_write_1h_tokens)::bigint as cache_write_1h_tokens,
    sum(numbered.cache_read_tokens)::bigint as cache_read_tokens,
    sum(numbered.full_input_tokens)::bigint as full_input_tokens,
    sum(numbered.output_tokens)::bigint as output_tokens,
    case when numbered.client = 'claude' then
        round(
            sum(numbered.full_input_tokens * coalesce(targets.target_share, 0)::decimal(9, 6))
        )::bigint
    end as target_tokens
from numbered
left join targets on targets.agent = numbered.agent
group by numbered.client, numbered.started_at
order by numbered.client, started_at
