"""Figures as the page shows them: each carries its address in page.json, and is found by it.

``data-fig`` is the address. An element that holds many figures of one record says the record's
address once, in ``data-at``; a ``data-fig`` within it that begins with a dot continues it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

from markupsafe import Markup

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.figures import Record, address, resolve
from fleet_pipeline.publishing.formats import FORMATS


@dataclass(frozen=True, slots=True)
class Figures:
    """Writes figures of one page, or of the record at ``scope``: in HTML, in SVG, as bare words."""

    page: Record
    scope: str = ""

    def at(self, pattern: str, *keys: object) -> "Figures":
        """Return what writes figures of the record at an address, within an element ``here``."""
        return Figures(self.page, address(pattern, *keys))

    @property
    def here(self) -> Markup:
        """The attribute of the element within which figures of this record stand."""
        return Markup(' data-at="{}"').format(self.scope)

    def fig(self, form: str, pattern: str, *keys: object) -> Markup:
        """Return a figure with its address in page.json, where it stands unrounded."""
        return Markup('<span data-fig="{}">{}</span>').format(*self._read(form, pattern, keys))

    def cell(self, form: str, pattern: str, *keys: object) -> Markup:
        """Return a figure that fills a cell of a table, so that the cell carries the address."""
        return Markup('<td data-fig="{}">{}</td>').format(*self._read(form, pattern, keys))

    def mark(self, form: str, pattern: str, *keys: object) -> Markup:
        """Return a figure inside an SVG text, where no element of HTML may stand."""
        return Markup('<tspan data-fig="{}">{}</tspan>').format(*self._read(form, pattern, keys))

    def say(self, form: str, pattern: str, *keys: object) -> str:
        """Return a figure as plain words, for descriptions and subtitles."""
        return self._read(form, pattern, keys)[1]

    def _read(self, form: str, pattern: str, keys: Sequence[object]) -> tuple[str, str]:
        """Return the address as it is written within this scope, and the figure as it is shown."""
        written = address(f".{pattern}" if self.scope else pattern, *keys)
        path = self.scope + written
        value = resolve(self.page, path)
        try:
            shown = FORMATS[form](value)
        except (ArithmeticError, TypeError, ValueError):
            raise PublicationError(f"page.json: {path} cannot be written as {form}") from None
        return written, shown


def figures_on(html: str) -> list[str]:
    """Return the addresses of the figures that a page shows, each once."""
    reader = _Addresses(html)
    return sorted(set(reader.found))


class _Addresses(HTMLParser):
    """Reads the whole addresses of figures: the element's own, or continued from one around it."""

    _EMPTY: Final = frozenset(("br", "input", "link", "meta"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._scopes: list[str] = [""]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        scope = attributes.get("data-at") or self._scopes[-1]
        if figure := attributes.get("data-fig"):
            self.found.append(scope + figure if figure.startswith(".") else figure)
        if tag not in self._EMPTY:
            self._scopes.append(scope)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self._EMPTY:
            self._scopes.pop()

    def handle_endtag(self, tag: str) -> None:
        self._scopes.pop()
