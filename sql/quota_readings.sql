-- One row: one reading of a quota window that was made before `as_of`, under the window's own length.
-- Percent, minutes, UTC. Readings of the synthetic fleet (host 'demo') are left out once a real host
-- has any reading or request, as its requests are.
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
    quota.resets_at::timestamptz as resets_at,
    quota.plan_type::varchar as plan_type
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
order by all
