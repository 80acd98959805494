"""The ``ranking`` of ``page.json``: each candidate's place, the evidence for it, and its badges.

Belongs here: choosing and naming figures of the tables. The mathematics is in ``ranking``.
"""

from collections.abc import Mapping

import polars as pl

from fleet_pipeline.org import CandidateModel, Org
from fleet_pipeline.probes import WORK_TYPES
from fleet_pipeline.publishing import formats
from fleet_pipeline.publishing.page_data_costs import PriceRecord, price_record
from fleet_pipeline.publishing.page_data_prices import availability_badges
from fleet_pipeline.ranking import OVERALL

Record = dict[str, object]
Tables = Mapping[str, pl.DataFrame]

_PLACE = (
    "rank", "tier", "rank_low", "rank_high", "curated_rank", "previous_rank", "reason", "q05",
    "posterior_mean", "q95", "n_probes", "n_days", "n_unavailable", "availability", "provisional",
    "evidence",
)  # fmt: skip
_BY_TYPE = (
    "rank", "tier", "rank_low", "rank_high", "previous_rank", "reason", "q05", "q95", "n_probes",
    "provisional",
)  # fmt: skip


def ranking(org: Org, tables: Tables) -> list[Record]:
    """Return the candidates, best first; one record each.

    Besides ``model``, ``name``, ``route``, ``price``, ``cost_badge``, ``context_tokens`` and
    ``badges`` (texts), ``retires_on`` (null where the provider tells no day): ``rank`` with
    ``rank_low`` to ``rank_high`` (the places of its ``tier``, within which nothing separates
    models), ``curated_rank``, ``previous_rank`` (at the close before, by what was known then) and
    ``reason`` (text, null where the place is the same as then and as in the curated order);
    ``q05``, ``posterior_mean``, ``q95`` (pass rates, 0 to 1); ``n_probes`` (graded), ``n_days``,
    ``n_unavailable``, ``availability`` (0 to 1, null before the first probe), ``provisional``;
    ``evidence`` (text); ``cost_usd_per_mtok`` (at the fleet's own mix of tokens, null if unknown);
    ``pareto`` (no other is as good and as cheap); ``context_fit_share`` (of Claude's requests that
    fit its window, null if unknown); ``provider``, ``provider_model`` (its names there),
    ``is_free`` (meant to be, by the organisation); ``work_types``: places, reasons and quantiles
    for each of the eight kinds of packets, in fixed order, keyed ``work_type``.
    """
    places = tables["model_ranking"].filter(pl.col("scope") == OVERALL)
    models = {model.id: model for model in org.models}
    return [_ranked(models[row["model"]], row, tables) for row in places.iter_rows(named=True)]


def rank_history(tables: Tables) -> list[Record]:
    """Return the overall ``rank`` of each ``model`` at each ``close``, the oldest first."""
    places = tables["rank_history"].filter(pl.col("scope") == OVERALL)
    return places.drop("scope").rows(named=True)


def _ranked(model: CandidateModel, place: Mapping[str, object], tables: Tables) -> Record:
    price = price_record(tables["prices"], model)
    listed = _of(tables["model_catalog"], model)
    fit = _of(tables["context_fit"], model)
    return {
        **{name: place[name] for name in _PLACE},
        "model": model.id,
        "name": model.name,
        "route": model.route,
        "provider": model.price_provider,
        "provider_model": model.price_model,
        "is_free": model.free,
        "badges": [*model.badges, *(availability_badges(listed) if listed else ())],
        "cost_badge": _cost_badge(price),
        "price": price,
        "cost_usd_per_mtok": place["cost_usd_per_mtok"],
        "pareto": place["pareto"],
        "retires_on": listed.get("retires_on"),
        "context_tokens": model.context_tokens,
        "context_fit_share": _share(fit.get("requests_fit"), fit.get("requests")),
        "work_types": _by_type(model, tables["model_ranking"]),
    }


def _by_type(model: CandidateModel, places: pl.DataFrame) -> list[Record]:
    own = {row["scope"]: row for row in places.filter(pl.col("model") == model.id).to_dicts()}
    return [
        {"work_type": kind, **{name: own[kind][name] for name in _BY_TYPE}} for kind in WORK_TYPES
    ]


def _of(table: pl.DataFrame, model: CandidateModel) -> Record:
    rows = table.filter(pl.col("model") == model.id).to_dicts()
    return rows[0] if rows else {}


def _share(part: object, whole: object) -> float | None:
    return part / whole if isinstance(part, int) and isinstance(whole, int) and whole else None


def _cost_badge(price: PriceRecord | None) -> str:
    if price is None:
        return formats.MISSING
    if price["is_free"]:
        return "free"
    paid = formats.price(price["input_usd_per_mtok"]), formats.price(price["output_usd_per_mtok"])
    return f"{paid[0]}/{paid[1]} per M"
