"""Which sessions a policy would move: whole ones, chosen by a rule that anybody can repeat.

Belongs here: what stays on Claude before any target is looked at. Whether a request then fits a
target is for ``replay``.
"""

from hashlib import blake2b
from typing import Final, Literal, get_args

import polars as pl

from fleet_pipeline.costing.policy import Policy, Target
from fleet_pipeline.costing.prefix_cache import THREAD, reusable_tokens
from fleet_pipeline.org import UNATTRIBUTED

Route = Literal[
    "moved", "not_chosen", "not_movable", "private", "unattributed", "too_large", "unpriced"
]
ROUTES: Final[tuple[Route, ...]] = get_args(Route)

_SESSION: Final = ("host", "session_id")


def by_thread(requests: pl.DataFrame) -> pl.DataFrame:
    """Return Claude's requests by thread and time, numbered by ``row``, with what each can reuse.

    ``requests`` is the weekly table, marked with what may move.
    """
    claude = requests.filter(pl.col("client") == "claude")
    others = (name for name in claude.columns if name not in {*THREAD, "ts"})
    return reusable_tokens(claude.sort(*THREAD, "ts", *others)).with_row_index("row")


def routed(threads: pl.DataFrame, policy: Policy, target: Target | None = None) -> pl.DataFrame:
    """Return Claude's requests ``by_thread``, each with its ``session`` and ``route``.

    To ``target`` only kinds of work that it takes move, in the share that is its own. A session is
    one number and belongs to the agent with the most input in it (``session_agent``). It stays as a
    whole where any of it is of a private agent ('private') or where no rule maps it
    ('unattributed'). Of each agent's other sessions, in the order of a hash of their ids, those
    move whose middle lies within ``share`` of the agent's full input: raising the share only adds
    sessions, and 0 moves none. Requests that are not ``movable`` stay ('not_movable') and do not
    count towards the share.
    """
    if target is not None and target.kinds is not None:
        takes = pl.col("kind").is_in(sorted(target.kinds))
        threads = threads.with_columns(movable=pl.col("movable") & takes)
    share: float | pl.Expr = policy.share
    if target is not None and policy.own_share(target) is None:
        share = pl.col("session_agent").replace_strict(
            dict(policy.agent_shares), default=0.0, return_dtype=pl.Float64
        )
    sessions = _sessions(threads, policy, share)
    stays = (pl.col("route") == "moved") & ~pl.col("movable")
    return threads.join(
        sessions, on=_SESSION, how="left", nulls_equal=True, maintain_order="left"
    ).with_columns(route=pl.when(stays).then(pl.lit("not_movable")).otherwise("route"))


def _sessions(claude: pl.DataFrame, policy: Policy, share: float | pl.Expr) -> pl.DataFrame:
    full = pl.col("full_input_tokens")
    by_agent = claude.group_by(*_SESSION, "agent").agg(
        full.sum(), movable_tokens=full.filter(pl.col("movable")).sum()
    )
    sessions = (
        by_agent.sort("full_input_tokens", "agent", descending=[True, False])
        .group_by(*_SESSION, maintain_order=True)
        .agg(
            session_agent=pl.col("agent").first(),
            touches_private=pl.col("agent").is_in(sorted(policy.private_agents)).any(),
            tokens=full.sum(),
            movable_tokens=pl.col("movable_tokens").sum(),
        )
    )
    ids = sessions.select(*_SESSION).iter_rows()
    sessions = sessions.with_columns(
        order=pl.Series([_hash(host, session) for host, session in ids], dtype=pl.Binary)
    ).sort("session_agent", "order")
    return sessions.with_row_index("session").select(
        *_SESSION, "session", "session_agent", _route(share)
    )


def _route(share: float | pl.Expr) -> pl.Expr:
    share = share if isinstance(share, pl.Expr) else pl.lit(float(share))
    may_move = ~pl.col("touches_private") & (pl.col("session_agent") != UNATTRIBUTED)
    whole = pl.when(may_move).then("tokens").otherwise(0).sum().over("session_agent")
    movable = pl.when(may_move).then("movable_tokens").otherwise(0)
    middle_twice = 2 * movable.cum_sum().over("session_agent") - movable
    return (
        pl.when(pl.col("touches_private"))
        .then(pl.lit("private"))
        .when(pl.col("session_agent") == UNATTRIBUTED)
        .then(pl.lit("unattributed"))
        .when((middle_twice < 2 * share * whole) | (share >= 1))
        .then(pl.lit("moved"))
        .otherwise(pl.lit("not_chosen"))
        .alias("route")
    )


def _hash(host: object, session: object) -> bytes:
    return blake2b(f"{host}\0{session}".encode(), digest_size=8).digest()
