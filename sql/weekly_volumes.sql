-- One row: one client in one of the nine weeks that end with the one that closes. Tokens; days are
-- UTC. Null before the ledger's first whole week: unknown is not idle.
with
weeks as (
    select
        ($week_end::date - 7 * (ordinal + 1)::integer)::date as week_start,
        ($week_end::date - 7 * ordinal::integer)::date as week_end
    from range(9) as nine (ordinal)
),
real_hosts as (
    select count(*) > 0 as any_real from usage where host <> 'demo'
),
counted as (
    select
        client,
        ts::date as date,
        input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens
            as full_input_tokens
    from usage
    cross join real_hosts
    where not (any_real and host = 'demo')
),
known as (select min(date) as first_day from counted)
select
    clients.client,
    weeks.week_start,
    weeks.week_end,
    case when known.first_day <= weeks.week_start then count(counted.client) end as requests,
    case
        when known.first_day <= weeks.week_start
            then coalesce(sum(counted.full_input_tokens), 0)::bigint
    end as full_input_tokens
from weeks
cross join (values ('claude'), ('codex')) as clients (client)
cross join known
left join counted on counted.client = clients.client
    and counted.date >= weeks.week_start and counted.date < weeks.week_end
group by clients.client, weeks.week_start, weeks.week_end, known.first_day
order by clients.client, weeks.week_start
