"""Whatever happens to transcripts between ingestions, nothing ever seen is lost or doubled.

A state machine lets agents write (any number of bytes at a time) while files are cut, replaced,
renamed, copied, deleted, touched and compressed, and takes them in now and then. After each time
the ledger equals what the reference counter makes of every state that any ingestion ever saw.
"""

import os
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
import zstandard
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fleet_pipeline.ledger import recount

from ..transcripts.claude_fixtures.lines import (
    Record,
    after,
    encoded,
    finished_agent,
    in_old_order,
    reply,
    rewritten,
    transcript,
    usage,
)
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import WRITTEN, Machine, Witness, as_counted, changed, fail_at

LARGEST = 8 * 1024
"""Bytes of a transcript here: its head and tail are all of it, so that no edit can hide."""

FORK = "f0000000-0000-4000-8000-000000000002"


def request(name: str, minute: int, **fields: object) -> dict[str, Record]:
    """Return what clients may write about one request: early and late, whole and bare, copied."""
    at, ids = after(minutes=minute), {"request_id": f"req_{name}"} | fields
    final = {"counters": usage(minute, 90, read=7), "at": at}
    part = {"stop": None, "at": at}
    compacted = usage(minute, 40, iterations=[{"type": "compaction"} | usage(3, 30, write_1h=2)])
    lines = {
        "begun": reply(name, usage(minute, 1), **part, **ids),
        "further": reply(name, usage(minute, 50, write_5m=5, unsplit=1), **part, **ids),
        "done": reply(name, **final | {"at": at + timedelta(seconds=2)}, **ids),
        "earlier": reply(name, usage(minute, 3), stop=None, at=at - timedelta(seconds=2), **ids),
        "compacted": reply(name, compacted, **part, **ids),
        "by an old client": in_old_order(reply(name, **final, **ids)),
    }
    if not fields:
        lines |= {
            "forked": reply(name, **final, sessionId=FORK),
            "in a sidechain": reply(name, **final, isSidechain=True, **ids),
            "without its id": reply(None, usage(minute, 4), at=at, **ids),
            "rewritten": reply(rewritten(f"{name}0"), **final, **ids),
            "rewritten early": reply(rewritten(f"{name}1"), usage(minute, 1), **part, **ids),
            "rewritten next day": reply(
                rewritten(f"{name}3"), **final | {"at": at + timedelta(hours=26)}, **ids
            ),
            "rewritten, bare": reply(rewritten(f"{name}2"), **final, sessionId=FORK),
        }
    return {f"{name} {how}": line for how, line in lines.items()}


AGENT = {"agentId": "a1", "isSidechain": True}
LINES: dict[str, Record | bytes] = {
    **request("one", 1),
    **request("midnight", 15 * 60),
    **request("agent's first", 11, **AGENT),
    **request("agent's last", 15 * 60 + 1, **AGENT),
    "note on the first": finished_agent("a1", usage(11, 70), at=after(minutes=11, seconds=30)),
    "note too small": finished_agent("a1", usage(901, 2), at=after(minutes=902)),
    "note on the last": finished_agent("a1", usage(901, 80, read=3), at=after(minutes=903)),
    "note of failure": finished_agent("a1", usage(901, 99), at=after(minutes=904), status="x"),
    "no ids": reply(None, usage(21, 1), uuid="line-1", at=after(hours=21)),
    "no ids again": reply(None, usage(21, 5), uuid="line-1", at=after(hours=21)),
    "synthetic": reply("synthetic", usage(0, 0), model="<synthetic>"),
    "impossible": reply("impossible", usage(-1, 5)),
    "soon": reply("soon", at=WRITTEN + timedelta(days=1, minutes=5)),
    "future": reply("future", at=WRITTEN + timedelta(days=99)),
    "zoneless": reply("zoneless", timestamp="2026-06-01T09:00:00"),
    "echo": {"type": "progress", "data": {"message": reply("echo")}},
    "surrogate": encoded(reply("surrogate", usage(8, 8), cwd="/@")).replace(b"@", rb"\ud83d"),
    "stray bytes": encoded(reply("stray", usage(9, 9), content="@")).replace(b"@", b"\xff\0"),
    "no JSON": b"not JSON",
    "blank": b"",
}


def thread(serial: int) -> list[bytes]:
    """Return the lines of a rollout: requests that are told once or more, over two days."""
    rollout = Rollout(serial, at=after(hours=serial))
    for number in range(1, 5):
        rollout.own_turn(number).request(codex_usage(number * 10, serial), times=1 + number % 3)
        rollout.wait(hours=5)
    return [line + b"\n" for line in rollout_lines(rollout)]


THREADS = {serial: thread(serial) for serial in (1, 2)}
HOSTS = ("laptop", "server")
File = tuple[str, str]
CLAUDE: list[File] = [
    ("laptop", "p/1.jsonl"),
    ("laptop", "p/s/subagents/agent-a1.jsonl"),
    ("server", "p/1.jsonl"),
]
CODEX: list[File] = [("laptop", "2026/06/01/rollout-1.jsonl"), ("server", "rollout-2.jsonl")]

claude_files, codex_files = st.sampled_from(CLAUDE), st.sampled_from(CODEX)
any_files = claude_files | codex_files
any_lines = st.sampled_from(sorted(LINES))
held = st.sampled_from([0, 0, 1, 2, 400])


def told(lines: list[str]) -> bytes:
    return transcript(*(LINES[line] for line in lines))


class AnyHistory(RuleBasedStateMachine):
    """Agents that write, things that happen to their files, and ingestions in between."""

    saying = Bundle("saying")
    happened: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.machine = Machine(Path(self.folder.name), *HOSTS)
        self.now = WRITTEN
        self.unwritten: dict[File, bytes] = {}
        self.threads: dict[File, int] = {}
        self.witness = Witness()

    def teardown(self) -> None:
        """Counting all of history again, and reading all files again, change nothing."""
        try:
            self.take_in(full=False)
            before = self.machine.ledger_bytes(), self.machine.sources()
            recount(self.machine.home, everything=True)
            assert (self.machine.ledger_bytes(), self.machine.sources()) == before
            self.take_in(full=True)
            assert (self.machine.ledger_bytes(), self.machine.sources()) == before
            self.happened["a whole history"] += 1
        finally:
            self.folder.cleanup()

    @initialize(target=saying, lines=st.lists(any_lines, min_size=6, max_size=6, unique=True))
    def there_is_something_to_say(self, lines: list[str]) -> MultipleResults[str]:
        """Only a little, so that the same requests come up again and again."""
        return multiple(*lines)

    # What happens to files

    @rule(file=claude_files, lines=st.lists(saying, max_size=4), held=held, seen=st.booleans())
    def claude_code_writes(self, file: File, lines: list[str], held: int, seen: bool) -> None:
        self.write(file, told(lines), held)
        if seen:
            self.take_in(full=False)

    @rule(file=codex_files, serial=st.sampled_from(sorted(THREADS)), held=held)
    def codex_begins(self, file: File, serial: int, held: int) -> None:
        if not self.path(file).exists():
            self.threads[file] = serial
            self.write(file, b"".join(THREADS[serial][:3]), held)

    @rule(file=codex_files, place=st.integers(3, 12), lines=st.integers(1, 6), held=held)
    def codex_writes(self, file: File, place: int, lines: int, held: int) -> None:
        if self.is_whole_rollout(file):
            self.write(file, b"".join(THREADS[self.threads[file]][place : place + lines]), held)

    @rule(file=any_files, length=st.integers(0, 4000))
    def a_file_is_cut(self, file: File, length: int) -> None:
        if self.path(file).exists():
            if file in self.threads:
                if not self.is_whole_rollout(file):
                    return
                length = max(length, len(THREADS[self.threads[file]][0]))
            os.truncate(self.path(file), min(length, self.path(file).stat().st_size))
            self.happened["truncate"] += 1
            self.unwritten.pop(file, None)
            self.touched(file)

    @rule(
        file=claude_files,
        lines=st.lists(saying, min_size=1, max_size=3),
        in_place=st.booleans(),
    )
    def a_file_is_replaced(self, file: File, lines: list[str], in_place: bool) -> None:
        if self.path(file).exists():
            self.happened["replace"] += 1
            if not in_place:
                self.path(file).unlink()
        self.unwritten.pop(file, None)
        self.machine.write(self.path(file), told(lines))
        self.touched(file)

    @rule(files=st.tuples(claude_files, claude_files) | st.tuples(codex_files, codex_files))
    def a_file_is_renamed(self, files: tuple[File, File]) -> None:
        if self.take_the_place(*files, Path.replace):
            self.happened["rename"] += 1

    @rule(
        files=st.tuples(claude_files, claude_files) | st.tuples(codex_files, codex_files),
        keeps_time=st.booleans(),
    )
    def a_file_is_copied(self, files: tuple[File, File], keeps_time: bool) -> None:
        def copy(old: Path, new: Path) -> None:
            new.write_bytes(old.read_bytes())

        if files[0] != files[1] and self.path(files[0]).exists():
            status = self.path(files[0]).stat()
            self.take_the_place(*files, copy)
            self.touched(files[1])
            self.happened["copy"] += 1
            if keeps_time:
                os.utime(self.path(files[1]), ns=(0, status.st_mtime_ns))

    @rule(file=any_files)
    def a_file_is_deleted(self, file: File) -> None:
        self.happened["delete"] += self.path(file).exists()
        self.path(file).unlink(missing_ok=True)
        self.unwritten.pop(file, None)
        self.threads.pop(file, None)

    @rule(file=any_files)
    def a_file_is_touched(self, file: File) -> None:
        if self.path(file).exists():
            self.touched(file)
            self.happened["touch"] += 1

    @rule(file=codex_files)
    def a_rollout_is_compressed(self, file: File) -> None:
        if self.is_whole_rollout(file) and self.path(file).exists():
            plain = self.path(file)
            whole = zstandard.compress(plain.read_bytes())
            self.now += timedelta(minutes=1)
            self.machine.write(plain.with_name(plain.name + ".zst"), whole, at=self.now)
            plain.unlink()
            self.unwritten.pop(file, None)
            self.happened["compress"] += 1

    # What happens to the home

    @rule()
    def the_register_is_lost(self) -> None:
        (self.machine.home.lake / "register.parquet").unlink(missing_ok=True)

    @rule(how_much=st.sampled_from(["a day", "all"]))
    def the_ledger_is_lost(self, how_much: str) -> None:
        """It is derived: the next run has it again."""
        days = sorted((self.machine.home.lake / "usage").rglob("*.parquet"))
        for day in days[:1] if how_much == "a day" else days:
            day.unlink()

    @rule(number=st.integers(1, 8), call=st.sampled_from(["fsync", "replace"]))
    def a_run_fails(self, number: int, call: str) -> None:
        """The disk is full at one of its writes; the next run completes what it began."""
        with pytest.MonkeyPatch.context() as patch:
            failed = fail_at(patch, call, number)
            with suppress(OSError):
                self.machine.ingest()
            self.happened["run that fails"] += bool(failed)
        self.take_in(full=False)

    # Taking them in

    @rule(full=st.sampled_from([False, False, False, True]))
    def take_in(self, full: bool) -> None:
        """Take in all files; the ledger is what the reference counter makes of all ever seen."""
        self.witness.look(self.machine.root)
        if full:
            self.machine.ingest(full=True)
        else:
            self.machine.ingest_if_anything_is_new()
        self.happened["run"] += 1
        assert as_counted(self.machine.rows()) == self.witness.count()

    @precondition(lambda self: any(self.witness.seen.values()))
    @rule()
    def everything_is_deleted_and_no_total_falls(self) -> None:
        self.take_in(full=False)
        before = self.machine.ledger_bytes(), self.machine.sources()
        for path in self.machine.root.glob("*/.c*/**/*.jsonl*"):
            path.unlink()
        self.unwritten.clear()
        self.threads.clear()
        self.machine.ingest()
        assert (self.machine.ledger_bytes(), self.machine.sources()) == before

    # How

    def path(self, file: File) -> Path:
        host, name = file
        return (self.machine.codex if file in CODEX else self.machine.claude)(name, host)

    def write(self, file: File, data: bytes, held: int) -> None:
        """Append what was held back before and ``data``, but for its last ``held`` bytes."""
        path = self.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self.unwritten.pop(file, b"") + data
        size = path.stat().st_size if path.exists() else 0
        if size + len(data) <= LARGEST:
            with path.open("ab") as stream:
                stream.write(data[: max(0, len(data) - held)])
            self.happened["append"] += held == 0
            self.happened["append a part of a line"] += held > 0
            self.unwritten[file] = data[max(0, len(data) - held) :]
            self.touched(file)

    def touched(self, file: File) -> None:
        self.now += timedelta(minutes=1)
        changed(self.path(file), self.now)

    def take_the_place(self, old: File, new: File, put) -> bool:
        possible = old != new and self.path(old).exists()
        if possible:
            self.path(new).parent.mkdir(parents=True, exist_ok=True)
            put(self.path(old), self.path(new))
            self.unwritten.pop(new, None)
            self.threads.pop(new, None)
            if old in self.threads:
                self.threads[new] = self.threads[old]
            if not self.path(old).exists():
                self.unwritten.pop(old, None)
                self.threads.pop(old, None)
        return possible

    def is_whole_rollout(self, file: File) -> bool:
        """Say whether a rollout has its first line, which says whose it is."""
        head = THREADS[self.threads[file]][0] if file in self.threads else b"nothing"
        return self.path(file).exists() and self.path(file).read_bytes().startswith(head)


KINDS = (
    "append", "append a part of a line", "truncate", "replace", "rename", "copy", "delete", "touch",
    "compress", "run", "run that fails",
)  # fmt: skip


def holds_for(examples: int, steps: int) -> Counter[str]:
    """Try so many histories; return how often each kind of thing has truly happened in them."""
    before = AnyHistory.happened.copy()
    run_state_machine_as_test(
        AnyHistory,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    return AnyHistory.happened - before


@pytest.fixture(params=["ample", "scarce"])
def memory(request, monkeypatch):
    """Let ingestion write after every few rows, and counting hold one day at a time."""
    if request.param == "scarce":
        monkeypatch.setattr("fleet_pipeline.ledger.ingestion._ROWS_IN_MEMORY", 3, raising=False)
        monkeypatch.setattr("fleet_pipeline.ledger.reading._ROWS_OF_A_BATCH", 2, raising=False)
        monkeypatch.setattr("fleet_pipeline.ledger.counting._CHUNK_BYTES", 1, raising=False)


def test_no_history_of_files_loses_or_doubles_a_request(memory):
    happened = holds_for(examples=6, steps=15)
    assert happened["a whole history"] >= 6


@pytest.mark.slow
def test_no_long_history_of_files_loses_or_doubles_a_request(memory):
    """Five hundred of them: half with ample memory, half with scarce."""
    happened = holds_for(examples=250, steps=30)
    assert happened["a whole history"] >= 250
    assert min(happened[kind] for kind in KINDS) >= 12, happened
