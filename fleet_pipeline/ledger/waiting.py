"""Which days of evidence wait to be counted: noted before they change, cleared once they are.

A run that dies in between leaves the note; the next one counts those days.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fleet_pipeline.home import Home, write_whole
from fleet_pipeline.ledger.days import day_of

CLIENTS: Final = ("claude", "codex")


class _Note(Struct):
    """What the file says: by which version of the rules, what waits, and what was counted."""

    rules: int = 0
    days: dict[str, list[date]] = {}
    ledger: list[str] = []


class Waiting:
    """The note of one home."""

    def __init__(self, home: Home) -> None:
        """Read the note; where there is none, nothing was ever counted."""
        self._events, self._ledger = home.lake / "events", home.lake / "usage"
        self._path = home.lake / "uncounted.json"
        try:
            self._note = msgspec.json.decode(self._path.read_bytes(), type=_Note)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._note = _Note()

    @property
    def rules(self) -> int:
        """The version of the counting rules that made the ledger; 0 if there is none yet."""
        return self._note.rules

    def days(self, client: str) -> set[date]:
        """Return the days of one client that wait."""
        return set(self._note.days.get(client, ()))

    def is_any_day_left(self) -> bool:
        """Say whether any day of any client waits, or was counted and is lost."""
        return any(self._note.days.values()) or bool(self.lost_days())

    def add(self, client: str, days: Iterable[date]) -> None:
        """Note that ``days`` are about to change."""
        self._note.days[client] = sorted(self.days(client).union(days))
        self._save()

    def add_everything(self) -> None:
        """Note that all evidence is to be counted."""
        for client in CLIENTS:
            self.add(client, self.all_days(client))

    def add_lost_days(self) -> None:
        """Note that the days are to be counted of which a file of the ledger is gone."""
        if lost := self.lost_days():
            for client in CLIENTS:
                self.add(client, self.all_days(client) & lost)

    def all_days(self, client: str) -> set[date]:
        """Return the days on which there is any evidence of one client."""
        paths = self._events.glob(f"host=*/client={client}/date=*.parquet")
        return {day_of(path) for path in paths}

    def lost_days(self) -> set[date]:
        """Return the days of ledger files that were written and are gone."""
        lost = set(self._note.ledger) - set(self._files())
        return {day_of(Path(name)) for name in lost}

    def clear(self, rules: int) -> None:
        """Note that everything is counted, by this version of the rules."""
        self._note = _Note(rules=rules, ledger=self._files())
        self._save()

    def _files(self) -> list[str]:
        paths = self._ledger.glob("host=*/date=*.parquet")
        return sorted(str(path.relative_to(self._ledger)) for path in paths)

    def _save(self) -> None:
        write_whole(self._path, msgspec.json.encode(self._note))
