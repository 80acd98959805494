-- One row: one client and model of the window. Tokens; shares in [0, 1] of the same client.
select
    client,
    coalesce(model, 'unknown') as model,
    count(*) as requests,
    sum(full_input_tokens)::bigint as full_input_tokens,
    sum(output_tokens)::bigint as output_tokens,
    count(*) / sum(count(*)) over (partition by client)::bigint as requests_share,
    sum(full_input_tokens)::bigint
        / nullif(sum(sum(full_input_tokens)) over (partition by client)::bigint, 0)
        as full_input_share
from requests
group by 1, 2
order by client, full_input_tokens desc, model
