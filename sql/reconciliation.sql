-- One row: one client and model of the sessions; model '' is the client as a whole, both always.
-- Tokens. `billed_` is what the client's own totals say, `logged_` what the ledger has of the same
-- requests; sessions without a total are in neither. The share counts what the ledger has of each
-- billed class, so that too much of one never makes up for another; null where nothing was billed.
-- No path is published: a model that is called by its folder is 'local model', as in `requests`.
with
parts as (
    select
        client,
        case
            when regexp_matches(model::varchar, '^(/|~|\\|file:|[A-Za-z]:[\\/])') then 'local model'
            else coalesce(model, 'unknown')
        end as model,
        session_id,
        status,
        requests,
        requests_without_totals,
        logged_input_tokens,
        logged_cache_write_5m_tokens,
        logged_cache_write_1h_tokens,
        logged_cache_read_tokens,
        logged_output_tokens,
        billed_input_tokens,
        billed_cache_write_5m_tokens,
        billed_cache_write_1h_tokens,
        billed_cache_read_tokens,
        billed_output_tokens,
        logged_input_tokens + logged_cache_write_5m_tokens + logged_cache_write_1h_tokens
            + logged_cache_read_tokens + logged_output_tokens as logged_tokens,
        billed_input_tokens + billed_cache_write_5m_tokens + billed_cache_write_1h_tokens
            + billed_cache_read_tokens + billed_output_tokens as billed_tokens,
        least(logged_input_tokens, billed_input_tokens)
            + least(logged_cache_write_5m_tokens, billed_cache_write_5m_tokens)
            + least(logged_cache_write_1h_tokens, billed_cache_write_1h_tokens)
            + least(logged_cache_read_tokens, billed_cache_read_tokens)
            + least(logged_output_tokens, billed_output_tokens) as tokens_in_both
    from sessions
    -- A client without any session still has its row.
    union all by name
    select client, '' as model from (values ('claude'), ('codex')) as clients (client)
)
select
    client,
    coalesce(case when grouping(model) = 0 then model end, '') as model,
    count(distinct session_id) as sessions,
    count(distinct session_id) filter (where status <> 'not_comparable') as comparable,
    count(distinct session_id) filter (where status = 'agrees') as agreeing,
    count(distinct session_id) filter (where status = 'billed_more') as billed_more,
    count(distinct session_id) filter (where status = 'unfinished') as unfinished,
    count(distinct session_id) filter (where status = 'logged_more') as logged_more,
    coalesce(sum(requests), 0)::bigint as requests,
    coalesce(sum(requests_without_totals), 0)::bigint as requests_without_totals,
    coalesce(sum(logged_input_tokens), 0)::bigint as logged_input_tokens,
    coalesce(sum(logged_cache_write_5m_tokens), 0)::bigint as logged_cache_write_5m_tokens,
    coalesce(sum(logged_cache_write_1h_tokens), 0)::bigint as logged_cache_write_1h_tokens,
    coalesce(sum(logged_cache_read_tokens), 0)::bigint as logged_cache_read_tokens,
    coalesce(sum(logged_output_tokens), 0)::bigint as logged_output_tokens,
    coalesce(sum(billed_input_tokens), 0)::bigint as billed_input_tokens,
    coalesce(sum(billed_cache_write_5m_tokens), 0)::bigint as billed_cache_write_5m_tokens,
    coalesce(sum(billed_cache_write_1h_tokens), 0)::bigint as billed_cache_write_1h_tokens,
    coalesce(sum(billed_cache_read_tokens), 0)::bigint as billed_cache_read_tokens,
    coalesce(sum(billed_output_tokens), 0)::bigint as billed_output_tokens,
    coalesce(sum(logged_tokens), 0)::bigint as logged_tokens,
    coalesce(sum(billed_tokens), 0)::bigint as billed_tokens,
    -- Whole tokens on both sides; what the ledger lacks, and what it has beyond the totals.
    (coalesce(sum(billed_tokens), 0) - coalesce(sum(tokens_in_both), 0))::bigint
        as only_billed_tokens,
    (coalesce(sum(logged_tokens), 0) - coalesce(sum(tokens_in_both), 0))::bigint
        as only_logged_tokens,
    sum(tokens_in_both)::bigint / nullif(sum(billed_tokens)::bigint, 0) as completeness_share
from parts
group by grouping sets ((client), (client, model))
having grouping(model) = 1 or model <> ''
order by 1, 2
