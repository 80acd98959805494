"""Packets, lanes and a server for them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet_pipeline.guarded_http import Bounds
from fleet_pipeline.home import Home
from fleet_pipeline.org import Lane
from fleet_pipeline.packets import Client, Guard, Packet, QuotaLedger, Rules, Run, opened, run

from ..local_server import LocalServer, serving
from .completions import PATH, completion

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
BOUNDS = Bounds(connect_seconds=1, total_seconds=1, bytes=1 << 20)
PATIENT = Bounds(connect_seconds=10, total_seconds=30, bytes=1 << 20)
"""For tests in which nothing is late, on a machine that may be."""
LABEL = {
    "type": "object",
    "required": ["label"],
    "properties": {"label": {"enum": ["bug", "feature"]}},
    "additionalProperties": False,
}
RULES = Rules(
    agents={"forge": "internal", "hippocrates": "phi"},
    may_leave_agents=frozenset({"forge"}),
    may_leave_folders=("/srv/open",),
)
OPEN = Guard(RULES, lambda folder: None, frozenset())


def packet(**changes: Any) -> Packet:
    """A public packet of an agent whose packets may leave."""
    fields: dict[str, Any] = {
        "id": "label-issue-17",
        "privacy": "public",
        "agent": "forge",
        "work_type": "Classification",
        "instructions": "Label the issue.",
        "inputs": {"issue": "It crashes when the list is empty."},
        "answer_schema": LABEL,
        "max_output_tokens": 50,
    }
    return Packet(**{**fields, **changes})


def lane(server: LocalServer | str, **changes: Any) -> Lane:
    """A free lane to a server."""
    url = server if isinstance(server, str) else server.url
    fields: dict[str, Any] = {"name": "local", "base_url": url, "model": "small", "free": True}
    return Lane(**{**fields, **changes})


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with serving(completion(), PATH) as model:
        yield model


@pytest.fixture
def spare() -> Iterator[LocalServer]:
    """A second provider."""
    with serving(completion(), PATH) as model:
        yield model


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def ledger(home: Home) -> Iterator[QuotaLedger]:
    with opened(home) as database:
        yield QuotaLedger(database)


@pytest.fixture
def send(ledger: QuotaLedger) -> Callable[..., Run]:
    """Run a packet on lanes, at one moment."""

    def sent(asked: Packet, *lanes: Lane, guard: Guard = OPEN, at: datetime = NOW) -> Run:
        client = Client(lanes, {"A_KEY": "abc"}, PATIENT)
        return run(asked, lanes, guard=guard, ledger=ledger, client=client, now=lambda: at)

    return sent
