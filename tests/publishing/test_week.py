"""One week on its way out: refused or published, and where its copies go.

The tables come from a tiny demo fleet, made once without the graph.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

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
from fleet_pipeline.errors import PublicationError
from fleet_pipeline.home import Home
from fleet_pipeline.publishing.stated import ROWS
from fleet_pipeline.publishing.week import TABLES, publish_week, published_pages
from fleet_pipeline.settings import Settings
from fleet_pipeline.weeks import opening, window

from .work_tables import work_tables

CLOSE, BEFORE = date(2026, 6, 17), date(2026, 6, 10)
ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"
RANKING = "cheap-model-offload-ranking.md"


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
            fleet, after.observations, catalog.newest(home, "endpoints", close)
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
        ranking.cost_at_own_mix(fleet, made["prices"], made["usage_totals"]),
    )
    made["rank_history"] = ranking.rank_history(
        models, made["probe_results"], made["quality_observations"], past_weeks.closes(close)
    )
    made["changes"] = catalog.changes(fleet, before, after, made["model_ranking"])
    plain = (name for name in TABLES if name not in made and name != "quality")
    return judged(made | {name: tables.run(name, requests=requests) for name in plain})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    root = tmp_path_factory.mktemp("ready")
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


@pytest.fixture
def ready(prepared: Ready, tmp_path: Path) -> Ready:
    shutil.copytree(prepared.home.root, tmp_path / "home")
    shutil.copytree(prepared.org_folder, tmp_path / "org")
    return Ready(Home(tmp_path / "home"), tmp_path / "org", prepared.tables)


def list_hosts(ready: Ready, *hosts: str) -> None:
    listed = ", ".join(f"{{host: {host}, claude: [somewhere]}}" for host in hosts)
    file = ready.org_folder / "fleet.yaml"
    file.write_text(file.read_text().replace("sources: []", f"sources: [{listed}]"))


def ranking_of(ready: Ready, close: date) -> str:
    return (ready.home.site / "weeks" / close.isoformat() / RANKING).read_text()


def test_a_week_is_published_with_all_its_tables_but_requests_and_turns(ready: Ready) -> None:
    ready.publish(CLOSE)
    published = ready.home.site / "weeks" / "2026-06-17" / "tables"
    found = {path.name for path in published.iterdir()}
    public = {*TABLES, *ROWS} - {"requests", "turns"}
    assert {name for name in found if not name.endswith((".sql", ".json"))} == {
        f"{name}.{kind}" for name in public for kind in ("csv", "parquet")
    }
    assert found >= {"usage_totals.sql", "dictionary.json"}


def test_nothing_published_names_a_session_or_a_folder(ready: Ready) -> None:
    ready.publish(CLOSE)
    private = set(ledger.usage(ready.home)["session_id"]) | set(ledger.usage(ready.home)["cwd"])
    texts = [content for name, content in ready.site().items() if not name.endswith(".parquet")]
    assert len(private) > 10 and len(texts) > 10
    assert not [value for value in private if any(value.encode() in text for text in texts)]


def test_a_week_tells_its_ranking_its_checks_and_the_figures_that_decide(ready: Ready) -> None:
    week = publish_week(ready.home, ready.org, CLOSE, ready.tables[CLOSE])
    page = json.loads((week.published.folder / "page.json").read_bytes())
    front, mark, ranking = ranking_of(ready, CLOSE).partition("\n---\n")
    assert front.startswith("---\nschema_version: ") and mark
    assert week.ranking == ranking.lstrip()
    results = page["checks"]["results"]
    assert week.checks_passed == sum(result["passed"] for result in results) > len(TABLES)
    assert week.checks_warned == page["checks"]["warned"] == 1
    assert (
        week.decision_figures["full_input_tokens"] == (page["usage"]["claude"]["full_input_tokens"])
    )
    scenarios = {"usd_low", "usd_expected", "usd_high", "usd_expected_cached"}
    assert {*scenarios, "codex_week_remaining_share"} <= week.decision_figures.keys()
    assert all(isinstance(value, float) for value in week.decision_figures.values())


def test_a_refusal_names_every_check_that_refuses_and_the_week(ready: Ready) -> None:
    short = ready.tables[CLOSE]["agent_usage"].slice(1)
    empty = ready.tables[CLOSE]["prices"].clear()
    with pytest.raises(PublicationError) as refused:
        ready.publish(CLOSE, agent_usage=short, prices=empty)
    says = str(refused.value)
    assert says.startswith("nothing was published for 2026-06-17: agents_add_up: ")
    assert "; priced_models_have_prices: no price for openrouter/" in says
    assert ready.site() == {}


def test_what_was_published_before_a_refusal_stays_byte_for_byte(ready: Ready) -> None:
    ready.publish(CLOSE)
    before = ready.site()
    with pytest.raises(PublicationError, match="days_add_up"):
        ready.publish(CLOSE, daily_usage=ready.tables[CLOSE]["daily_usage"].slice(1))
    assert ready.site() == before


def test_a_warning_is_published_and_does_not_refuse(ready: Ready) -> None:
    ready.publish(BEFORE)
    same_week, newest = published_pages(ready.home, BEFORE)
    assert same_week == newest and same_week is not None
    checks = same_week["checks"]
    assert isinstance(checks, dict)
    warned = {check["name"] for check in checks["results"] if not check["passed"]}
    assert (checks["failed"], warned) == (0, {"window_is_whole", "targets_are_movable"})


def test_the_copy_of_the_ranking_follows_only_the_newest_week(ready: Ready) -> None:
    copy = ready.org_folder / "shared" / RANKING
    ready.publish(BEFORE)
    assert copy.read_text() == ranking_of(ready, BEFORE)
    ready.publish(CLOSE)
    assert copy.read_text() == ranking_of(ready, CLOSE)
    ready.publish(BEFORE)
    assert copy.read_text() == ranking_of(ready, CLOSE) != ranking_of(ready, BEFORE)


@pytest.mark.parametrize("order", [(BEFORE, CLOSE), (CLOSE, BEFORE)])
def test_a_further_site_holds_every_week_whatever_their_order(
    ready: Ready, order: tuple[date, date], tmp_path: Path
) -> None:
    fleet = ready.org_folder / "fleet.yaml"
    place = f"publish_to:\n  - site: {tmp_path / 'mirror'}\n"
    fleet.write_text(fleet.read_text().split("publish_to:")[0] + place)
    for close in order:
        ready.publish(close)
    mirror = {
        path.relative_to(tmp_path / "mirror").as_posix(): path.read_bytes()
        for path in (tmp_path / "mirror").rglob("*")
        if path.is_file()
    }
    assert mirror == ready.site()
    assert (tmp_path / "mirror" / "latest").readlink() == Path("weeks/2026-06-17")


def test_a_page_that_cannot_be_read_counts_as_none(ready: Ready) -> None:
    assert published_pages(ready.home, CLOSE) == (None, None)
    ready.publish(CLOSE)
    (ready.home.site / "weeks" / "2026-06-17" / "page.json").write_text("{")
    assert published_pages(ready.home, CLOSE) == (None, None)


def test_a_page_tells_how_long_each_host_has_been_quiet(ready: Ready) -> None:
    list_hosts(ready, "local", "box")
    week = publish_week(ready.home, ready.org, CLOSE, ready.tables[CLOSE])
    page = json.loads((week.published.folder / "page.json").read_bytes())
    box, local = page["sources"]["hosts"]
    assert box == {"host": "box", "requests": 0, "last_ts": None, "quiet_days": None}
    assert (local["host"], local["quiet_days"]) == ("local", 0)
    [warning] = [c for c in page["checks"]["results"] if c["name"] == "hosts_are_reporting"]
    assert not warning["passed"]
    assert "box: no request yet" in warning["says"]
    assert "Quiet days" in (week.published.folder / "index.html").read_text()
