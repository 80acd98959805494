-- One row: one agent, model and effort of the window, Codex only. Tokens; reasoning is a part of
-- output, cache reads are not a part of fresh input.
select
    agent,
    coalesce(model, 'unknown') as model,
    coalesce(effort, 'unknown') as effort,
    count(*) as requests,
    sum(input_tokens)::bigint as input_tokens,
    sum(cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
    sum(cache_write_1h_tokens)::bigint as cache_write_1h_tokens,
    sum(cache_read_tokens)::bigint as cache_read_tokens,
    sum(output_tokens)::bigint as output_tokens,
    sum(reasoning_tokens)::bigint as reasoning_tokens,
    sum(full_input_tokens)::bigint as full_input_tokens
from requests
where client = 'codex'
group by 1, 2, 3
order by 1, 2, 3
