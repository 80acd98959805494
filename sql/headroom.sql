-- One row: one rate-limit window as last read before `as_of`; expected windows first, read or not.
-- Shares in [0, 1], minutes, UTC. 'fresh': the level holds. 'stale': the window has been reset
-- since, so what is left is not known (the last reading stands beside it). 'unknown': never read.
with
readings as (
    select
        quota.client,
        quota.host,
        quota.ts,
        coalesce(quota.limit_id, 'codex') as limit_id,
        quota.limit_name::varchar as limit_name,
        -- Older clients count a window one minute short.
        case quota.window_minutes when 299 then 300 when 10079 then 10080
            else quota.window_minutes end as window_minutes,
        case when isfinite(quota.used_percent) then quota.used_percent end as used_percent,
        quota.resets_at::timestamptz as resets_at
    from quota
    where quota.ts <= $as_of::timestamptz
        and quota.window_minutes is not null
        and not (
            quota.host = 'demo'
            and (
                exists (select 1 from requests where host <> 'demo')
                or exists (select 1 from quota as other where other.host <> 'demo')
            )
        )
),
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
        expected.place
    from expected
    full join latest on latest.client = expected.client
        and latest.limit_id = expected.limit_id
        and latest.window_minutes = expected.window_minutes
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
    status
from judged
order by place nulls last, client, limit_id, window_minutes
