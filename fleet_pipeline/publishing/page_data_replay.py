"""Moved work on the page: corners, packets, break-even, replay and what fits which window.

Belongs here: choosing and naming figures of the tables. The arithmetic is in ``costing``, and each
corner brings its formula with it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from fleet_pipeline.org import CandidateModel, Org

Record = dict[str, object]
Tables = Mapping[str, pl.DataFrame]

_CLASSES: Final = ("input", "cache_write", "cache_read", "output")
_NOT_SHOWN_AGAIN: Final = ("window_start", "window_end", "basis", "share", "draws", "seed", "cache")


def corners(org: Org, tables: Tables) -> Record:
    """Return ``corners``, ``packets``, ``elsewhere``, ``stay`` and ``break_even_hit_rate``.

    Of the reference model, but for ``elsewhere``: one row per candidate with each token class in
    dollars. Micro-dollars for the expected share; null where a price is unknown, empty lists where
    the org assumes nothing.
    """
    of_all, solved = tables["cost_corners"], tables["break_even"]
    reference = of_all.filter(pl.col("model") == org.reference_model)
    even = solved.filter(pl.col("model") == org.reference_model).to_dicts()
    return {
        "corners": [_corner(row) for row in reference.iter_rows(named=True)],
        "packets": [
            {
                "packet_tokens": row["packet_tokens"],
                "requests": row["requests"],
                "cost_usd_micros": row["cost_usd_micros"],
                "verify_cost_usd_micros": row["verify_cost_usd_micros"],
            }
            for row in reference.filter(pl.col("corner") == "packets").iter_rows(named=True)
        ],
        "elsewhere": [_elsewhere(model, of_all, solved) for model in _candidates(org, of_all)],
        "stay": {
            "model": even[0]["staying_model"] if even else None,
            "cost_usd_micros": even[0]["stay_cost_usd_micros"] if even else None,
        },
        "break_even_hit_rate": even[0]["break_even_hit_rate"] if even else None,
    }


def replay(org: Org, tables: Tables) -> Record | None:
    """Return the replay of whole sessions: what is assumed and why, and each target's cases.

    ``targets`` bill tokens; ``subscriptions`` are paid by a plan and bounded by their ``room``.
    None where the org assumes nothing. ``cost_low`` and ``cost_high`` of a case are doubt from the
    sample; the three cases are doubt from what is assumed.
    """
    table, routes = tables["offload_replay"], tables["replay_routes"]
    cuts = tables["replay_cuts"]
    if org.replay is None or table.is_empty():
        return None
    first = table.row(0, named=True)
    return {
        **{name: first[name] for name in ("basis", "share", "draws", "seed")},
        "stays_on": org.replay.stays_on.partition("/")[2],
        "room": org.replay.room,
        "assumptions": [
            {"name": name, **value.model_dump()} for name, value in org.replay.assumptions
        ],
        "targets": [
            {
                "model": model.id,
                "name": model.name,
                "cache": model.cache.kind if model.cache else "none",
                "ttl_seconds": model.cache.ttl_seconds if model.cache else None,
                "cache_because": model.cache.because if model.cache else None,
                "cases": table.filter(pl.col("model") == model.id)
                .drop("model", *_NOT_SHOWN_AGAIN)
                .to_dicts(),
                "routes": routes.filter(pl.col("model") == model.id).drop("model").to_dicts(),
                "cuts": cuts.filter(pl.col("model") == model.id).drop("model").to_dicts(),
            }
            for model in _candidates(org, table)
        ],
        "subscriptions": [
            {
                "model": lane.id,
                "name": lane.name,
                "cache": lane.cache.kind if lane.cache else "none",
                "kinds": list(lane.kinds),
                "because": lane.because,
                **{
                    name: of.filter(pl.col("model") == lane.id)
                    .drop("model", *_NOT_SHOWN_AGAIN, strict=False)
                    .to_dicts()
                    for name, of in (("cases", table), ("routes", routes), ("cuts", cuts))
                },
                "room": tables["subscription_room"]
                .filter(pl.col("model") == lane.id)
                .drop("model")
                .to_dicts(),
            }
            for lane in org.replay.subscriptions
        ],
    }


def context_fit(org: Org, tables: Tables) -> list[Record]:
    """Return one row per candidate and subscription: its limits, and what share of work fits.

    Shares are null where no window, or no turn, is known.
    """
    lanes = org.replay.subscriptions if org.replay else ()
    names = {model.id: model.name for model in org.models} | {one.id: one.name for one in lanes}
    rows = []
    for row in tables["context_fit"].iter_rows(named=True):
        row["name"] = names.get(row["model"], row["model"])
        for whole in ("requests", "turns", "sessions", "full_input_tokens"):
            fit, of = row[f"{whole}_fit"], row[whole]
            row[f"{whole}_share"] = fit / of if of and fit is not None else None
        rows.append(row)
    return rows


def _candidates(org: Org, table: pl.DataFrame) -> Iterator[CandidateModel]:
    known = set(table["model"])
    return (model for model in org.models if model.id in known)


def _corner(row: Mapping[str, object]) -> Record:
    size = row["packet_tokens"]
    return {
        "name": row["corner"] if size is None else f"packets_{size}",
        **{name: row[name] for name in ("corner", "packet_tokens", "requests", "share")},
        **{name: row[name] for name in ("sent_tokens", "output_tokens")},
        "cost_usd_micros": row["cost_usd_micros"],
        "verify_cost_usd_micros": row["verify_cost_usd_micros"],
        "formula": row["formula"],
    }


def _elsewhere(model: CandidateModel, corners: pl.DataFrame, solved: pl.DataFrame) -> Record:
    own = corners.filter(pl.col("model") == model.id)
    told = {row["corner"]: row for row in own.iter_rows(named=True) if not row["packet_tokens"]}
    even = solved.filter(pl.col("model") == model.id)
    record: Record = {"model": model.id, "name": model.name}
    for corner in ("naive", "no_cache", "listed_cache_price"):
        record[f"{corner}_usd_micros"] = told[corner]["cost_usd_micros"]
    for corner in ("no_cache", "listed_cache_price"):
        for token_class in _CLASSES:
            cost = told[corner][f"{token_class}_cost_usd_micros"]
            record[f"{token_class}_{corner}_usd_micros"] = cost
    record["packets"] = (
        own.filter(pl.col("corner") == "packets")
        .select("packet_tokens", "cost_usd_micros")
        .to_dicts()
    )
    record["break_even_hit_rate"] = even["break_even_hit_rate"].item()
    return record
