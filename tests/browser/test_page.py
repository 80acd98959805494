"""The page in a real browser: whole without scripts, usable by keyboard, harmless, printable."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from fleet_pipeline.publishing.page import SECTIONS, render_page

from ..publishing.reference_page import changed

pytestmark = pytest.mark.slow

OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
RAN = "window.ran || document.title === 'ran'"
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}, "color_scheme": "light"},
    "print": {"viewport": {"width": 794, "height": 1123}, "color_scheme": "light"},
}
PAYLOADS = (
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "<svg onload=window.ran=1>",
    "<svg><script>window.ran=1</script></svg>",
    "<body onload=window.ran=1>",
    "<details open ontoggle=window.ran=1>",
    "<input autofocus onfocus=window.ran=1>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "<iframe src='javascript:parent.ran=1'></iframe>",
    "<video><source onerror=window.ran=1></video>",
)
FRAMES = ("{}", '">{}', "'>{}", "</title>{}", "--></style></script>{}")
HOSTILE = tuple(frame.format(payload) for payload in PAYLOADS for frame in FRAMES)


def hostile_page(name: str) -> dict[str, object]:
    return changed(
        title=name, owner=name, agents__1__agent=name, agents__1__display_name=name,
        routing_matrix__6__task_type=name, ranking__2__model=name, ranking__2__name=name,
        models__0__model=name, costs__reference_model_name=name, headroom__0__limit=name,
        sources__hosts__0__host=name, free_api_catalog__0__provider=name, operating_rule=name,
    )  # fmt: skip


def test_without_scripts_nothing_is_missing_and_no_control_is_dead(
    browser: Browser, file: Path
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        for name in ("bottom-line", *(name for name, _ in SECTIONS)):
            assert page.locator(f"#{name}").is_visible()
        assert page.locator("button, input").count() == 0
        assert page.locator("svg.chart").count() == 6


def test_the_page_asks_for_nothing_and_the_console_stays_empty(
    browser: Browser, file: Path
) -> None:
    said: list[str] = []
    asked: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri(), wait_until="networkidle")
        page.evaluate(OPEN_ALL)
    assert said == []
    assert asked == [file.as_uri()]


def test_a_table_is_sorted_by_keyboard_and_its_rest_stays_last(page: Page) -> None:
    table = page.locator("table[data-sort]", has=page.locator("#agent-sage"))
    head = table.locator("th", has_text="Requests")
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    names = table.locator("tbody th").all_inner_texts()
    assert names[0] == "Forge" and names[-1] == "Unattributed"
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    names = table.locator("tbody th").all_inner_texts()
    assert names[0] == "Felix" and names[-1] == "Unattributed"


def test_a_table_is_filtered_by_keyboard_and_shown_whole_again(page: Page) -> None:
    tools = page.locator(".tools", has_text="Filter by agent")
    rows = page.locator("table.matrix tbody tr:not(.group):visible")
    whole = rows.count()
    tools.locator("input").focus()
    page.keyboard.type("forge")
    assert 0 < rows.count() < whole
    assert tools.locator("output").inner_text() == f"{rows.count()} shown"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert rows.count() == whole


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_fault_with_everything_unfolded(
    browser: Browser, file: Path, look: str
) -> None:
    # The page's own policy would keep axe out as well.
    with browser.new_context(**LOOKS[look], bypass_csp=True) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        if look == "print":
            page.emulate_media(media="print")
        page.evaluate(OPEN_ALL)
        assert violations(page) == []


def violations(page: Page) -> list[str]:
    return [each["id"] for each in Axe().run(page).response["violations"]]


BROKEN = r"""() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    for (const { 0: number, index } of texts.currentNode.data.matchAll(/[$]?[\d.,]*\d%?/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + number.length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) found.push(number);
    }
  return found;
}"""


@pytest.mark.parametrize("width", [320, 390, 768])
def test_on_a_phone_no_number_is_broken_over_two_lines(
    browser: Browser, file: Path, width: int
) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        assert page.evaluate(BROKEN) == []


def test_on_a_phone_a_table_of_words_is_still_a_table_to_a_screen_reader(
    browser: Browser, file: Path
) -> None:
    """Its rows are shown as blocks; Chromium must tell the same roles as on a wide screen."""
    told = []
    for width in (1280, 320):
        with browser.new_context(viewport={"width": width, "height": 800}) as context:
            page = context.new_page()
            page.goto(file.as_uri())
            nodes = context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
            roles = Counter(node["role"]["value"] for node in nodes if not node["ignored"])
            told.append({role: roles[role] for role in ("table", "row", "cell", "rowheader")})
    assert told[0] == told[1]
    assert told[0]["cell"] > 100


@pytest.mark.parametrize("width", [320, 390, 820, 1280, 1920])
def test_the_page_never_scrolls_sideways(browser: Browser, file: Path, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        page.evaluate(OPEN_ALL)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_great_number_is_broken_over_two_lines(browser: Browser, file: Path, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        lines = page.locator(".value [data-fig]").evaluate_all(
            "all => all.map(each => each.getClientRects().length)"
        )
    assert len(lines) >= 11
    assert set(lines) == {1}


def test_the_answer_stands_in_the_first_600_pixels(page: Page) -> None:
    cards = page.locator(".cards").bounding_box()
    assert cards is not None
    assert cards["y"] + cards["height"] <= 640


def executions(browser: Browser, folder: Path, render: Callable[[str], str]) -> list[str]:
    """Return the names that ran as script, each on a page of its own."""
    ran = []
    with browser.new_context() as context:
        for number, name in enumerate(HOSTILE):
            path = folder / f"{number}.html"
            path.write_text(render(name))
            page = context.new_page()
            page.goto(path.as_uri())
            if page.evaluate(RAN):
                ran.append(name)
            page.close()
    return ran


def test_fifty_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    assert len(set(HOSTILE)) == 50
    assert executions(browser, tmp_path, lambda name: render_page(hostile_page(name))) == []


def test_without_escaping_the_policy_alone_lets_nothing_run(
    browser: Browser, tmp_path: Path
) -> None:
    def unescaped(name: str, *, policy: bool = True) -> str:
        html = render_page(hostile_page("HOSTILE")).replace("HOSTILE", name)
        return html if policy else re.sub(r'<meta http-equiv="Content-Security[^>]*>', "", html)

    def without_policy(name: str) -> str:
        return unescaped(name, policy=False)

    # The same pages do run where the policy is taken out: the test can tell.
    assert len(executions(browser, tmp_path, without_policy)) > 25
    assert executions(browser, tmp_path, unescaped) == []


def test_it_prints_on_few_pages(page: Page) -> None:
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 6


@pytest.mark.parametrize(
    "place", ["latest", "weeks/2026-06-17", "weeks/2026-06-17/0123456789abcdef"]
)
def test_all_weeks_are_found_from_wherever_the_page_lies(
    browser: Browser, file: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "index.html").write_text("<title>All of them</title>")
    (tmp_path / place).mkdir(parents=True)
    copy = tmp_path / place / "index.html"
    copy.write_bytes(file.read_bytes())
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(copy.as_uri())
        page.get_by_role("link", name="All weeks").click()
        assert page.title() == "All of them"
