"""The format of a home's store: by which layout it was written, and whether this version knows it.

``format.json`` in a home names the format and the version that first wrote it so. A store of an
older format is brought up to date before anything is written to it; one of a newer format is
refused, by readers too. Nothing is ever guessed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home, write_whole

FORMAT: Final = 1
"""Raised when the layout of the store changes so that older versions would misread it.

A column that is new in a table is no such change: older rows have null there, and older versions
pass it over. Neither is a rule of reading or counting (``ledger/versions.py``).
"""

_LAYOUT: Final = frozenset(
    {
        "events", "quota", "totals", "transcripts", "unfamiliar", "usage", "weekly", "prices",
        "catalog",
    }
)  # fmt: skip
"""The folders of a lake before it was given a format: an unmarked store has one of them, or none.
"""


class _Marker(Struct, frozen=True):
    format: int
    written_by: str


def require_known_format(home: Home) -> int:
    """Return the format of the store, 0 for one that has no marker; changes nothing.

    Raises ConfigurationError where a newer version wrote it, or the marker cannot be read.
    """
    path = _path(home)
    try:
        marker = msgspec.json.decode(path.read_bytes(), type=_Marker)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigurationError(
            f"{path} is damaged, so that nobody knows how this store is to be read: bring the file"
            " back from a backup of the same home"
        ) from None
    if not 1 <= marker.format <= FORMAT:
        raise ConfigurationError(
            f"{home.root} was written by fleet {marker.written_by} in store format"
            f" {marker.format}; this is fleet {_version()}, which knows formats up"
            f" to {FORMAT}: update it, or bring back a backup from before the update"
        )
    return marker.format


def bring_up_to_date(home: Home) -> None:
    """Migrate the store to the present format, step by step; the caller is its only writer.

    Every step may be repeated: the marker is written last. Raises ConfigurationError where a step
    does not know what it finds, OSError where the disk refuses.
    """
    found = require_known_format(home)
    for step in _STEPS[found:]:
        step(home)
    if found < FORMAT:
        marker = _Marker(FORMAT, _version())
        write_whole(_path(home), msgspec.json.encode(marker) + b"\n")


def _from_unmarked(home: Home) -> None:
    """Take over a store from before there were formats: it is laid out as in format 1."""
    folders = {path.name for path in home.lake.iterdir() if path.is_dir()}
    if folders and not folders & _LAYOUT:
        raise ConfigurationError(
            f"{home.lake} holds folders that no version of fleet wrote"
            f" ({', '.join(sorted(folders))}): choose another home with --home"
        )


_STEPS: Final[tuple[Callable[[Home], None], ...]] = (_from_unmarked,)
"""The step from each format to the next, from 0 on; their number is ``FORMAT``."""


def _version() -> str:
    from importlib.metadata import version  # what it takes to load, only a first run should pay

    return version("fleet-pipeline")


def _path(home: Home) -> Path:
    return home.root / "format.json"
