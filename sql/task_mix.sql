-- One row: turns of one client, agent, kind of work, deciding rule, driver and effort over the
-- window. Tokens. Sums over any column are the window's totals: each turn stands in one row.
select
    client,
    agent,
    kind,
    rule,
    task_type,
    case
        when model ilike '%spark%' then 'Spark'
        when model ilike '%opus%' then 'Opus'
        when model ilike '%sonnet%' then 'Sonnet'
        when model ilike '%haiku%' then 'Haiku'
        when model ilike '%fable%' then 'Fable'
        when client = 'codex' and (model ilike 'gpt-%' or coalesce(model, '') = '') then 'Codex'
        else coalesce(nullif(model, ''), 'not named')
    end as driver,
    coalesce(effort, 'not logged') as effort,
    is_movable,
    count(*) as turns,
    count(distinct (host, session_id)) as sessions,
    sum(requests)::bigint as requests,
    sum(full_input_tokens)::bigint as full_input_tokens,
    sum(cache_read_tokens)::bigint as cache_read_tokens,
    sum(output_tokens)::bigint as output_tokens
from turns
group by all
order by all
