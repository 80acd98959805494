-- One row: how many requests of the window are wrong, by what is wrong with them. All must be 0.
-- Counts only: the requests themselves are too many, and too private, to be looked at one by one.
select
    count(*) as requests,
    count(*) filter (
        where date < window_coverage.window_start or date >= window_coverage.window_end
        or ts::date <> date
    ) as outside_window,
    count(*) filter (where agent is null) as without_agent,
    count(*) filter (where client is null or client not in ('claude', 'codex')) as unknown_client,
    count(*) filter (
        where least(input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
            output_tokens, reasoning_tokens) < 0
    ) as negative,
    count(*) filter (
        where full_input_tokens is distinct from
            input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens
    ) as not_adding_up
from requests
cross join window_coverage
