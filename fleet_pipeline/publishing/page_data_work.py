"""What the fleet's work is, how much of it may move, and what came of it, for ``page.json``.

Belongs here: choosing and naming figures of the tables of ``worktypes``, ``headroom`` and
``drift``. Nothing is measured here but sums, shares and quantiles of those rows.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import polars as pl

from fleet_pipeline import worktypes
from fleet_pipeline.org import ExecutionRoute, MatrixRow, Org, leaves_claude

Record = dict[str, object]
Tables = Mapping[str, pl.DataFrame]

_LARGEST_BLOCKS = 5
_NOT_NAMED = "not named"
"""The driver of turns whose log names no model (``sql/task_mix.sql``)."""
_FULL = pl.col("full_input_tokens")


def work(org: Org, tables: Tables) -> Record:
    """Return the page's keys about work: task_mix, eligible, windows, blocks, realised, anomalies.

    Tokens are of full input; shares lie in [0, 1]; what nobody knows is None.
    """
    return {
        "task_mix": _task_mix(tables["task_mix"]),
        "eligible": _eligible(org, tables["eligible_share"]),
        "windows": _windows(tables["exchange_rates"], tables["headroom"]),
        "blocks": [
            _blocks(str(client), rows)
            for (client,), rows in sorted(
                tables["five_hour_blocks"].partition_by("client", as_dict=True).items()
            )
        ],
        "realised": _rows(tables["realised"]),
        "anomalies": _anomalies(org, tables),
    }


def measured(rows: pl.DataFrame) -> Record | None:
    """Return who drives some turns today and at which effort, None where there are none.

    ``rows`` are of the table ``task_mix``; shares are of their full input, the largest first. How
    much is off Claude is None where some of it does not name its model.
    """
    tokens = int(rows["full_input_tokens"].sum())
    if not tokens:
        return None
    return {
        "turns": int(rows["turns"].sum()),
        "full_input_tokens": tokens,
        "off_claude_share": _off_claude_share(rows),
        "drivers": _shares(rows, "driver"),
        "efforts": _shares(rows, "effort"),
    }


def _off_claude_share(rows: pl.DataFrame) -> float | None:
    drivers = rows.group_by("driver").agg(_FULL.sum())
    if _NOT_NAMED in drivers["driver"]:
        return None
    off = [tokens for driver, tokens in drivers.iter_rows() if leaves_claude(driver)]
    return float(sum(off) / drivers["full_input_tokens"].sum())


def of_matrix_row(row: MatrixRow, task_mix: pl.DataFrame) -> Record | None:
    """Return what is measured of the work that a row of the routing matrix is about."""
    is_of_row = (pl.col("agent") == row.agent) & pl.col("kind").is_in(list(row.kinds))
    return measured(task_mix.filter(is_of_row))


def of_route(route: ExecutionRoute, task_mix: pl.DataFrame) -> Record | None:
    """Return what is measured of the work that a default route is for, over all agents."""
    return measured(task_mix.filter(pl.col("kind").is_in(list(route.kinds))))


def _shares(rows: pl.DataFrame, name: str) -> list[Record]:
    sums = rows.group_by(name).agg(_FULL.sum()).with_columns(share=_FULL / _FULL.sum())
    return _rows(sums.sort("full_input_tokens", name, descending=[True, False]))


def _task_mix(mix: pl.DataFrame) -> Record:
    claude = mix.filter(pl.col("client") == "claude")
    movable = _FULL.filter(pl.col("is_movable")).sum().alias("movable_tokens")
    sums = (pl.col("turns", "requests", "full_input_tokens").sum(), movable)
    whole = int(claude["full_input_tokens"].sum())
    by_kind = claude.group_by("kind").agg(sums)
    return {
        "rules_version": worktypes.version(),
        "full_input_tokens": whole,
        "movable_tokens": int(claude.filter(pl.col("is_movable"))["full_input_tokens"].sum()),
        "kinds": _rows(
            by_kind.with_columns(share=_share_of(whole)).sort(
                "full_input_tokens", "kind", descending=[True, False]
            )
        ),
        "by_agent": _rows(
            claude.group_by("agent", "kind")
            .agg(sums)
            .sort("agent", "full_input_tokens", "kind", descending=[False, True, False])
        ),
        "codex": _rows(
            mix.filter(pl.col("client") == "codex").group_by("kind").agg(sums[:1]).sort("kind")
        ),
        "rules": _rows(
            mix.group_by("kind", "rule")
            .agg(pl.col("turns", "full_input_tokens").sum())
            .sort("turns", "rule", descending=[True, False])
        ),
    }


def _share_of(whole: int) -> pl.Expr:
    return _FULL / whole if whole else pl.lit(None, pl.Float64)


def _eligible(org: Org, shares: pl.DataFrame) -> Record:
    names = {agent.name: agent.display_name for agent in org.agents}
    is_fleet = pl.col("agent") == worktypes.WHOLE_FLEET
    return {
        "fleet": next(iter(_rows(shares.filter(is_fleet).drop("agent"))), None),
        "agents": [
            {**row, "display_name": names.get(row["agent"], "Unattributed")}
            for row in shares.filter(~is_fleet).iter_rows(named=True)
        ],
    }


def _windows(rates: pl.DataFrame, headroom: pl.DataFrame) -> list[Record]:
    """Return one item for each window that was ever read, with its rates or why it has none."""
    names = dict(headroom.select("limit_id", "limit").iter_rows())
    about = (
        "client", "limit_id", "window_minutes", "status", "reason", "steps", "windows",
        "r_squared", "fitted_from", "fitted_to", "expires_on",
    )  # fmt: skip
    return [
        {
            **row,
            "limit": names.get(row["limit_id"], row["limit_id"]),
            "rates": _rows(
                rates.filter(
                    pl.col("limit_id") == row["limit_id"],
                    pl.col("window_minutes") == row["window_minutes"],
                    pl.col("token_class").is_not_null(),
                ).select(pl.col("token_class"), pl.col("^percent_per_mtok.*$"))
            ),
        }
        for row in rates.select(about).unique(maintain_order=True).iter_rows(named=True)
    ]


def _blocks(client: str, rows: pl.DataFrame) -> Record:
    """Return one client's blocks in brief; after: as if the target shares had moved."""
    after = _FULL - pl.col("target_tokens").fill_null(0)
    largest = rows.sort("full_input_tokens", "started_at", descending=[True, False])
    peak = largest.row(0, named=True)
    peak_after = int(rows.select(after.max()).item())
    return {
        "client": client,
        "blocks": rows.height,
        "peak_tokens": peak["full_input_tokens"],
        "peak_at": peak["started_at"],
        "median_tokens": _percentile(rows, 50),
        "p95_tokens": _percentile(rows, 95),
        "peak_tokens_after_target": peak_after,
        "peak_change_tokens": peak_after - peak["full_input_tokens"],
        "largest": _rows(
            largest.head(_LARGEST_BLOCKS).select(
                "started_at", "ends_at", "requests", "full_input_tokens", "cache_read_tokens",
                "output_tokens", "target_tokens",
            )
        ),
    }  # fmt: skip


def _percentile(rows: pl.DataFrame, percent: int) -> int:
    """Return the least block that at least ``percent`` of 100 do not exceed, in tokens.

    A block that was, and in whole numbers: between two of them rounding decides, which the SQL of
    the figure may do otherwise.
    """
    in_order = rows["full_input_tokens"].sort()
    return int(in_order[-(-percent * rows.height // 100) - 1])


def _anomalies(org: Org, tables: Tables) -> Record:
    names = {agent.name: agent.display_name for agent in org.agents}
    days = tables["agent_days"]
    far = days.filter(pl.col("verdict").is_in(["runaway", "quiet"]))
    far = far.sort("robust_z", "agent", "date", descending=[True, False, False])
    [coverage] = tables["window_coverage"].to_dicts()
    young = days.filter(pl.col("verdict") == "too_few_days")["agent"].unique().sort()
    return {
        "agent_days": [
            {**row, "display_name": names.get(row["agent"], "Unattributed")}
            for row in far.iter_rows(named=True)
        ],
        "days_judged": days.filter(pl.col("robust_z").is_not_null()).height,
        "agents_too_young": young.to_list(),
        "missing_days": [
            {"date": day}
            for day in _missing(
                coverage["window_start"], coverage["window_end"], tables["daily_usage"]
            )
        ],
        "hot_week": next(iter(_rows(tables["hot_week_chance"])), None),
    }


def _missing(start: date, end: date, daily_usage: pl.DataFrame) -> Iterable[date]:
    covered = set(daily_usage["date"])
    for offset in range((end - start).days):
        if (day := start + timedelta(days=offset)) not in covered:
            yield day


def _rows(frame: pl.DataFrame) -> list[Record]:
    return list(frame.iter_rows(named=True))
