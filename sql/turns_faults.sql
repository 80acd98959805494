-- One row: how many turns of the window are wrong, by what is wrong with them. All must be 0.
select
    count(*) as turns,
    count(*) - count(distinct (
        client, host, agent, session_id, agent_id, turn_number
    )) as repeated,
    count(*) filter (where requests < 1) as without_request,
    count(*) filter (where ended_at < started_at) as ending_early,
    count(*) filter (where context_tokens > full_input_tokens) as context_beyond_input
from turns
