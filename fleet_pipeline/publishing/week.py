"""One week on its way out: the checks are asked, the page is built, the site is written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline import hosts, ledger, quality
from fleet_pipeline.errors import PublicationError
from fleet_pipeline.home import Home
from fleet_pipeline.org import Org, priced_models
from fleet_pipeline.publishing import provenance, site, trace
from fleet_pipeline.publishing.addressed import figures_on
from fleet_pipeline.publishing.figures import number, records
from fleet_pipeline.publishing.markdown import without_front_matter
from fleet_pipeline.publishing.page import RANKING_FILE
from fleet_pipeline.publishing.page_data import build_page
from fleet_pipeline.publishing.s3_site import publish_to_s3
from fleet_pipeline.publishing.stated import stated_tables

TABLES: Final = (
    "requests",
    "window_coverage",
    "weekly_volumes",
    "model_contexts",
    "usage_totals",
    "daily_usage",
    "agent_usage",
    "context_profile",
    "context_curve",
    "model_mix",
    "codex_usage",
    "target_proxy",
    "turns",
    "task_mix",
    "eligible_share",
    "routing_policy",
    "headroom",
    "five_hour_blocks",
    "exchange_rates",
    "realised",
    "agent_days",
    "hot_week_chance",
    "agent_weeks",
    "deciding_figures",
    "prices",
    "cost_scenarios",
    "context_fit",
    "cost_corners",
    "break_even",
    "offload_replay",
    "replay_routes",
    "replay_cuts",
    "subscription_room",
    "subscription_value",
    "reconciliation",
    "price_sources",
    "model_catalog",
    "free_quotas",
    "changes",
    "probe_results",
    "quality_observations",
    "model_ranking",
    "rank_history",
    "quality",
)
"""The weekly tables that a page is made of; all but requests and turns are published."""

Page = dict[str, object]


@dataclass(frozen=True)
class Week:
    """A week that was published: where, its ranking as Markdown, and the figures that decide."""

    published: site.PublishedWeek
    ranking: str
    checks_passed: int
    checks_warned: int
    decision_figures: dict[str, float]


def publish_week(home: Home, org: Org, close: date, tables: Mapping[str, pl.DataFrame]) -> Week:
    """Publish the week that closes at ``close`` from its weekly ``tables``.

    Raises PublicationError naming each check that refuses; what was published before then stays.
    """
    sources = ledger.sources(home)
    known_hosts = hosts.hosts(sources, org.hosts, close)
    same_week, newest_week = published_pages(home, close)
    outcomes = quality.all_outcomes(
        tables,
        ledger.usage(home),
        sources,
        known_hosts,
        org.hosts,
        priced_models(org),
        [model.id for model in org.models],
        close,
        published=same_week,
        newest=newest_week,
    )
    gate = quality.gate(outcomes, quality.accepted(home, close))
    if gate.refusing:
        refusals = "; ".join(outcome.told for outcome in gate.refusing)
        raise PublicationError(f"nothing was published for {close}: {refusals}")
    shown_sources = {**sources, "hosts": known_hosts}
    records = [each.record() for each in outcomes]
    page = build_page(org, close, tables, shown_sources, records, gate.accepted)
    made = {**tables, **stated_tables(org, sources, known_hosts, outcomes)}
    # What tells one table from another holds for one version of a library, and for no reader.
    made["quality"] = made["quality"].drop("judged")
    page["provenance"] = provenance.provenance(home, org, close, made)
    shown = {name: frame for name, frame in made.items() if name not in provenance.PRIVATE}
    files = site.week_files(page, shown)
    pages = "".join(text.decode() for name, text in files.items() if name.endswith(".html"))
    trace.assert_explained(page, shown, figures_on(pages))
    with home.lock("fleet refresh"):
        # A living copy follows the newest week, as ``latest`` does; a site keeps all weeks. What
        # a demo fleet would rank is nothing to hand on.
        places = () if page["demo"] else org.publish_to
        is_newest = not any(other.name > close.isoformat() for other in _weeks(home))
        copies = [org.path(place.ranking) for place in places if place.ranking]
        published = site.publish(home.site, page, shown, copies if is_newest else [], files)
        for place in places:
            if place.site:
                site.publish(org.path(place.site), page, shown, files=files)
        for address in filter(None, (place.address for place in places)):
            publish_to_s3(address, page, files, home.site)
    return Week(
        published=published,
        ranking=without_front_matter(files[RANKING_FILE].decode()),
        checks_passed=sum(outcome.passed for outcome in outcomes),
        checks_warned=sum(not outcome.passed for outcome in outcomes),
        decision_figures=_decision_figures(page),
    )


def published_pages(home: Home, close: date) -> tuple[Page | None, Page | None]:
    """Return what stands as the page of the week that closes at ``close``, and of the newest."""
    return _page(home.site / "weeks" / close.isoformat()), _page(home.site / "latest")


def _weeks(home: Home) -> list[Path]:
    return [path for path in (home.site / "weeks").glob("*-*-*") if path.is_dir()]


def _page(folder: Path) -> Page | None:
    try:
        page = json.loads((folder / "page.json").read_bytes())
    except (OSError, ValueError):
        return None
    is_page = isinstance(page, dict) and {"usage", "sources"} <= page.keys()
    return page if is_page else None


def _decision_figures(page: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers worth plotting from week to week, dollars where the page has micros."""
    now = {row["close"]: row for row in records(page, "past_weeks")}.get(page["as_of"], {})
    left = now.get("codex_week_remaining_share")
    figures = {
        "full_input_tokens": number(page, "usage.claude.full_input_tokens"),
        "cache_read_share": number(page, "usage.claude.cache_read_share"),
        "target_share": number(page, "target.share"),
        "codex_week_remaining_share": left if isinstance(left, float) else None,
    }
    for scenario in ("low", "expected", "high"):
        for name, amount in (("", "cost_usd_micros"), ("_cached", "cached_cost_usd_micros")):
            micros = number(page, f"costs.scenarios.{scenario}.{amount}")
            figures[f"usd_{scenario}{name}"] = None if micros is None else micros / 1e6
    return {name: float(value) for name, value in figures.items() if value is not None}
