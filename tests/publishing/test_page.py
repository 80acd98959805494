"""The HTML page: complete, traced, harmless, and able to say the opposite."""

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import html5lib
import pytest

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.org import Org
from fleet_pipeline.publishing.figures import resolve
from fleet_pipeline.publishing.formats import MINUS
from fleet_pipeline.publishing.markdown import render_ranking
from fleet_pipeline.publishing.page import SECTIONS, render_page

from .hostile import HOSTILE
from .loose import loose_numbers
from .outline import Outline, written
from .reference_page import changed, reference_page
from .test_page_data import org
from .test_page_data import page as page_of

__all__ = ["org"]


def outline(page: dict[str, object]) -> Outline:
    return Outline(render_page(page))


@pytest.fixture(scope="module")
def html() -> str:
    return render_page(reference_page())


@pytest.fixture(scope="module")
def read(html: str) -> Outline:
    return Outline(html)


def test_the_page_is_well_formed_and_its_ids_are_unique(read: Outline) -> None:
    assert read.faults == []
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = " ".join(a.get("aria-labelledby") or "" for _, a in read.elements).split()
    links = [a["href"] for tag, a in read.elements if tag == "a"]
    inner = [link[1:] for link in links if link and link.startswith("#")]
    assert {*referred, *inner} <= set(ids)


def test_the_page_says_first_what_decides_and_last_how_it_was_made(html: str) -> None:
    order = ["bottom-line", *(name for name, _ in SECTIONS)]
    places = [html.index(f' id="{name}"') for name in order]
    assert places == sorted(places)
    assert order == [
        "bottom-line", "mirage", "cost", "headroom", "agents", "matrix", "context", "ranking",
        "execution", "free-api", "changes", "method",
    ]  # fmt: skip


def test_each_card_says_what_changed_and_whether_it_is_a_range_exact_or_a_reading(
    html: str,
) -> None:
    cards = re.findall(r'<li class="card".*?</li>', html, re.S)
    assert len(cards) == 4
    for card, change in zip(cards, ("+0.8 pp", "+$212", "+$8", f"{MINUS}6.0 pp"), strict=True):
        assert f"{change}</span> since last week" in card
        assert re.search(r"Range|Exact|Reading", card)
        assert '<a href="#' in card
    alone = render_page(changed(since_last_week__cost_usd_micros=None))
    assert "No comparable week before" in alone


def test_a_check_that_was_overruled_is_named_at_the_top() -> None:
    check = {"check": "agents_add_up", "says": "a row is missing", "because": "kiln is sold"}
    words = outline(
        changed(
            checks__accepted=[check], checks__results__0__passed=False,
            checks__results__0__says=check["says"],
        )
    ).words  # fmt: skip
    assert words.index("a row is missing") < words.index("kiln is sold")
    assert words.index("kiln is sold") < words.index("Move bounded execution")


def test_the_page_is_html_to_a_strict_parser(html: str) -> None:
    html5lib.HTMLParser(strict=True).parse(html)


def test_the_figures_of_the_reference_page_are_shown(read: Outline) -> None:
    for shown in (
        "107,338", "72%", "83%", "25%", "7.1B", "27.9B", "$3,593", "$7,185", "$10,679", "$58",
        "$1,528", "97%", "134k", "726k", "11,001M", "873M", "$0.32 / $1.28", "17 Jun 2026",
        "18 May to 16 Jun",
    ):  # fmt: skip
        assert shown in read.words


def test_every_figure_is_its_value_in_page_json_written_in_one_of_the_forms(
    read: Outline,
) -> None:
    page = reference_page()
    assert len(read.figures) > 400
    for address, shown in read.figures:
        value = resolve(page, address)
        assert shown in written(value), address


def test_every_number_that_can_be_seen_is_a_figure_with_an_address(read: Outline) -> None:
    assert loose_numbers(read, reference_page()) == []


def test_each_amount_of_the_contract_is_on_the_page(read: Outline) -> None:
    addresses = {address for address, _ in read.figures}
    assert {
        "costs.scenarios.expected.cost_usd_micros",
        "costs.hot_week.scenarios.high.cost_usd_micros",
        "costs.naive.cost_usd_micros",
        "agents.forge.full_input_tokens",
        "agents.unattributed.requests",
        "headroom.codex.300.remaining_share",
        "usage.codex.requests",
        "target.share",
        "window.days_covered",
        "checks.passed",
        "blocks.claude.peak_tokens_after_target",
        "windows.claude_max.300.rates.cache_read.percent_per_mtok",
        "ranking.z-ai/glm-5%2E2.price.input_usd_per_mtok",
    } <= addresses


def test_the_page_is_one_small_file_that_asks_for_nothing(html: str, read: Outline) -> None:
    assert len(html.encode()) <= 150_000
    assert len(gzip.compress(html.encode(), mtime=0)) <= 40_000
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"link", "img", "iframe", "object", "form", "base"}
    for _, attributes in read.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            assert not re.match(r"[a-z]+:|//|/", attributes.get(name) or "")
    assert "url(#" in html
    assert not re.search(r"url\((?!#)|@import|https?:", html)
    script = html[html.index("<script>") + len("<script>") : html.index("</script>")]
    assert len(script.encode()) <= 5_000
    assert not re.search(r"fetch|XMLHttp|import|eval|innerHTML|Worker|WebSocket", script)


def test_the_policy_allows_exactly_the_inlined_style_and_script(html: str, read: Outline) -> None:
    def digest(tag: str) -> str:
        inlined = html[html.index(f"<{tag}>") + len(tag) + 2 : html.index(f"</{tag}>")]
        return base64.b64encode(hashlib.sha256(inlined.encode()).digest()).decode()

    [policy] = [a["content"] for _, a in read.elements if a.get("http-equiv")]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest('style')}';"
        f" script-src 'sha256-{digest('script')}'; base-uri 'none'; form-action 'none'"
    )


def test_the_same_page_gives_the_same_bytes(html: str) -> None:
    assert render_page(reference_page()) == html


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_harmless_wherever_it_stands(name: str, html: str, read: Outline) -> None:
    page = changed(
        agents__1__agent=name, agents__1__display_name=name, routing_matrix__6__agent=name,
        routing_matrix__6__task_type=name, ranking__2__model=name, ranking__2__name=name,
        ranking__2__route=name, models__0__model=name, costs__reference_model_name=name,
        costs__subscription__unpriced_models=[name], headroom__0__limit=name, owner=name,
        title=name, sources__hosts__0__host=name, checks__results__1__says=name,
        free_api_catalog__0__provider=name, operating_rule=name,
        sources__quarantined={name: 3}, principles__lever=name, backbone__0__model=name,
    )  # fmt: skip
    raw_html = render_page(page)
    hostile = Outline(raw_html)
    assert hostile.faults == []
    assert [tag for tag, _ in hostile.elements if tag in {"script", "img"}] == ["script"]
    plain = [{n for n in a if n != "class"} for _, a in read.elements]
    allowed = set().union(*plain)
    assert all(set(attributes) - {"class"} <= allowed for _, attributes in hostile.elements)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", raw_html)
    for address, shown in hostile.figures:
        assert shown in written(resolve(page, address)), address


def test_a_target_that_asks_for_more_than_may_move_is_called_out() -> None:
    words = outline(reference_page()).words
    assert "Target exceeds what is movable for Mercury." in words
    assert "Whether the target can be reached is not known for Analyst." in words
    within = changed(eligible__agents__2__verdict="within")
    assert "arget exceeds what is movable" not in outline(within).words


def test_who_drives_a_row_of_the_matrix_is_measured_and_else_only_a_note() -> None:
    words = outline(reference_page()).words
    assert "Sonnet 75% → Sonnet default." in words
    assert "Claude-heavy" not in words
    unmeasured = outline(changed(routing_matrix__0__measured=None)).words
    assert "Claude-heavy → Sonnet default." in unmeasured
    assert "Not measured: no such turn in this window" in unmeasured


def test_a_rate_that_cannot_be_fitted_is_refused_in_words_and_never_a_number() -> None:
    words = outline(reference_page()).words
    assert "cache reads 0.021% (0.017 to 0.027)" in words
    assert "Refused: the meter moved too seldom (17 steps in 4 windows)" in words
    assert "What a token takes out of a window is not known" in outline(changed(windows=[])).words


def test_demo_data_is_called_demo_data() -> None:
    assert "Demo data:" in outline(changed(demo=True)).words
    assert "Demo data:" not in outline(reference_page()).words


def test_partial_coverage_is_said_and_scaled_costs_are_called_scaled() -> None:
    words = outline(
        changed(window__days_covered=20, window__monthly_factor=1.5, window__first_day="2026-05-28")
    ).words
    assert "20 of 30 days are covered, 28 May to 16 Jun" in words
    assert "scaled to a month of 30 days by 1.5" in words
    assert "GLM 5.2 monthly cost" in words


def test_few_days_are_never_called_a_month() -> None:
    words = outline(
        changed(
            window__days_covered=9, window__monthly_factor=None, costs__basis="covered_days",
            costs__hot_week=None,
        )
    ).words  # fmt: skip
    assert "GLM 5.2 cost for the 9 covered days" in words
    assert "/9 days" in words
    assert not re.search(r"/month|monthly|a month\b(?!:)", words.replace("speak of a month", ""))


def test_output_that_may_grow_is_marked_as_a_lower_bound() -> None:
    assert "≥12.0M" in outline(reference_page()).words
    complete = outline(changed(usage__claude__output_final_share=1.0)).words
    assert "≥" not in complete
    assert "Final for every Claude Code request" in complete


def test_unknown_headroom_is_unknown_and_its_track_is_empty() -> None:
    unknown = {"remaining_share": None, "used_percent": None, "read_at": None, "resets_at": None,
               "age_minutes": None, "status": "unknown"}  # fmt: skip
    page = reference_page()
    rows = page["headroom"]
    assert isinstance(rows, list)
    for row in rows:
        row.update(unknown)
    html = render_page(page)
    section = html[html.index('<section id="headroom"') : html.index('<section id="agents"')]
    assert section.count("not zero, unknown") == 4
    assert section.count('class="f-track"') == 4
    assert not re.search(r'class="f-(used|warn|stale)"', section)
    assert ">0%" not in section
    assert ">100%" not in section
    assert "no fresh reading says how much room Codex has" in Outline(html).words


def test_a_stale_reading_is_tagged_and_does_not_count_as_room() -> None:
    stale = {"status": "stale", "remaining_share": None}
    page = changed(
        **{f"headroom__{place}__{name}": value for place in (0, 1) for name, value in stale.items()}
    )
    html = render_page(page)
    assert html.count('class="f-stale"') == 2
    words = Outline(html).words
    assert "No fresh reading says how much room Codex has" in words
    assert "28% used, stale read 41 min earlier" in words
    assert "17% were used 41 min before as-of; the window has turned over since" in words
    assert "not zero, unknown" not in words


def test_the_bottom_line_can_say_the_opposite() -> None:
    assert "Move bounded execution to Codex and Spark" in outline(reference_page()).words
    full = changed(headroom__1__remaining_share=0.04, headroom__1__used_percent=96.0)
    assert "Hold the move: a Codex window is nearly used up" in outline(full).words
    idle = changed(target__tokens=0, target__share=0.0)
    agents = idle["agents"]
    assert isinstance(agents, list)
    for agent in agents:
        agent["target_tokens"] = 0
    words = outline(idle).words
    assert "no agent that has a target was used in this window" in words
    assert "No agent that has a target was used; 873M tokens are unattributed" in words
    for agent in agents:
        agent["target_share"] = 0.0
    words = outline(idle).words
    assert "Nothing is marked to leave Claude Max: every agent" in words
    assert "No agent has a target above zero" in words
    unused = changed(usage__claude__requests=0)
    assert "nothing to move and nothing to price" in outline(unused).words


def test_a_month_of_codex_alone_prices_nothing_and_boasts_no_hit_rate(org: Org) -> None:
    codex = {"client": "codex", "model": "gpt-5.5", "input_tokens": 500}
    page = page_of(org, *({**codex, "day": day} for day in range(30)))
    page["sources"] = reference_page()["sources"]
    html = render_page(page)
    cards = re.findall(r'<li class="card".*?</li>', html, re.S)
    assert [("n/a" in card, "$" in card) for card in cards[:3]] == [(True, False)] * 3
    addresses = {address for address, _ in Outline(html).figures}
    assert not {
        a for a in addresses if re.match(r"costs\.(scen|naive|mirage|hit|replay.targets)", a)
    }
    costs = render_ranking(page).partition('<a id="costs">')[2].partition("<!--")[0]
    assert "no Claude Code request" in costs
    assert "$" not in costs


def test_titles_follow_the_numbers() -> None:
    page = changed(
        costs__mirage__2__share=0.2, costs__naive__cost_usd_micros=7_000_000_000,
        costs__hot_week__multiplier=1.1, target__share=0.8,
        costs__scenarios__1__cached_cost_usd_micros=7_000_000_000,
    )  # fmt: skip
    before, after = outline(reference_page()).words, outline(page).words
    for title, opposite in (
        ("Why the naive estimate is a mirage", "The naive estimate and the full bill"),
        ("Re-sent context is most of the tokens", "Re-sent context is the smaller part"),
        ("The hot week ran well above the usual pace", "No week stands out"),
        ("What the cache does decides more", "How much is moved decides more"),
        ("Most volume stays", "Most volume could move"),
    ):
        assert title in before
        assert opposite in after
        assert opposite not in before
        assert title not in after


def test_a_price_that_nobody_knows_is_not_applicable_and_never_free() -> None:
    priced = json.dumps(changed(costs__price__input_usd_per_mtok=None))
    page = json.loads(re.sub(r'_usd_micros": -?\d+', '_usd_micros": null', priced))
    read = outline(page)
    assert "GLM 5.2 has no known price on 17 Jun 2026" in read.words
    shown = {text for address, text in read.figures if address.endswith("_usd_micros")}
    assert shown == {"n/a"}


def test_each_cost_states_its_cache_assumption(html: str) -> None:
    for card in re.findall(r'<li class="card" id="card-(?:full|cached)">.*?</li>', html, re.S):
        assert "Assumes" in card
    for card in re.findall(r'<ul class="prices three">(.*?)</ul>', html, re.S):
        items = card.split("</li>")[:-1]
        assert len(items) == 3
        assert all(re.search(r"No cache hit|Assumes", item) for item in items)


def test_where_only_other_models_changed_the_page_says_so_instead_of_an_empty_table() -> None:
    page = reference_page()
    rows = page["changes"]
    assert isinstance(rows, list)
    page["changes"] = [{**rows[0], "subject": "vendor/other", "is_candidate": False}]
    words = outline(page).words
    assert "Nothing that is known changed: no price or place of a candidate" in words
    assert "Of other models: changes in page.json" in words


def test_a_free_quota_that_somebody_told_stands_on_the_page_with_who_and_when() -> None:
    told = outline(
        changed(
            free_api_catalog__0__requests_left=0, free_api_catalog__0__left_told_by="own count",
            free_api_catalog__0__quota_read_at="2026-06-16T03:05:00Z",
        )
    )  # fmt: skip
    figures = [address for address, _ in told.figures if address.endswith(".requests_left")]
    assert figures == ["free_api_catalog.NVIDIA NIM.requests_left"]
    assert "0 left 16 Jun, 03:05 UTC, by own count" in told.words


def test_empty_tables_say_so_and_missing_prose_leaves_no_gap() -> None:
    page = changed(
        principles={}, backbone=[], routing_matrix=[], free_api_catalog=[], ranking=[],
        execution_routing=[], headroom=[], hard_rules=[], operating_rule="", daily=[],
        costs__hot_week=None, models=[],
    )  # fmt: skip
    read = outline(page)
    assert read.faults == []
    assert read.words.count("none configured") == 6
    assert "Headroom: unknown" in read.words


def test_a_figure_that_is_missing_from_page_json_is_refused_by_name() -> None:
    page = reference_page()
    usage = page["usage"]
    assert isinstance(usage, dict)
    del usage["claude"]["context_p90"]
    with pytest.raises(PublicationError, match=r"usage\.claude\.context_p90"):
        render_page(page)


def test_checks_are_shown_with_what_they_say(read: Outline) -> None:
    assert "30 passed, 0 failed, 1 warned" in read.words
    assert "unattributed input 3.1%, limit 3.0%" in read.words


def test_every_source_that_the_page_names_exists(html: str) -> None:
    root = Path(__file__).parents[2]
    named = set(re.findall(r"<code>((?:sql|fleet_pipeline)/[^<]+)</code>", html))
    assert len(named) > 4
    assert [name for name in sorted(named) if not (root / name).exists()] == []


def test_each_chart_has_a_title_a_description_and_a_table(html: str) -> None:
    charts = re.findall(r'<svg class="chart".*?</svg>', html, re.S)
    assert len(charts) == 6
    for chart in charts:
        assert 'role="img"' in chart
        assert re.search(r"<title [^>]+>\S.*</title><desc [^>]+>\S.*</desc>", chart, re.S)
        rest = html[html.index(chart) :]
        assert "<summary>Data table</summary>" in rest[: rest.index("</figure>")]


def test_the_page_says_how_far_the_clients_own_totals_and_the_ledger_agree(read: Outline) -> None:
    assert (
        "Claude Code: 640 of 912 sessions keep one, 588 agree to the token; the ledger has 99.7%"
        " of what they were billed. Codex: 0 of 40 sessions keep one. Sessions without one are not"
        " compared"
    ) in read.words
