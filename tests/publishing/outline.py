"""A strict reading of a page: its elements, its figures with their whole addresses, its words."""

import re
from contextlib import suppress
from html.parser import HTMLParser

from fleet_pipeline.publishing.formats import FORMATS

VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "line", "circle"}


class Outline(HTMLParser):
    """Reads a page strictly: balanced tags, and what else the tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.scopes = [""]
        self.faults: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.figures: list[tuple[str, str]] = []
        self.text = ""
        self.untraced: list[str] = []
        """Text that can be seen and belongs to no figure and no axis."""
        self.described: list[str] = []
        """What titles and descriptions of pictures say."""
        self._unseen = [False]
        self._figure: str | None = None
        self._shown = ""
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if len(attributes) != len(attrs):
            self.faults.append(f"<{tag}> repeats an attribute")
        self.elements.append((tag, attributes))
        scope = attributes.get("data-at") or self.scopes[-1]
        if tag not in VOID:
            self.open.append(tag)
            self.scopes.append(scope)
            self._unseen.append(self._unseen[-1] or _is_aside(tag, attributes))
        address = attributes.get("data-fig")
        if address is not None:
            self._figure = scope + address if address.startswith(".") else address
            self._shown = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.scopes.pop()
        self._unseen.pop()
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")
        if self._figure is not None:
            self.figures.append((self._figure, self._shown))
            self._figure = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in {"title", "desc"}:
            self.described.append(data)
        if not self._unseen[-1]:
            self.untraced.append(data)
        self._shown += data

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.text)


def _is_aside(tag: str, attributes: dict[str, str | None]) -> bool:
    classes = (attributes.get("class") or "").split()
    unseen = tag in {"style", "script", "title", "desc"}
    return unseen or "data-fig" in attributes or "axis" in classes


def written(value: object) -> set[str]:
    """Every way in which the page may write a value."""
    forms = set()
    for form in FORMATS.values():
        with suppress(ArithmeticError, AttributeError, TypeError, ValueError):
            forms.add(form(value))
    return forms
