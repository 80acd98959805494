-- One row: the window. Days are UTC; a day is covered when it has at least one request of either
-- client, and a day without any is unknown rather than idle (transcripts may be gone).
select
    $window_start::date as window_start,
    $window_end::date as window_end,
    ($window_end::date - $window_start::date)::bigint as days,
    count(distinct date) as days_covered,
    min(date) as first_day,
    max(date) as last_day
from requests
