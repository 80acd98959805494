"""The organisation's files as frames and pairs that tables and prices are made of."""

import polars as pl

from fleet_pipeline.org.agent_map import AgentMap
from fleet_pipeline.org.schema import Org


def agents_table(org: Org) -> pl.DataFrame:
    """Return agent, display_name and target_share (in [0, 1]), one row for each agent."""
    return pl.DataFrame(
        [(agent.name, agent.display_name, float(agent.target_share)) for agent in org.agents],
        schema={"agent": pl.String, "display_name": pl.String, "target_share": pl.Float64},
        orient="row",
    )


def agents_by_folder(org: Org, folders: pl.Series) -> pl.DataFrame:
    """Return cwd and agent for each different working directory in ``folders``."""
    agents = AgentMap(org)
    known = sorted(folders.unique().drop_nulls())
    return pl.DataFrame(
        {"cwd": known, "agent": [agents.agent_of(cwd) for cwd in known]},
        schema={"cwd": pl.String, "agent": pl.String},
    )


def priced_models(org: Org) -> list[tuple[str, str]]:
    """Return (provider, model) of every candidate, as price lists name them."""
    return [(model.price_provider, model.price_model) for model in org.models]
