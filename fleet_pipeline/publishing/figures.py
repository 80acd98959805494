"""Where a figure lives in ``page.json``: addresses, reading by address, the canonical bytes.

An address is a dotted path. A list item is addressed by its natural key, never by its place, so an
address survives a change of rank: ``agents.forge.full_input_tokens``,
``headroom.codex.300.remaining_share``, ``ranking.z-ai/glm-5%2E2.price.input_usd_per_mtok``. Within
a key, dots and everything that is not plain ASCII are percent-encoded.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final
from urllib.parse import quote, unquote

from fleet_pipeline.errors import PublicationError

Record = Mapping[str, object]

NATURAL_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "agents": ("agent",),
    "models": ("client", "model"),
    "daily": ("client", "date"),
    "headroom": ("limit_id", "window_minutes"),
    "scenarios": ("name",),
    "mirage": ("class",),
    "past_weeks": ("close",),
    "agent_weeks": ("agent", "week_start"),
    "context_curve": ("tokens",),
    "corners": ("name",),
    "packets": ("packet_tokens",),
    "elsewhere": ("model",),
    "assumptions": ("name",),
    "targets": ("model",),
    "subscriptions": ("model",),
    "room": ("limit_id", "window_minutes"),
    "cases": ("name",),
    "routes": ("route",),
    "cuts": ("cut", "value"),
    "context_fit": ("model",),
    "by_model": ("model",),
    "backbone": ("role",),
    "routing_matrix": ("agent", "task_type"),
    "execution_routing": ("work_type",),
    "free_api_catalog": ("provider",),
    "ranking": ("model",),
    "rank_history": ("model", "close"),
    "work_types": ("work_type",),
    "model_catalog": ("model",),
    "hosts": ("host",),
    "sources": ("source",),
    "kinds": ("kind",),
    "codex": ("kind",),
    "by_agent": ("agent", "kind"),
    "rules": ("rule",),
    "drivers": ("driver",),
    "efforts": ("effort",),
    "windows": ("limit_id", "window_minutes"),
    "rates": ("token_class",),
    "blocks": ("client",),
    "largest": ("started_at",),
    "realised": ("week_start",),
    "agent_days": ("agent", "date"),
    "missing_days": ("date",),
    "changes": ("kind", "subject", "field", "source"),
    "results": ("name",),
}


UNKNOWN: Final = "(unknown)"
"""The segment of a key that is null; of a text, brackets are percent-encoded."""


def key(value: object) -> str:
    """Return a natural key as one segment of an address."""
    return UNKNOWN if value is None else _segment(str(value))


@cache
def _segment(value: str) -> str:
    return quote(value, safe="/:@+ ", errors="surrogatepass").replace(".", "%2E")


def address(pattern: str, *keys: object) -> str:
    """Fill the ``{}`` of an address pattern with natural keys."""
    return pattern.format(*(key(value) for value in keys))


def unkey(segment: str) -> str | None:
    """Return the natural key that a segment stands for."""
    return None if segment == UNKNOWN else unquote(segment, errors="surrogatepass")


def resolve(page: Record, path: str) -> object:
    """Return what stands at an address of the page.

    Raises PublicationError when the path leads nowhere, or to two items with the same key: a page
    must not show a figure that nobody can look up.
    """
    node: object = page
    name = ""
    segments = path.split(".")
    while segments:
        if isinstance(node, Mapping):
            name = unquote(segments.pop(0), errors="surrogatepass")
            if name not in node:
                raise PublicationError(f"page.json has no {path!r}: {name!r} is missing")
            node = node[name]
        elif isinstance(node, Sequence) and not isinstance(node, str):
            fields = NATURAL_KEYS.get(name, ())
            wanted, segments = segments[: len(fields)], segments[len(fields) :]
            node = _item(node, fields, wanted, path)
        else:
            raise PublicationError(f"page.json has no {path!r}: it ends before {segments[0]!r}")
    return node


def _item(items: Sequence[object], fields: Sequence[str], wanted: list[str], path: str) -> object:
    """Return the one item of a list whose key fields are ``wanted``."""
    found = [
        item
        for item in items
        if fields
        and isinstance(item, Mapping)
        and [key(item.get(field)) for field in fields] == wanted
    ]
    if len(found) != 1:
        raise PublicationError(f"page.json has {len(found)} items for {path!r}, one was expected")
    return found[0]


def number(page: Record, path: str) -> int | float | None:
    """Return the number at an address, or None where page.json says null."""
    value = resolve(page, path)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise PublicationError(f"page.json: {path} must be a number or null")


def text(record: Record, name: str, default: str = "") -> str:
    """Return a field as text; a missing or null one is ``default``."""
    value = record.get(name)
    return default if value is None else str(value)


def records(page: Record, path: str) -> list[Record]:
    """Return the list of objects at an address; missing or null is an empty list."""
    node: object = page
    for name in path.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    if not isinstance(node, Sequence) or isinstance(node, str):
        return []
    return [item for item in node if isinstance(item, Mapping)]


def raw(value: object) -> str:
    """Return a value as the ``value`` attribute of a traced figure: JSON, text bare, null empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def canonical_bytes(page: Record) -> bytes:
    """Return page.json: schema order, two spaces, UTF-8, one newline at the end.

    A lone surrogate, legal in a transcript, becomes its JSON escape. Raises PublicationError for
    what JSON cannot say (NaN, infinity, foreign objects).
    """
    try:
        written = json.dumps(page, ensure_ascii=False, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PublicationError(f"page.json cannot be written: {error}") from None
    return f"{written}\n".encode(errors="backslashreplace")
