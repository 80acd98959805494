"""Small Codex rollouts built line by line: only the fields that say something, invented values."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl

from fleet_pipeline.ledger.codex_rules import count_codex
from fleet_pipeline.ledger.evidence import CODEX, frame_of
from fleet_pipeline.ledger.gathered import Gathered
from fleet_pipeline.transcripts.codex import CodexEvent, CodexFile, CodexState, read_rollout

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
WRITTEN = datetime(2026, 6, 10, tzinfo=UTC)

Usage = dict[str, int]


def uuid7(at: datetime, serial: int = 0) -> str:
    """Return an id that carries its time, as those of Codex threads and turns do."""
    digits = f"{int(at.timestamp() * 1000):012x}7000{serial:016x}"
    digits = f"{digits[:16]}8{digits[17:]}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def usage(fresh: int, read: int = 0, output: int = 10, write: int = 0) -> Usage:
    """Return one request's usage from its disjoint classes, the way that Codex adds them up."""
    tokens = {
        "input_tokens": fresh + read + write,
        "cached_input_tokens": read,
        "output_tokens": output,
        "reasoning_output_tokens": output // 2,
        "total_tokens": fresh + read + write + output,
    }
    return tokens | ({"cache_write_input_tokens": write} if write else {})


def added(total: Usage, last: Usage) -> Usage:
    """Return a thread's total after one more request."""
    return {name: total.get(name, 0) + last.get(name, 0) for name in total | last}


class Rollout:
    """The lines of one rollout, a clock that the test moves, and the client's running total."""

    def __init__(self, serial: int = 1, at: datetime = START, **meta: object) -> None:
        self.now = at
        self.thread_id = uuid7(at, serial)
        self.total: Usage = {}
        self.records: list[dict[str, object]] = []
        self.say("session_meta", id=self.thread_id, cwd="/work/forge", cli_version="0.1", **meta)

    def wait(self, **interval: float) -> "Rollout":
        self.now += timedelta(**interval)
        return self

    def say(self, record_type: str, /, **payload: object) -> "Rollout":
        self.records.append({"timestamp": stamp(self.now), "type": record_type, "payload": payload})
        self.now += timedelta(milliseconds=1)
        return self

    def event(self, name: str, /, **payload: object) -> "Rollout":
        return self.say("event_msg", type=name, **payload)

    def turn(self, turn_id: str | None = None, model: str = "gpt-5.5") -> "Rollout":
        """Begin a turn; without an id, as clients before 0.128 did."""
        named = {} if turn_id is None else {"turn_id": turn_id}
        return self.say("turn_context", model=model, **named)

    def own_turn(self, serial: int = 100) -> "Rollout":
        """Begin a turn with an id that carries its time."""
        return self.turn(uuid7(self.now, serial))

    def count(self, total: Usage, last: Usage, limits: object = None) -> "Rollout":
        info = {"total_token_usage": total, "last_token_usage": last}
        return self.event("token_count", info=info, rate_limits=limits)

    def request(self, last: Usage, times: int = 1) -> "Rollout":
        """Answer one request after two seconds and count it, perhaps more than once."""
        self.wait(seconds=2)
        self.total = added(self.total, last)
        for _ in range(times):
            self.count(self.total, last)
        return self

    def record(self, response_id: str | None, last: Usage, **payload: object) -> "Rollout":
        """Answer one request and record it under its id."""
        self.wait(seconds=2)
        return self.say(
            "token_usage_record",
            thread_id=self.thread_id,
            response_id=response_id,
            usage=last,
            **payload,
        )

    def replay(self, parent: "Rollout", *, keep_times: bool = False) -> "Rollout":
        """Copy all that the parent holds so far, as a fork of 0.96 to 0.140 does."""
        for record in parent.records:
            self.records.append(record if keep_times else record | {"timestamp": stamp(self.now)})
            self.now += timedelta(milliseconds=1)
        self.total = dict(parent.total)
        return self

    def fork(self, serial: int) -> "Rollout":
        """Return a fork of this thread, made now, with its history copied."""
        fork = Rollout(serial, self.now, forked_from_id=self.thread_id)
        return fork.replay(self)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encoded(rollout: Rollout) -> list[bytes]:
    return [json.dumps(record, separators=(",", ":")).encode() for record in rollout.records]


def located(lines: list[bytes]) -> list[tuple[int, bytes]]:
    """Return the lines with their offsets in a file."""
    offset, found = 0, []
    for line in lines:
        found.append((offset, line))
        offset += len(line) + 1
    return found


def read(
    source: Rollout | list[bytes], file_id: int = 1, state: CodexState | None = None
) -> CodexFile:
    lines = encoded(source) if isinstance(source, Rollout) else source
    return read_rollout(located(lines), file_id=file_id, written=WRITTEN, state=state)


def evidence(*sources: Rollout | list[bytes], host: str = "local") -> pl.DataFrame:
    """Return what the lake keeps of some files of one host."""
    files = [read(source, place) for place, source in enumerate(sources)]
    return kept([event for file in files for event in file.events]).with_columns(host=pl.lit(host))


def kept(events: list[CodexEvent]) -> pl.DataFrame:
    """Return what the lake keeps of statements."""
    gathered = Gathered()
    gathered.add("codex", events)
    gathered.pack()
    columns = gathered.columns.get("codex")
    return frame_of("codex", columns).cast(CODEX) if columns else pl.DataFrame(schema=CODEX)


def billed(*sources: Rollout | list[bytes]) -> list[tuple[int, int, int]]:
    """Return (fresh input, cache read, output) of each request in the ledger of some files."""
    return classes(count_codex(evidence(*sources)))


def classes(ledger: pl.DataFrame) -> list[tuple[int, int, int]]:
    return ledger.select("input_tokens", "cache_read_tokens", "output_tokens").rows()
