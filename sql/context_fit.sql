-- One row: one candidate model. How much of Claude's work fits its window, before any price.
-- A request fits when its full input is within the limit for prompts and its output within the
-- cap; a turn or a session fits when each of its requests does. Null where no window is known.
-- Tokens are full input.
with
claude as (
    select * from requests where client = 'claude'
),
judged as (
    select
        limits.place,
        claude.*,
        full_input_tokens <= prompt_limit_tokens
            and (max_output_tokens is null or output_tokens <= max_output_tokens) as fits
    from limits
    cross join claude
),
by_request as (
    select
        place,
        count(*) as requests,
        case when count(fits) = count(*) then count_if(fits)::bigint end as requests_fit,
        sum(full_input_tokens)::bigint as full_input_tokens,
        case
            when count(fits) = count(*)
                then coalesce(sum(full_input_tokens) filter (where fits), 0)::bigint
        end as full_input_tokens_fit
    from judged
    group by place
),
turns as (
    select place, bool_and(fits) as fits
    from judged
    group by place, turn
),
sessions as (
    select place, bool_and(fits) as fits from judged group by place, host, session_id
),
by_turn as (
    select
        place,
        count(*) as turns,
        case when count(fits) = count(*) then count_if(fits)::bigint end as turns_fit
    from turns
    group by place
),
by_session as (
    select
        place,
        count(*) as sessions,
        case when count(fits) = count(*) then count_if(fits)::bigint end as sessions_fit
    from sessions
    group by place
)
select
    limits.model::varchar as model,
    limits.context_tokens::bigint as context_tokens,
    limits.prompt_limit_tokens::bigint as prompt_limit_tokens,
    limits.max_output_tokens::bigint as max_output,
    coalesce(requests, 0) as requests,
    requests_fit,
    coalesce(turns, 0) as turns,
    turns_fit,
    coalesce(sessions, 0) as sessions,
    sessions_fit,
    coalesce(full_input_tokens, 0)::bigint as full_input_tokens,
    full_input_tokens_fit
from limits
left join by_request using (place)
left join by_turn using (place)
left join by_session using (place)
order by limits.place
