"""Which hosts a fleet has, and how long each has been quiet. Pure; reading them is for others."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, TypedDict

from fleet_pipeline.ledger import Held

QUIET_DAYS: Final = 7
"""A machine that is in use writes a transcript within a week."""


class Host(TypedDict):
    """A host as published: its requests, the last one (UTC, ISO 8601), and its whole quiet days.

    A host that is listed and of which nothing was ever counted has no last request.
    """

    host: str
    requests: int
    last_ts: str | None
    quiet_days: int | None


def hosts(sources: Held, listed: Iterable[str], as_of: date) -> list[Host]:
    """Return the hosts that the ledger knows or the operator lists, by name.

    ``quiet_days`` are whole UTC days before ``as_of`` without a request since the last one.
    """
    known: dict[str, Host] = {
        name: {"host": name, "requests": 0, "last_ts": None, "quiet_days": None} for name in listed
    }
    for host in sources["hosts"]:
        last_day = datetime.fromisoformat(host["last_ts"]).date()
        known[host["host"]] = {
            "host": host["host"],
            "requests": host["requests"],
            "last_ts": host["last_ts"],
            "quiet_days": quiet_days(last_day, as_of),
        }
    return [known[name] for name in sorted(known)]


def quiet_days(last_day: date, as_of: date) -> int:
    """Return the whole days between the last day with a request and ``as_of``."""
    return max(0, (as_of - last_day).days - 1)


def is_quiet(host: Host) -> bool:
    """Say whether a host has not been heard of for longer than one in use would be."""
    return host["quiet_days"] is None or host["quiet_days"] > QUIET_DAYS


def told(host: Host) -> str:
    """Return when a host was last heard of, and how long it has been quiet, in words."""
    days, last_ts = host["quiet_days"], host["last_ts"]
    if days is None or last_ts is None:
        return f"{host['host']}: no request yet"
    quiet = f", quiet for {days:,} {'day' if days == 1 else 'days'}" if days else ""
    return f"{host['host']}: last request on {last_ts[:10]}{quiet}"
