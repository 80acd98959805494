"""The one-file HTML page of a week, from the dictionary of page.json; words live in the templates.

The page asks for nothing and is whole without its script, which only sorts and filters. Style sheet
and script are inlined, and the page's own content security policy allows exactly these, by hash.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.org import leaves_claude
from fleet_pipeline.publishing import changelog, charts, findings
from fleet_pipeline.publishing.escaping import anchors, printable
from fleet_pipeline.publishing.figures import (
    Record,
    address,
    canonical_bytes,
    number,
    records,
    resolve,
    text,
)
from fleet_pipeline.publishing.formats import FORMATS

RANKING_FILE: Final = "cheap-model-offload-ranking.md"

SECTIONS: Final = (
    ("mirage", "The mirage"),
    ("cost", "Cost scenarios"),
    ("headroom", "Headroom"),
    ("agents", "Agents"),
    ("matrix", "Routing matrix"),
    ("context", "Context fit"),
    ("ranking", "Model ranking"),
    ("execution", "Execution routing"),
    ("free-api", "Free-API catalog"),
    ("changes", "What changed"),
    ("method", "Method and downloads"),
)

CLASS_NAMES: Final = {
    "input": "fresh input",
    "output": "output",
    "cache_write": "cache write",
    "cache_read": "cache read",
}
CLASS_FILLS: Final = {
    "input": "f-accent",
    "output": "f-accent",
    "cache_write": "f-used",
    "cache_read": "f-warn",
}
KIND_NAMES: Final = {
    "orchestration": "Orchestration",
    "conversation": "Conversation",
    "external_action": "External action",
    "implementation": "Implementation",
    "test_writing": "Test writing",
    "editing": "Editing",
    "review": "Review",
    "checks": "Checks",
    "extraction": "Extraction",
    "research": "Research",
    "text_cleanup": "Text cleanup",
    "packet": "Packet",
    "overhead": "Client overhead",
    "unknown": "Unknown",
}
REFUSALS: Final = {
    "too_few_steps": "the meter moved too seldom",
    "too_few_windows": "too few windows were read",
    "plan_changed": "the plan changed in between",
    "spent_elsewhere": "much of the window went where this ledger saw no token",
    "does_not_fit": "the tokens do not explain what the meter did",
    "drifted": "the rate changed in between",
}
USAGE_ROWS: Final = (
    ("count", "requests", "Requests"),
    ("tokens", "input_tokens", "Fresh input"),
    ("tokens", "cache_write_5m_tokens", "Cache write, 5 min"),
    ("tokens", "cache_write_1h_tokens", "Cache write, 1 h"),
    ("tokens", "cache_read_tokens", "Cache read"),
    ("tokens", "full_input_tokens", "Full input"),
    ("share_fine", "cache_read_share", "Cache-read share"),
    ("tokens", "output_tokens", "Output"),
    ("tokens", "reasoning_tokens", "Reasoning, part of output"),
    ("context", "context_p50", "Context, median"),
    ("context", "context_p90", "Context, 90th percentile"),
    ("context", "context_p99", "Context, 99th percentile"),
)


@dataclass(frozen=True, slots=True)
class MatrixGroup:
    """The rows of the routing matrix that belong to one agent."""

    agent: str
    name: str
    measured: bool
    rows: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Writes figures of one page: traced in HTML, traced in SVG, or as bare words."""

    page: Record

    def _read(self, form: str, pattern: str, keys: Sequence[object]) -> tuple[str, str]:
        path = address(pattern, *keys)
        value = resolve(self.page, path)
        try:
            shown = FORMATS[form](value)
        except (ArithmeticError, TypeError, ValueError):
            raise PublicationError(f"page.json: {path} cannot be written as {form}") from None
        return path, shown

    def traced(self, form: str, pattern: str, *keys: object) -> Markup:
        """Return a figure with its address in page.json, where it stands unrounded."""
        return Markup('<span data-fig="{}">{}</span>').format(*self._read(form, pattern, keys))

    def cell(self, form: str, pattern: str, *keys: object) -> Markup:
        """Return a figure that fills a cell of a table, so that the cell carries the address."""
        return Markup('<td data-fig="{}">{}</td>').format(*self._read(form, pattern, keys))

    def in_svg(self, form: str, pattern: str, *keys: object) -> Markup:
        """Return a figure inside an SVG text, where no element of HTML may stand."""
        return Markup('<tspan data-fig="{}">{}</tspan>').format(*self._read(form, pattern, keys))

    def words(self, form: str, pattern: str, *keys: object) -> str:
        """Return a figure as plain words, for descriptions and subtitles."""
        return self._read(form, pattern, keys)[1]

    def mirage_part(self, measure: str, token_class: str) -> Markup:
        """Return the label of a class in a mirage bar: a share of tokens, or dollars."""
        if measure == "tokens":
            return self.in_svg("share_fine", "costs.mirage.{}.share", token_class)
        return self.in_svg("money", f"costs.mirage.{{}}.{measure}", token_class)


def render_page(page: Mapping[str, object], tables: Collection[str] = ()) -> str:
    """Return the HTML of a week; the same page and tables always give the same text.

    ``tables`` names the tables that are published beside the page, for the download list. Raises
    PublicationError when a figure that the page shows is missing from ``page``.
    """
    sheet, script = style(), _asset("script.js")
    figures = Figures(page)
    found = findings.find(page)
    headroom = records(page, "headroom")
    rendered = (
        templates()
        .get_template("page.html")
        .render(
            page=page,
            style=Markup(sheet),
            script=Markup(script),
            policy=content_security_policy(sheet, script),
            sections=SECTIONS,
            findings=found,
            fig=figures.traced,
            cell=figures.cell,
            mark=figures.in_svg,
            say=figures.words,
            part_figure=figures.mirage_part,
            principle=lambda name: _principle(page, name),
            principle_block=lambda name: _principle_block(page, name),
            lower_bound=lambda client: _is_lower_bound(page, client),
            backbone=records(page, "backbone"),
            headroom=headroom,
            codex_week=_codex_window(headroom, findings.WEEK_MINUTES),
            codex_hours=_codex_window(headroom, findings.FIVE_HOURS_MINUTES),
            tight=findings.TIGHT_REMAINING_SHARE,
            scenario_lengths=charts.lengths(_amounts(page, "cost_usd_micros")),
            cost_chart=charts.cost_chart(page),
            context_chart=charts.context_chart(page),
            frontier=charts.frontier(page),
            rank_chart=charts.ranks(page),
            sparks=charts.sparks(page),
            since=_record(page, "since_last_week"),
            trend=charts.trend(page),
            daily=records(page, "daily"),
            mirage_lengths=charts.lengths(
                [
                    number(page, "costs.naive.cost_usd_micros"),
                    number(page, "costs.scenarios.expected.cached_cost_usd_micros"),
                    number(page, "costs.scenarios.expected.cost_usd_micros"),
                ]
            ),
            mirage_bars=charts.mirage_bars(page),
            class_names=CLASS_NAMES,
            class_fills=CLASS_FILLS,
            matrix=_matrix(page),
            route_anchors=anchors(
                "route", (text(row, "agent") for row in records(page, "routing_matrix"))
            ),
            agents=records(page, "agents"),
            agent_anchors=anchors("agent", (text(row, "agent") for row in records(page, "agents"))),
            volumes=charts.volumes(records(page, "agents"), "target_tokens"),
            kind_names=KIND_NAMES,
            kind_volumes=charts.volumes(records(page, "task_mix.kinds"), "movable_tokens"),
            eligible=records(page, "eligible.agents"),
            windows=records(page, "windows"),
            blocks=records(page, "blocks"),
            realised=records(page, "realised"),
            far_days=records(page, "anomalies.agent_days"),
            refusals=REFUSALS,
            usage_rows=USAGE_ROWS,
            models=records(page, "models"),
            free_apis=records(page, "free_api_catalog"),
            ranking=records(page, "ranking"),
            model_anchors=anchors(
                "model", (text(row, "model") for row in records(page, "ranking"))
            ),
            execution=records(page, "execution_routing"),
            changes=records(page, "changes"),
            price_sources=records(page, "prices.sources"),
            hard_rules=_texts(page.get("hard_rules")),
            checks=records(page, "checks.results"),
            accepted=records(page, "checks.accepted"),
            hosts=records(page, "sources.hosts"),
            digest=hashlib.sha256(canonical_bytes(page)).hexdigest(),
            ranking_file=RANKING_FILE,
            tables=sorted(tables),
        )
    )
    return "\n".join(line for line in rendered.split("\n") if line.strip()) + "\n"


def render_weeks(weeks: Sequence[Record]) -> str:
    """Return the HTML of a site's index: its weeks, newest first, as ``index`` has them."""
    sheet = style()
    return (
        templates()
        .get_template("weeks.html")
        .render(weeks=weeks, style=Markup(sheet), policy=content_security_policy(sheet))
    )


def figures_on(html: str) -> list[str]:
    """Return the addresses of the figures that a page shows, each once."""
    return sorted({unescape(found) for found in re.findall(r'data-fig="([^"]*)"', html)})


def content_security_policy(style: str, script: str = "") -> str:
    """Return the policy that allows this very style sheet and this very script, and nothing else.

    So a name that escaping let through could still not run, load or send anything.
    """
    scripts = f"script-src '{_digest(script)}'; " if script else ""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; {scripts}"
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def templates() -> Environment:
    """Return the environment of the templates: everything is escaped, nothing may be undefined."""
    environment = Environment(
        loader=PackageLoader("fleet_pipeline.publishing", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(FORMATS)
    environment.filters["leaves_claude"] = leaves_claude
    environment.filters["sentence"] = _sentence
    environment.tests["told"] = changelog.is_told
    return environment


def _finalize(value: object) -> object:
    """Make text from outside printable before it is escaped; finished markup passes."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def style() -> str:
    """Return the style sheet that every published page carries."""
    return _asset("style.css")


@cache
def _asset(name: str) -> str:
    """Return the style sheet or the script as it is inlined: without indentation and comments."""
    environment = templates()
    assert environment.loader is not None
    source = re.sub(
        r"/\*.*?\*/", "", environment.loader.get_source(environment, name)[0], flags=re.S
    )
    lines = (line.strip() for line in source.split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("// "))


def _sentence(names: Sequence[str]) -> str:
    """Join names as in a sentence: ``Forge, Analyst and Sage``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _principle(page: Record, name: str) -> str:
    principles = page.get("principles")
    value = principles.get(name) if isinstance(principles, Mapping) else None
    return value if isinstance(value, str) else ""


def _principle_block(page: Record, name: str) -> dict[str, str] | None:
    """Return a titled block of policy prose, or None where the org has not written it."""
    principles = page.get("principles")
    value = principles.get(name) if isinstance(principles, Mapping) else None
    if not isinstance(value, Mapping):
        return None
    return {"title": text(value, "title"), "text": text(value, "text")}


def _record(page: Record, name: str) -> Record:
    value = page.get(name)
    return value if isinstance(value, Mapping) else {}


def _is_lower_bound(page: Record, client: str) -> bool:
    final_share = number(page, f"usage.{client}.output_final_share")
    return final_share is not None and final_share < 1


def _codex_window(headroom: Sequence[Record], minutes: int) -> Record | None:
    """Return Codex's own window of a given length, found by length and not by its place."""
    rows = [row for row in headroom if findings.is_codex(row)]
    return next((row for row in rows if row.get("window_minutes") == minutes), None)


def _amounts(page: Record, field: str) -> list[float | None]:
    names = [text(row, "name") for row in records(page, "costs.scenarios")]
    return [number(page, address(f"costs.scenarios.{{}}.{field}", name)) for name in names]


def _matrix(page: Record) -> tuple[MatrixGroup, ...]:
    """Group the routing matrix by agent, in the order in which the agents first appear."""
    measured = {text(row, "agent") for row in records(page, "agents")}
    groups: dict[str, list[Record]] = {}
    for row in records(page, "routing_matrix"):
        groups.setdefault(text(row, "agent"), []).append(row)
    return tuple(
        MatrixGroup(agent, text(rows[0], "display_name", agent), agent in measured, tuple(rows))
        for agent, rows in groups.items()
    )


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
