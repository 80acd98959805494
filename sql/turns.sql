-- One row: one turn: what one prompt set off in one thread (a session's main thread, or one run of
-- a subagent). Tokens; UTC; context is the largest full input of one request. Private: has ids.
-- Where a log numbers its turns, its number holds. Where it does not, a turn begins after an answer
-- (the model stopped by itself and called no tool) and after a pause of more than $pause_seconds.
-- `places` are the numbers of its requests among the rows of `requests`.
with
known as (
    select
        requests.*,
        request_acts.acts,
        -- A request that names no tools called none, unless it stopped to have one run: its names
        -- were not kept then. Codex never says why one stopped: there it called none only if the
        -- log names the tools of others.
        case
            when requests.tools is not null then request_acts.all_known
            when requests.client = 'codex' then bool_or(requests.tools is not null) over (
                partition by requests.client, requests.host, requests.session_id
            )
            else coalesce(requests.stop_reason, '') <> 'tool_use'
        end as acts_known,
        coalesce(requests.stop_reason, '') in ('end_turn', 'stop_sequence', 'refusal') as answers
    from requests
    join request_acts on request_acts.tools is not distinct from requests.tools
        and request_acts.command_heads is not distinct from requests.command_heads
),
threaded as (
    select
        *,
        lag(ts) over thread as earlier_ts,
        lag(answers) over thread as after_answer,
        lag(turn_id) over thread as earlier_turn_id
    from known
    window thread as (
        partition by client, host, agent, session_id, agent_id order by ts, place
    )
),
numbered as (
    select
        *,
        sum(
            case
                when earlier_ts is null or turn_id is distinct from earlier_turn_id then 1
                when turn_id is not null then 0
                when after_answer or epoch(ts) - epoch(earlier_ts) > $pause_seconds then 1
                else 0
            end
        ) over (
            partition by client, host, agent, session_id, agent_id order by ts, place
        ) as turn_number
    from threaded
)
select
    client,
    host,
    agent,
    session_id,
    agent_id,
    turn_number::bigint as turn_number,
    min(ts) as started_at,
    max(ts) as ended_at,
    count(*) as requests,
    -- Who drove a turn is who answered its largest request, the first of several.
    first(model order by model is null, full_input_tokens desc, place) as model,
    first(effort order by effort is null, full_input_tokens desc, place) as effort,
    bool_or(is_subagent) as is_subagent,
    max(agent_type) as agent_type,
    first(asked_by order by asked_by is null, place) as asked_by,
    first(prompt_source order by prompt_source is null, place) as prompt_source,
    first(entrypoint order by entrypoint is null, place) as entrypoint,
    list_sort(list_distinct(flatten(list(acts)))) as acts,
    bool_and(acts_known) as acts_known,
    max(full_input_tokens) as context_tokens,
    sum(input_tokens)::bigint as input_tokens,
    sum(cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
    sum(cache_write_1h_tokens)::bigint as cache_write_1h_tokens,
    sum(cache_read_tokens)::bigint as cache_read_tokens,
    sum(full_input_tokens)::bigint as full_input_tokens,
    sum(output_tokens)::bigint as output_tokens,
    list(place::bigint order by place) as places
from numbered
group by client, host, agent, session_id, agent_id, turn_number
order by client, agent, started_at, host, session_id, agent_id, turn_number
