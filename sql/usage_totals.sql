-- One row: one client over the window, both clients always. Tokens; shares in [0, 1]; context is
-- full input tokens of one request. Null where there is nothing to divide by.
select
    clients.client,
    count(requests.client) as requests,
    coalesce(sum(input_tokens), 0)::bigint as input_tokens,
    coalesce(sum(cache_write_5m_tokens), 0)::bigint as cache_write_5m_tokens,
    coalesce(sum(cache_write_1h_tokens), 0)::bigint as cache_write_1h_tokens,
    coalesce(sum(cache_read_tokens), 0)::bigint as cache_read_tokens,
    coalesce(sum(output_tokens), 0)::bigint as output_tokens,
    coalesce(sum(reasoning_tokens), 0)::bigint as reasoning_tokens,
    coalesce(sum(full_input_tokens), 0)::bigint as full_input_tokens,
    sum(cache_read_tokens)::bigint / nullif(sum(full_input_tokens)::bigint, 0) as cache_read_share,
    quantile_cont(full_input_tokens, 0.5) as context_p50,
    quantile_cont(full_input_tokens, 0.9) as context_p90,
    count(*) filter (where output_is_final) / nullif(count(requests.client), 0)
        as output_final_share
from (values ('claude'), ('codex')) as clients (client)
left join requests on requests.client = clients.client
group by clients.client
order by clients.client
