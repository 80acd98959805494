"""The HTML of a week, the page and its evidence, from page.json; words live in the templates.

Each is one file that asks for nothing. The page is whole without its script, which only sorts,
filters and finds the other weeks. Style sheet and script are inlined, and the own content security
policy of each allows exactly these, by hash.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fleet_pipeline.org import leaves_claude
from fleet_pipeline.publishing import changelog
from fleet_pipeline.publishing.escaping import printable
from fleet_pipeline.publishing.figures import Record
from fleet_pipeline.publishing.formats import FORMATS
from fleet_pipeline.publishing.page_view import view

RANKING_FILE: Final = "cheap-model-offload-ranking.md"
EVIDENCE_FILE: Final = "evidence.html"

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


def render_page(page: Mapping[str, object]) -> str:
    """Return the HTML of a week; the same page always gives the same text.

    Raises PublicationError when a figure that it shows is missing from ``page``.
    """
    sheet, script = style(), _asset("script.js")
    policy = content_security_policy(sheet, script)
    return _rendered(
        "page.html", **view(page), sections=SECTIONS, policy=policy,
        style=Markup(sheet), script=Markup(script),
        ranking_file=RANKING_FILE, evidence_file=EVIDENCE_FILE,
    )  # fmt: skip


def render_evidence(page: Mapping[str, object], tables: Collection[str]) -> str:
    """Return the HTML of a week's evidence: what the page only sums up, and every table.

    ``tables`` names those that are published beside it. Raises PublicationError as the page does.
    """
    sheet = style()
    return _rendered(
        "evidence.html", **view(page), tables=sorted(tables), style=Markup(sheet),
        policy=content_security_policy(sheet),
    )  # fmt: skip


def _rendered(template: str, **given: object) -> str:
    rendered = templates().get_template(template).render(**given)
    return "\n".join(line for line in rendered.split("\n") if line.strip()) + "\n"


def render_weeks(weeks: Sequence[Record]) -> str:
    """Return the HTML of a site's index: its weeks, newest first, as ``index`` has them."""
    sheet = style()
    policy = content_security_policy(sheet)
    return _rendered("weeks.html", weeks=weeks, style=Markup(sheet), policy=policy)


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


@cache
def style() -> str:
    """Return the style sheet that every published page carries, without needless spaces."""
    return re.sub(r"\s*([{};,])\s*", r"\1", _asset("style.css")).replace(": ", ":")


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
