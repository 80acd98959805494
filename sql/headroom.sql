-- One row: one rate-limit window as last read before `as_of`; expected windows first, read or not.
-- Shares in [0, 1], minutes, UTC. 'fresh': the level holds. 'stale': the window has been reset
-- since, so what is left is not known (the last reading stands beside it). 'unknown': never read.
-- The burn rate is that of the window in force: what its readings gained from the first to the last,
-- given that they lie a twentieth of its length apart. At that rate it is empty minutes_to_empty
-- after `as_of`; outlook 'runs_out' if that is before the reset, 'lasts' if not.
with
-- Of readings at the same moment the fullest window counts: headroom is never overstated.
latest as (
    select *
    from readings
    where used_percent is not null
    qualify row_number() over (
        partition by client, limit_id, window_minutes
        order by ts desc, used_percent desc, resets_at desc nulls last, host
    ) = 1
),
-- All readings of the window in force: those that name the same reset (clients round it).
in_force as (
    select readings.*
    from readings
    join latest using (client, limit_id, window_minutes)
    where readings.used_percent is not null
        and readings.ts <= latest.ts
        and epoch(latest.ts) - epoch(readings.ts) < window_minutes * 60
        and abs(epoch(readings.resets_at) - epoch(latest.resets_at)) <= 600
),
pace as (
    select
        client,
        limit_id,
        window_minutes,
        min(ts) as burn_from,
        max(used_percent) - min_by(used_percent, ts) as gained,
        (epoch(max(ts)) - epoch(min(ts))) / 3600 as hours
    from in_force
    group by client, limit_id, window_minutes
),
windows as (
    select
        coalesce(expected.client, latest.client) as client,
        coalesce(expected."limit", latest.limit_name, latest.limit_id) as "limit",
        coalesce(expected.limit_id, latest.limit_id) as limit_id,
        coalesce(expected.window_minutes, latest.window_minutes) as window_minutes,
        latest.used_percent,
        latest.ts as read_at,
        latest.resets_at,
        (epoch_us($as_of::timestamptz) - epoch_us(latest.ts)) // 60000000 as age_minutes,
        pace.burn_from,
        case when pace.hours * 60 >= latest.window_minutes / 20 then pace.gained / pace.hours end
            as burn_percent_per_hour,
        expected.place
    from expected
    full join latest on latest.client = expected.client
        and latest.limit_id = expected.limit_id
        and latest.window_minutes = expected.window_minutes
    left join pace on pace.client = latest.client
        and pace.limit_id = latest.limit_id
        and pace.window_minutes = latest.window_minutes
),
judged as (
    select
        *,
        case
            when read_at is null then 'unknown'
            when resets_at <= $as_of::timestamptz or age_minutes > window_minutes then 'stale'
            else 'fresh'
        end as status
    from windows
),
foreseen as (
    select
        *,
        case when status = 'fresh' and burn_percent_per_hour > 0 then
            greatest(
                0,
                round((100 - used_percent) / burn_percent_per_hour * 60 - age_minutes)
            )::bigint
        end as minutes_to_empty
    from judged
)
select
    client,
    "limit",
    limit_id,
    window_minutes,
    case when status = 'fresh' then greatest(0.0, least(1.0, (100.0 - used_percent) / 100.0)) end
        as remaining_share,
    used_percent,
    read_at,
    resets_at,
    age_minutes,
    status,
    case when status = 'fresh' then burn_from end as burn_from,
    case when status = 'fresh' then burn_percent_per_hour end as burn_percent_per_hour,
    minutes_to_empty,
    case
        when status <> 'fresh' or burn_percent_per_hour is null then 'unknown'
        when minutes_to_empty * 60 < epoch(resets_at) - epoch($as_of::timestamptz) then 'runs_out'
        else 'lasts'
    end as outlook
from foreseen
order by place nulls last, client, limit_id, window_minutes
