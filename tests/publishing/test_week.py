"""One week on its way out: refused or published, and where its copies go."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import ledger
from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.stated import ROWS
from fleet_pipeline.publishing.week import TABLES, publish_week, published_pages
from fleet_pipeline.quality import accept

from .ready import BEFORE, CLOSE, Ready

RANKING = "cheap-model-offload-ranking.md"


def list_hosts(ready: Ready, *hosts: str) -> None:
    listed = ", ".join(f"{{host: {host}, claude: [of-{host}]}}" for host in hosts)
    file = ready.org_folder / "fleet.yaml"
    file.write_text(file.read_text().replace("sources: []", f"sources: [{listed}]"))


def ranking_of(ready: Ready, close: date) -> str:
    return (ready.home.site / "weeks" / close.isoformat() / RANKING).read_text()


def test_a_week_is_published_with_all_its_tables_but_requests_and_turns(
    published_week: Path,
) -> None:
    found = {path.name for path in (published_week / "tables").iterdir()}
    public = {*TABLES, *ROWS} - {"requests", "turns"}
    assert {name for name in found if not name.endswith((".sql", ".json"))} == {
        f"{name}.{kind}" for name in public for kind in ("csv", "parquet")
    }
    assert found >= {"usage_totals.sql", "dictionary.json"}


def test_nothing_published_names_a_session_or_a_folder(published: Ready) -> None:
    usage = ledger.usage(published.home)
    private = set(usage["session_id"]) | set(usage["cwd"])
    site = published.site()
    texts = [content for name, content in site.items() if not name.endswith(".parquet")]
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


def test_a_week_without_the_price_of_its_reference_model_is_published_once_accepted(
    ready: Ready,
) -> None:
    accept(ready.home, CLOSE, "priced_models_have_prices", "its provider left the list")
    prices = ready.tables[CLOSE]["prices"]
    without = prices.filter(pl.col("model") != ready.org.reference.price_model)
    assert without.height < prices.height
    ready.publish(CLOSE, prices=without)
    page = (ready.home.site / "weeks" / CLOSE.isoformat() / "index.html").read_text()
    assert "Published although priced_models_have_prices failed." in page
    price = json.loads((ready.home.site / "latest" / "page.json").read_bytes())["costs"]["price"]
    assert (price["input_usd_per_mtok"], price["at"]) == (None, CLOSE.isoformat())


def test_what_was_published_before_a_refusal_stays_byte_for_byte(
    published: Ready, tmp_path: Path
) -> None:
    again = published.copied(tmp_path)
    before = again.site()
    assert before
    with pytest.raises(PublicationError, match="days_add_up"):
        again.publish(CLOSE, daily_usage=again.tables[CLOSE]["daily_usage"].slice(1))
    assert again.site() == before


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


@pytest.mark.slow
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


def test_a_page_that_cannot_be_read_counts_as_none(
    ready: Ready, published: Ready, tmp_path: Path
) -> None:
    assert published_pages(ready.home, CLOSE) == (None, None)
    spoilt = published.copied(tmp_path / "spoilt")
    assert None not in published_pages(spoilt.home, CLOSE)
    for content in ("{", "{}", "[]"):
        (spoilt.home.site / "weeks" / "2026-06-17" / "page.json").write_text(content)
        assert published_pages(spoilt.home, CLOSE) == (None, None)


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
