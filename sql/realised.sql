-- One row: one week (seven UTC days from `week_start`) against the plan published at its start.
-- Tokens of full input; changes are against the week before and null without one. planned_tokens:
-- what the targets meant to move, had the week been like the one before. gone is what Claude lost,
-- appeared what Codex gained; moved_tokens, the smaller of both, is the most that can have moved.
-- off_matrix_tokens: what Claude still did in turns that the matrix of that time routes elsewhere.
with
of_week as (
    select
        weeks.week_start,
        count(distinct requests.date) as days_covered,
        coalesce(sum(full_input_tokens) filter (client = 'claude'), 0)::bigint as claude_tokens,
        coalesce(sum(full_input_tokens) filter (client = 'codex'), 0)::bigint as codex_tokens
    from weeks
    left join requests on requests.date >= weeks.week_start
        and requests.date < weeks.week_start + 7
    group by weeks.week_start
),
planned as (
    select
        targets.week_start,
        sum(round(requests.full_input_tokens * targets.target_share::decimal(9, 6)))::bigint
            as planned_tokens
    from targets
    left join requests on requests.client = 'claude'
        and requests.agent = targets.agent
        and requests.date >= targets.week_start - 7
        and requests.date < targets.week_start
    group by targets.week_start
),
routed as (
    select
        published.week_start,
        coalesce(sum(turns.full_input_tokens) filter (routes.leaves_claude), 0)::bigint
            as off_matrix_tokens,
        sum(turns.full_input_tokens) as turn_tokens
    from (select distinct week_start from routes) as published
    left join turns on turns.client = 'claude'
        and turns.started_at::date >= published.week_start
        and turns.started_at::date < published.week_start + 7
    left join routes on routes.week_start = published.week_start
        and routes.agent = turns.agent
        and routes.kind = turns.kind
    group by published.week_start
),
compared as (
    select
        of_week.*,
        lag(days_covered) over weekly as earlier_days,
        claude_tokens - lag(claude_tokens) over weekly as claude_change_tokens,
        codex_tokens - lag(codex_tokens) over weekly as codex_change_tokens
    from of_week
    window weekly as (order by week_start)
)
select
    compared.week_start,
    compared.week_start + 7 as week_end,
    days_covered,
    claude_tokens,
    codex_tokens,
    -- A week with missing days says nothing about change.
    case when days_covered = 7 and earlier_days = 7 then claude_change_tokens end
        as claude_change_tokens,
    case when days_covered = 7 and earlier_days = 7 then codex_change_tokens end
        as codex_change_tokens,
    case when earlier_days = 7 then planned_tokens end as planned_tokens,
    case when days_covered = 7 and earlier_days = 7 then
        greatest(0, least(-claude_change_tokens, codex_change_tokens))
    end as moved_tokens,
    off_matrix_tokens,
    -- Of the turns that began in that week, as above: one may end in the next.
    off_matrix_tokens / nullif(turn_tokens, 0) as off_matrix_share
from compared
left join planned using (week_start)
left join routed using (week_start)
order by week_start
