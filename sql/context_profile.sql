-- One row: one client and agent with requests in the window; agent '' is the client as a whole.
-- Full input tokens of one request: exact quantiles (interpolated), never from aggregates.
select
    client,
    coalesce(agent, '') as agent,
    count(*) as requests,
    quantile_cont(full_input_tokens, 0.5) as p50,
    quantile_cont(full_input_tokens, 0.9) as p90,
    quantile_cont(full_input_tokens, 0.99) as p99,
    max(full_input_tokens)::bigint as max
from requests
group by grouping sets ((client), (client, agent))
order by 1, 2
