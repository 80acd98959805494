"""A home that is ready to publish: the tables of two weeks, made once without the graph.

They come from a tiny demo fleet.
"""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from fleet_pipeline import (
    catalog,
    costing,
    headroom,
    ledger,
    org,
    past_weeks,
    pricing,
    probes,
    quality,
    ranking,
    tables,
    worktypes,
)
from fleet_pipeline.demo import write_demo
from fleet_pipeline.home import Home
from fleet_pipeline.publishing.week import TABLES, publish_week
from fleet_pipeline.settings import Settings
from fleet_pipeline.weeks import opening, window

from .work_tables import work_tables

CLOSE, BEFORE = date(2026, 6, 17), date(2026, 6, 10)
ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"


@dataclass(frozen=True)
class Ready:
    """A home with a ledger, its organisation, and the weekly tables of two weeks."""

    home: Home
    org_folder: Path
    tables: dict[date, dict[str, pl.DataFrame]]

    @property
    def org(self) -> org.Org:
        return org.load(self.org_folder)

    def publish(self, close: date, **changed: pl.DataFrame) -> None:
        publish_week(self.home, self.org, close, judged({**self.tables[close], **changed}))

    def copied(self, root: Path) -> "Ready":
        """Return one of the same content that a test may change."""
        shutil.copytree(self.home.root, root / "home", symlinks=True)
        shutil.copytree(self.org_folder, root / "org")
        return Ready(Home(root / "home"), root / "org", self.tables)

    def site(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.home.site).as_posix(): path.read_bytes()
            for path in self.home.site.rglob("*")
            if path.is_file()
        }


def judged(made: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the tables with verdicts that find all of them well, as if they had been judged."""
    others = {name: frame for name, frame in made.items() if name != "quality"}
    well = [
        quality.Outcome(f"{name}_is_well", "error", True, "as expected", table=name)
        for name in others
    ]
    return {**others, "quality": quality.verdicts(well, others)}


def weekly_tables(home: Home, fleet: org.Org, close: date) -> dict[str, pl.DataFrame]:
    start, end = window(close)
    days = {"window_start": start, "window_end": end}
    usage = ledger.usage(home, (start, end))
    agents = org.agents_table(fleet)
    requests = tables.run(
        "requests",
        parameters=days,
        usage=usage,
        agents_by_cwd=org.agents_by_folder(fleet, usage["cwd"]),
    )
    agent_usage = tables.run("agent_usage", requests=requests, agents=agents)
    reference = fleet.reference
    before, after = (catalog.known_at(home, day) for day in (opening(close), close))
    made = {
        "requests": requests,
        "window_coverage": tables.run("window_coverage", parameters=days, requests=requests),
        "agent_usage": agent_usage,
        "target_proxy": tables.run("target_proxy", agent_usage=agent_usage, agents=agents),
        "headroom": headroom.headroom(ledger.quota(home), requests=requests, as_of=close),
        "prices": pricing.prices_table(org.priced_models(fleet), close),
        "cost_scenarios": costing.cost_scenarios(
            requests,
            price=pricing.find(reference.price_provider, reference.price_model, close),
            shares={scenario.name: scenario.share for scenario in fleet.scenarios},
            window_start=start,
            window_end=end,
        ),
        "reconciliation": tables.run(
            "reconciliation", sessions=ledger.sessions(home, (start, end))
        ),
        "subscription_value": costing.subscription_value(requests),
        "price_sources": catalog.price_sources(after.observations, after.book, close),
        "model_catalog": catalog.model_catalog(
            fleet, after.observations, catalog.newest(home, "endpoints", close), close
        ),
        "free_quotas": catalog.free_quotas(fleet, close, catalog.newest(home, "quotas", close)),
        "daily_usage": tables.run("daily_usage", requests=requests),
        "weekly_volumes": tables.run(
            "weekly_volumes", parameters={"week_end": close}, usage=ledger.usage(home)
        ),
        "model_contexts": pricing.model_contexts(requests, close, pricing.price_book(home, close)),
    }
    made |= work_tables(fleet, made, ledger.quota(home), home, close)
    policy, marked = costing.policy_of(fleet), worktypes.marked(requests, made["turns"])
    made["context_fit"] = costing.context_fit(marked, fleet)
    replayed = costing.replay(marked, policy, window_start=start, window_end=end)
    made |= replayed._asdict()
    made["subscription_room"] = costing.subscription_room(
        marked,
        policy,
        headroom=made["headroom"],
        exchange_rates=made["exchange_rates"],
        window_start=start,
    )
    for table in (costing.cost_corners, costing.break_even):
        made[table.__name__] = table(marked, policy, window_start=start, window_end=end)
    models = [model.id for model in fleet.models]
    made["usage_totals"] = tables.run("usage_totals", requests=requests)
    made["probe_results"] = probes.read(home, close)
    made["quality_observations"] = ranking.quality_observations(models, close)
    made["model_ranking"] = ranking.model_ranking(
        models,
        made["probe_results"],
        made["quality_observations"],
        close,
        costing.cost_at_own_mix(requests, fleet, window_start=start, window_end=end),
    )
    made["rank_history"] = ranking.rank_history(
        models, made["probe_results"], made["quality_observations"], past_weeks.closes(close)
    )
    made["changes"] = catalog.changes(fleet, before, after, made["model_ranking"])
    plain = (name for name in TABLES if name not in made and name != "quality")
    return judged(made | {name: tables.run(name, requests=requests) for name in plain})


def prepare(root: Path) -> Ready:
    shutil.copytree(ORG, root / "org", ignore=shutil.ignore_patterns("shared"))
    write_demo(root / "demo", as_of=CLOSE, requests=200)
    folders = root / "demo" / ".claude", root / "demo" / ".codex"
    settings = Settings(Home(root / "home"), root / "org", (folders[0],), (folders[1],))
    settings.home.prepare()
    ledger.ingest(settings.home, settings.sources())
    ledger.recount(settings.home)
    fleet = settings.organisation()
    made = {close: weekly_tables(settings.home, fleet, close) for close in (CLOSE, BEFORE)}
    return Ready(settings.home, root / "org", made)
