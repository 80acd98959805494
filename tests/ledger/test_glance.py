"""A run that finds nothing new ends early: it must never end early for any other reason."""

import os
from collections.abc import Callable

import pytest

from fleet_pipeline.ledger import glance, ingest, note_that_all_is_read, nothing_is_new, recount
from fleet_pipeline.transcripts.discover import find

from ..transcripts.claude_fixtures.lines import after, reply, transcript
from .machine import Machine

STORY = transcript(reply("m1"), reply("m2", at=after(days=1)))


def looked_at(machine: Machine) -> bool:
    places = machine.places()
    return nothing_is_new(machine.home, places, [find(each) for each in places])


@pytest.fixture
def settled(machine) -> Machine:
    """A home that has read and counted everything, and knows it."""
    machine.write(machine.claude("p/s.jsonl"), STORY)
    places = machine.places()
    found = [find(each) for each in places]
    ingest(machine.home, places, found=found)
    recount(machine.home)
    note_that_all_is_read(machine.home, places, found)
    return machine


def test_a_settled_home_has_nothing_to_do(settled):
    assert looked_at(settled)


def test_a_home_that_never_read_anything_has(machine):
    assert not looked_at(machine)


def grow(machine: Machine) -> None:
    machine.write(machine.claude("p/s.jsonl"), STORY + transcript(reply("m3")))


def touch(machine: Machine) -> None:
    os.utime(machine.claude("p/s.jsonl"), (1, 1))


def note_a_subagent(machine: Machine) -> None:
    path = machine.claude("p/s/subagents/agent-a1.jsonl")
    machine.write(path, STORY)


def unlink(what: str) -> Callable[[Machine], None]:
    def remove(machine: Machine) -> None:
        sorted(machine.home.lake.glob(what))[0].unlink()

    return remove


def overwrite(what: str, data: bytes) -> Callable[[Machine], None]:
    def damage(machine: Machine) -> None:
        (machine.home.lake / what).write_bytes(data)

    return damage


@pytest.mark.parametrize(
    "change",
    [
        grow,
        touch,
        note_a_subagent,
        overwrite("glance.json", b"\xff{"),
        overwrite("register.parquet", b""),
        overwrite("register.parquet", b"PAR1 damaged"),
        unlink("register.parquet"),
        unlink("uncounted.json"),
        unlink("usage/host=*/date=*.parquet"),
        lambda machine: machine.claude("p/s.jsonl").unlink(),
    ],
)
def test_whatever_changes_is_noticed(settled, change):
    change(settled)
    assert not looked_at(settled)


@pytest.mark.parametrize("version", ["PARSER_VERSION", "RULES_VERSION"])
def test_a_better_parser_or_rule_has_something_to_do(settled, version, monkeypatch):
    monkeypatch.setattr(glance, version, 99)
    assert not looked_at(settled)


def test_the_same_files_under_another_host_are_not_the_same(settled):
    places = [each.__class__(each.claude, each.codex, "other") for each in settled.places()]
    assert not nothing_is_new(settled.home, places, [find(each) for each in places])
