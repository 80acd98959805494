"""A line that cannot be believed costs itself: those around it count, it is counted by reason.

The cases are those in which JSON readers were seen to lose a whole file, to invent rows of nulls,
or to stop. Each is tried on the lines of both clients, early, in the middle and last in a file.
"""

import os
import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest
import zstandard

from ..transcripts.claude_fixtures.lines import (
    after,
    encoded,
    finished_agent,
    in_old_order,
    reply,
    transcript,
    usage,
)
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import WRITTEN, Witness, as_counted

COUNTER = b'"output_tokens":5'
UNREAD = b"@@"
"""Stands in a text that nobody reads."""


class Case(NamedTuple):
    """What becomes of a good line, and of what is told: why it is rejected, or that it counts."""

    damage: Callable[[bytes], bytes]
    reason: str | None = None
    counts: bool = False


def counter(value: bytes) -> Callable[[bytes], bytes]:
    return lambda line: line.replace(COUNTER, b'"output_tokens":' + value)


def unread(value: bytes) -> Callable[[bytes], bytes]:
    return lambda line: line.replace(UNREAD, value)


CASES = {
    "a line that breaks off": Case(lambda line: line[:-9], "unreadable"),
    "bytes that are no UTF-8": Case(unread(b"\xff\xc3("), counts=True),
    "a run of NUL bytes": Case(lambda line: bytes(600), "unreadable"),
    "a NUL byte inside a text": Case(unread(b"a\0b"), counts=True),
    "plain words": Case(lambda line: b"Segmentation fault (core dumped)", "unreadable"),
    "two objects on one line": Case(lambda line: line + line, "unreadable"),
    "a byte order mark, not first": Case(lambda line: b"\xef\xbb\xbf" + line, "unreadable"),
    "a lone surrogate": Case(unread(rb"\ud83d"), counts=True),
    "NaN": Case(counter(b"NaN"), "unreadable"),
    "a number of 40 digits": Case(counter(b"9" * 40), "bad_counter"),
    "a number of 5,000 digits": Case(counter(b"9" * 5000), "bad_counter"),
    "a fraction of a token": Case(counter(b"5.5"), "bad_counter"),
    "a counter in quotes": Case(counter(b'"5"'), "bad_counter"),
    "a negative counter": Case(counter(b"-5"), "bad_counter"),
    "one key twice": Case(counter(b'1,"output_tokens":5'), counts=True),
    "nesting of 100,000 levels": Case(
        lambda line: line.replace(b'"' + UNREAD + b'"', b"[" * 100_000 + b"]" * 100_000),
        "unreadable",
    ),
    "a list": Case(lambda line: b"[" + line + b"]", "unreadable"),
    "null": Case(lambda line: b"null", "unreadable"),
    "a text": Case(lambda line: b'"text"', "unreadable"),
    "a number": Case(lambda line: b"7", "unreadable"),
    "blank lines": Case(lambda line: b"\n  \n\t\r\n"),
    "3 megabytes of text": Case(unread(b"x" * 3_000_000), counts=True),
    "a counter that is true": Case(counter(b"true"), "bad_counter"),
    "an exponent": Case(counter(b"1e3"), "bad_counter"),
}


def claude_lines(serial: int) -> list[bytes]:
    return [
        encoded(reply(f"{serial}-{n}", usage(n + 1, 5), at=after(hours=n), content=UNREAD.decode()))
        for n in range(4)
    ]


def codex_lines(serial: int) -> list[bytes]:
    rollout = Rollout(serial).own_turn()
    for n in range(4):
        rollout.total = {}  # each line is told alone whether it repeats the one before
        rollout.request(codex_usage(n + 1, output=5))
        rollout.records[-1]["note"] = UNREAD.decode()
    return rollout_lines(rollout)


@pytest.mark.parametrize("client", ["claude", "codex"])
@pytest.mark.parametrize("name", CASES)
def test_a_hostile_line_costs_itself_and_no_other(machine, client, name):
    case = CASES[name]
    for place in (-3, -2, -1):
        lines = claude_lines(-place) if client == "claude" else codex_lines(-place)
        lines[place] = case.damage(lines[place])
        folder = machine.claude("p") if client == "claude" else machine.codex("2026")
        machine.write(folder / f"rollout{place}.jsonl", b"\n".join(lines) + b"\n")
    report = machine.ingest()
    assert report.passed_over == {}
    assert machine.rows().height == 3 * (3 + case.counts)
    witness = Witness()
    witness.look(machine.root)
    assert as_counted(machine.rows()) == witness.count()
    rejected = machine.held()["quarantined"]
    assert rejected == ({case.reason: 3} if case.reason else {})
    assert rejected == witness.rejected()


def test_a_byte_order_mark_at_the_head_of_a_file_costs_nothing(machine):
    machine.write(machine.claude("p/s.jsonl"), b"\xef\xbb\xbf" + transcript(reply("a"), reply("b")))
    machine.ingest()
    assert set(machine.billed()) == {"a", "b"}
    assert machine.held()["quarantined"] == {}


def test_a_last_line_that_breaks_off_is_no_bad_line_yet(machine):
    whole = transcript(reply("a"), reply("b"))
    path = machine.write(machine.claude("p/s.jsonl"), whole[:-9])
    machine.ingest()
    assert (set(machine.billed()), machine.held()["quarantined"]) == ({"a"}, {})
    machine.write(path, whole, at=WRITTEN + timedelta(hours=1))
    machine.ingest()
    assert (set(machine.billed()), machine.held()["quarantined"]) == ({"a", "b"}, {})


# An id that becomes another one's would make two requests one, for good reason.
TEXT = re.compile(rb'("id":|"requestId":|"uuid":)?"[^"]*"')
VALUE = re.compile(rb"()(?<=:)(?:-?\d+|true|false|null)")
STRANGE_TEXTS = (
    b'"x"', b'"assistant"', b'"user"', b'"usage"', b'"message"', b'"<synthetic>"',
    b'"2026-06-01T09:00:00"', b'"1970-01-01T00:00:00Z"', b'"2999-01-01T00:00:00+02:00"',
)  # fmt: skip
STRANGE_VALUES = (
    b"null", b"true", b"0", b"-1", b"1.5", b"1e3", b"9" * 30, b"NaN", b'"5"', b"[]", b"{}", b"",
)  # fmt: skip


def mutated(chance: random.Random, line: bytes) -> bytes:
    """Return a line after one to three accidents; some of them leave it whole."""
    damaged = bytearray(line)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        kind = chance.random()
        found = (TEXT if kind < 0.3 else VALUE).finditer(damaged)
        pieces = [piece for piece in found if not piece[1]]
        if kind < 0.7 and pieces:
            strange = chance.choice(STRANGE_TEXTS if kind < 0.3 else STRANGE_VALUES)
            damaged[slice(*chance.choice(pieces).span())] = strange
        elif kind < 0.8:
            damaged = damaged.replace(UNREAD, chance.randbytes(9).replace(b"\n", b"\xff"))
        else:
            place, size = chance.randrange(len(damaged) + 1), chance.randint(0, 30)
            noise = bytes(chance.choices(range(128), k=size))
            new = chance.choice((b"", noise, damaged[place : place + size] * 2))
            damaged[place : place + chance.randint(0, 9)] = new
    return bytes(damaged)


def some_line(chance: random.Random, number: int) -> bytes:
    """Return a line of a kind that speaks of a request, whole.

    Notes are short: a long line of a user that has lost its marks is passed over undecoded.
    """
    name, at = f"{number:06}-mutant-{number:06}", after(seconds=number * 5)
    about = {"at": at, "request_id": f"req_{name}", "content": UNREAD.decode()}
    agent = {"agentId": f"a{number % 50}", "isSidechain": True, "stop": None}
    compaction = {"type": "compaction"} | usage(3, 4, write_1h=5)
    match chance.randrange(5):
        case 0:
            return encoded(reply(name, usage(9, 8, read=7, write_5m=6, unsplit=5), **about))
        case 1:
            return encoded(in_old_order(reply(name, usage(9, 1), stop=None, **about)))
        case 2:
            return encoded(reply(name, usage(9, 8, iterations=[compaction]), **about))
        case 3:
            return encoded(reply(name, usage(9, 1), **about, **agent))
        case _:
            note = finished_agent(f"a{number % 50}", usage(9, 60), at=at, prompt="", content="")
            del note["uuid"]
            return encoded(note | {"message": UNREAD.decode()})


@pytest.mark.slow
def test_a_hundred_thousand_mutated_lines_cost_no_good_one_and_little_memory(machine):
    chance, serial, marks_lost = random.Random(2026), 0, 0
    for file in range(80):
        lines = []
        for _ in range(1000):
            serial += 1
            good = encoded(reply(f"good{serial}", usage(1, 1), at=after(seconds=serial)))
            lines += [mutated(chance, some_line(chance, serial)), good]
            marks_lost += len(lines[-2]) > 512 and b'"usage"' not in lines[-2]
        machine.write(machine.claude(f"p/{file}.jsonl"), b"\n".join(lines) + b"\n")
    for file in range(20):
        rollout = Rollout(file).own_turn()
        for number in range(2000):
            rollout.request(codex_usage(number + 1, number, write=number % 3))
        lines = rollout_lines(rollout)
        for place in range(len(lines) - 1999, len(lines), 2):
            serial += 1
            lines[place] = mutated(chance, lines[place])
        machine.write(machine.codex(f"rollout-{file}.jsonl"), b"\n".join(lines) + b"\n")
    assert serial == 100_000
    assert machine.ingest_apart() < 512
    witness = Witness()
    witness.look(machine.root)
    counted = as_counted(machine.rows())
    assert counted.items() ^ witness.count().items() == set()
    assert sum(key.startswith("good") for key in counted) == 80_000
    rejected, expected = machine.held()["quarantined"], witness.rejected()
    # Long lines that no longer look like a reply are passed over before anybody could doubt them.
    passed_over = expected.pop("unreadable") - rejected.pop("unreadable")
    assert 0 <= passed_over <= marks_lost < 2000
    assert rejected == expected
    assert rejected.keys() == {
        "bad_counter",
        "timestamp_missing",
        "timestamp_without_zone",
        "timestamp_too_old",
        "timestamp_in_future",
    }
    assert min(rejected.values()) > 50


@pytest.mark.slow
def test_lines_of_a_hundred_megabytes_or_a_gigabyte_cost_little_memory_and_pipes_hold_nothing_up(
    machine,
):
    machine.write(machine.claude("p/small.jsonl"), transcript(reply("small")))
    base = machine.ingest_apart()
    padding = b"x" * 100_000_000
    long = {
        "of a user": b'{"type":"user","message":"' + padding + b'"}',
        "of a reply": encoded(reply("long", content=UNREAD.decode())).replace(UNREAD, padding),
        "of nothing": padding,
    }
    for name, line in long.items():
        around = [encoded(reply(f"{place} {name}")) for place in ("before", "behind")]
        data = b"\n".join([around[0], line, around[1], b""])
        machine.write(machine.claude(f"p/{name}.jsonl"), data)
    meta, *counts = rollout_lines(Rollout().own_turn().request(codex_usage(1)))
    rollout = b"\n".join([meta, padding, *counts, b""])
    machine.write(machine.codex("rollout-1.jsonl"), rollout)
    machine.write(machine.codex("rollout-2.jsonl.zst"), zstandard.compress(rollout))
    hole = machine.claude("p/of a hole.jsonl")
    with hole.open("wb") as file:
        file.write(encoded(reply("before of a hole")) + b"\n")
        file.seek(10**9, os.SEEK_CUR)
        file.write(b"\n" + encoded(reply("behind of a hole")) + b"\n")
    for path in (machine.claude("p/pipe.jsonl"), machine.codex("rollout-3.jsonl")):
        os.mkfifo(path)
    names = [*long, "of a hole"]
    del padding, long, data, line, rollout
    peak = machine.ingest_apart()
    told = {f"{place} {name}" for place in ("before", "behind") for name in names}
    assert {key for key in machine.billed() if ":" not in key} == {"small", *told}
    assert machine.rows().height == len(told) + 2
    assert machine.held()["quarantined"] == {"too_long": 5}
    assert peak < 512
    assert peak - base < 128
