"""What an operator has accepted: one check of one week that may fail, and why.

Kept in the home beside the ledger, so that the week can be made again with the same bytes. Belongs
here: reading and writing what was accepted, and taking it into account.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, TypedDict

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home, write_whole
from fleet_pipeline.quality.outcome import Outcome

LONGEST_REASON: Final = 300


class Accepted(TypedDict):
    """A check that may fail in one week; ``because`` is published."""

    check: str
    because: str


@dataclass(frozen=True)
class Gate:
    """Which outcomes still refuse a week once what was accepted is taken into account."""

    refusing: tuple[Outcome, ...]
    accepted: tuple[dict[str, str], ...]


def accepted(home: Home, close: date) -> list[Accepted]:
    """Return what was accepted for the week that closes at ``close``, by check.

    Raises ConfigurationError where the file cannot be understood.
    """
    path = _path(home, close)
    try:
        kept = json.loads(path.read_bytes())
        return [Accepted(check=str(row["check"]), because=str(row["because"])) for row in kept]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError):
        raise ConfigurationError(
            f"{path}: cannot be understood; delete it and accept again what you accepted"
        ) from None


def accept(home: Home, close: date, check: str, because: str) -> None:
    """Keep that ``check`` may fail in the week that closes at ``close``; a new reason replaces."""
    kept = [row for row in accepted(home, close) if row["check"] != check]
    kept = sorted([*kept, Accepted(check=check, because=because)], key=lambda row: row["check"])
    text = json.dumps(kept, indent=1, ensure_ascii=False)
    write_whole(_path(home, close), f"{text}\n".encode())


def gate(outcomes: Iterable[Outcome], allowed: Sequence[Accepted]) -> Gate:
    """Return what refuses in spite of what was accepted, and what was accepted and did fail."""
    because = {row["check"]: row["because"] for row in allowed}
    failing = [outcome for outcome in outcomes if outcome.refuses]
    return Gate(
        refusing=tuple(each for each in failing if each.name not in because),
        accepted=tuple(
            {"check": each.name, "because": because[each.name], "says": each.says}
            for each in failing
            if each.name in because
        ),
    )


def as_accepted(outcome: Outcome, allowed: Mapping[str, str]) -> Outcome:
    """Return an outcome that no longer refuses where it was accepted, and says so."""
    because = allowed.get(outcome.name)
    if because is None or not outcome.refuses:
        return outcome
    return replace(outcome, severity="warn", says=f"{outcome.says}; accepted: {because}")


def _path(home: Home, close: date) -> Path:
    return home.lake / "accepted" / f"{close.isoformat()}.json"
