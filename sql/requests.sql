-- One row: one billed request of the window. Tokens; `ts` and `date` are UTC; classes are disjoint.
-- Usage of the synthetic fleet (host 'demo') is left out as soon as a real host has any.
-- A server at home may call a model by its folder, and no path is published: it is 'local model'.
with
real_hosts as (
    select count(*) > 0 as any_real from usage where host <> 'demo'
),
-- A folder has one agent: two rules for one folder must never count its requests twice.
agent_of as (
    select cwd::varchar as cwd, min(agent::varchar) as agent
    from agents_by_cwd
    where agent is not null
    group by 1
)
select
    usage.client,
    usage.session_id,
    usage.host,
    usage.ts,
    usage.ts::date as date,
    coalesce(agent_of.agent, 'unattributed') as agent,
    case
        when regexp_matches(usage.model::varchar, '^(/|~|\\|file:|[A-Za-z]:[\\/])') then 'local model'
        else usage.model::varchar
    end as model,
    usage.effort::varchar as effort,
    usage.agent_type::varchar as agent_type,
    usage.is_subagent,
    usage.agent_id::varchar as agent_id,
    usage.turn_id::varchar as turn_id,
    usage.entrypoint::varchar as entrypoint,
    usage.asked_by::varchar as asked_by,
    usage.prompt_source::varchar as prompt_source,
    usage.subagent_depth::bigint as subagent_depth,
    usage.tools::varchar as tools,
    usage.command_heads::varchar as command_heads,
    usage.input_tokens,
    usage.cache_write_5m_tokens,
    usage.cache_write_1h_tokens,
    usage.cache_read_tokens,
    usage.output_tokens,
    usage.reasoning_tokens,
    usage.output_is_final,
    usage.stop_reason::varchar as stop_reason,
    usage.web_search_requests,
    usage.input_tokens + usage.cache_write_5m_tokens
        + usage.cache_write_1h_tokens + usage.cache_read_tokens as full_input_tokens
from usage
cross join real_hosts
left join agent_of on agent_of.cwd = usage.cwd::varchar
where usage.ts >= $window_start::timestamptz
    and usage.ts < $window_end::timestamptz
    and not (real_hosts.any_real and usage.host = 'demo')
order by all
