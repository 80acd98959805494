-- One row: one agent of agent_usage. Tokens of Claude's full input that the org's policy would
-- move to Codex and Spark: a proxy for headroom, not a measured saving. Unattributed work stays.
with targets as (
    select
        agent_usage.agent,
        agent_usage.full_input_tokens,
        case
            when agent_usage.agent = 'unattributed' then 0.0
            else coalesce(agents.target_share, 0.0)
        end::double as target_share
    from agent_usage
    left join agents on agents.agent = agent_usage.agent
)
select
    agent,
    full_input_tokens,
    target_share,
    -- The share as a decimal, so that the product is exact before its one rounding.
    round(full_input_tokens * target_share::decimal(9, 6))::bigint as target_tokens
from targets
order by agent = 'unattributed', full_input_tokens desc, agent
