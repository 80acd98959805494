"""The last guard before publishing: no path, no folder name, no private id leaves the lake.

The library never puts one there; this catches the day on which it does, and a path that an
operator typed into the org's files.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from fleet_pipeline.errors import PublicationError

FORBIDDEN_COLUMNS: Final = frozenset({"cwd", "request_id", "message_id", "session_id"})

_ROOTS = (
    "Users|Volumes|data|etc|export|home|media|mnt|nix|opt|private|proc|root|run|srv|tmp|usr|var"
    "|workspace|workspaces"
)
_ABSOLUTE_PATH = re.compile(
    rf"""
      (?<![\w.~:/-]) / (?:{_ROOTS}) / [^\s/]      # /home/zach, anywhere in a text
    | (?:\A|(?<=file://)) / [^\s/]+ / [^/]        # a value that is nothing but a path
    | (?<![A-Za-z0-9]) [A-Za-z]:[\\/] (?!/)       # C:\..., C:/...
    | \A \\\\ [^\\\s]+ \\                         # \\server\share
    | (?<!\w) -(?:Users|home|root)-\w             # Claude Code's name for a project's folder
    """,
    re.VERBOSE,
)


def looks_like_a_path(value: str) -> bool:
    """Say whether a text holds an absolute path of any system; ``Spark/free API`` is none."""
    return _ABSOLUTE_PATH.search(value) is not None


def assert_publishable(page: Mapping[str, object], tables: Mapping[str, pl.DataFrame]) -> None:
    """Refuse to publish a path or a private id.

    Raises PublicationError naming where it stands, never what it is.
    """
    for place, value in _texts(page, "page.json"):
        _refuse_path(place, value)
    for name, frame in sorted(tables.items()):
        _refuse_path(f"the name of table {name!r}", name)
        private = sorted(FORBIDDEN_COLUMNS & set(frame.columns))
        if private:
            raise PublicationError(
                f"table {name} must not be published: it has the column {private[0]}; "
                "select the public columns first"
            )
        for column in frame.columns:
            for value in _column_texts(frame[column]):
                _refuse_path(f"table {name}, column {column}", value)


def _refuse_path(place: str, value: str) -> None:
    if looks_like_a_path(value):
        raise PublicationError(
            f"{place} holds an absolute path, which must not be published; "
            "map the folder to an agent or take the path out of the org's files"
        )


def _texts(node: object, place: str) -> Iterator[tuple[str, str]]:
    """Walk every key and every text of a JSON tree, each with its place."""
    if isinstance(node, str):
        yield place, node
    elif isinstance(node, Mapping):
        for name, value in node.items():
            yield f"a key of {place}", str(name)
            # A key that is a path must not end up in the message about what it holds.
            yield from _texts(value, f"{place}.{'?' if looks_like_a_path(str(name)) else name}")
    elif isinstance(node, Sequence):
        for index, value in enumerate(node):
            yield from _texts(value, f"{place}[{index}]")


def _column_texts(column: pl.Series) -> Iterator[str]:
    """Yield the distinct texts of a column, those inside lists and structs included."""
    kind = column.dtype
    if kind.is_nested():
        yield from (text for value in column.to_list() for _, text in _texts(value, ""))
    elif kind in (pl.String, pl.Categorical, pl.Enum):
        yield from (value for value in column.cast(pl.String).unique().to_list() if value)
