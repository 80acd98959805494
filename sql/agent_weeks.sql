-- One row: one agent in one of the weeks up to the close, Claude Code only, the oldest week first.
-- Weeks are seven UTC days; a week without any request of either client is left out: its
-- transcripts may be gone, which is not the same as idle. Tokens of full input.
with
covered as (
    select weeks.week_start, count(distinct requests.date) as days_covered
    from weeks
    join requests on requests.date >= weeks.week_start and requests.date < weeks.week_start + 7
    group by weeks.week_start
),
listed as (
    select agent from agents where agent <> 'unattributed'
    union
    select 'unattributed'
),
claude as (
    select coalesce(listed.agent, 'unattributed') as known_agent, date, full_input_tokens
    from requests
    left join listed on listed.agent = requests.agent
    where client = 'claude'
)
select
    covered.week_start,
    covered.days_covered,
    listed.agent,
    count(claude.date) as requests,
    coalesce(sum(claude.full_input_tokens), 0)::bigint as full_input_tokens
from covered
cross join listed
left join claude on claude.known_agent = listed.agent
    and claude.date >= covered.week_start
    and claude.date < covered.week_start + 7
group by covered.week_start, covered.days_covered, listed.agent
order by covered.week_start, listed.agent = 'unattributed', listed.agent
