"""Small corpora whose truth is known, and what `fleet usage` and ccusage say of each.

    python tests/reports/ccusage_comparison.py

prints the tables of docs/usage.md. ccusage is optional: its program is the one that the variable
CCUSAGE names, else the one on the path. Nothing is asked of the network.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fleet_pipeline.cli import main

Record = dict[str, Any]
Tokens = tuple[int, int, int, int]
"""Fresh input, output, cache creation, cache read."""
Said = dict[str, Tokens]
"""Tokens by day."""

SONNET, OPUS, LONG = "claude-sonnet-4-6", "claude-opus-4-7", "claude-sonnet-4-5-20250929"
START = datetime(2026, 6, 8, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Corpus:
    """Transcripts by their path below a user's home, and what was truly used and billed.

    ``usd`` is the cost at list price where that is the point, and ``priced`` whether there is one;
    ``deleted`` says that the client deletes its transcripts after they were read once.
    """

    name: str
    files: dict[str, list[Record]]
    truth: Said
    client: str = "claude"
    usd: float | None = None
    priced: bool = True
    spaced: bool = False
    deleted: bool = False

    def write(self, home: Path) -> None:
        """Write the transcripts as the clients do."""
        separators = (", ", ": ") if self.spaced else (",", ":")
        for name, records in self.files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps(record, separators=separators) for record in records]
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reply(
    number: int,
    tokens: Tokens = (100, 400, 2_000, 30_000),
    *,
    at: datetime | None = None,
    model: str = SONNET,
    one_hour: int = 0,
    stop: str | None = "end_turn",
    **fields: object,
) -> Record:
    """Return a line of Claude Code about request ``number``; a field given as None is left out."""
    fresh, output, write, read = tokens
    record = {
        "isSidechain": False,
        "message": {
            "id": f"msg_{number:024}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": "done"}],
            "stop_reason": stop,
            "usage": {
                "input_tokens": fresh,
                "cache_creation_input_tokens": write,
                "cache_read_input_tokens": read,
                "output_tokens": output,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": write - one_hour,
                    "ephemeral_1h_input_tokens": one_hour,
                },
                "service_tier": "standard",
            },
        },
        "requestId": f"req_{number:024}",
        "type": "assistant",
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "timestamp": stamp(at or START + timedelta(minutes=number)),
        "cwd": "/work/forge",
        "sessionId": "11111111-1111-4111-8111-111111111111",
        "version": "2.1.169",
    } | fields
    return {name: value for name, value in record.items() if value is not None}


def used(*records: Record) -> Said:
    """Return what these lines say was used, by UTC day; each of them is one request."""
    said: Said = {}
    for record in records:
        usage = record["message"]["usage"]
        tokens = (
            usage["input_tokens"],
            usage["output_tokens"],
            usage["cache_creation_input_tokens"],
            usage["cache_read_input_tokens"],
        )
        day = str(record["timestamp"])[:10]
        said[day] = _plus(said.get(day, (0, 0, 0, 0)), tokens)
    return said


def file(number: int = 1) -> str:
    """Return the place of a session's transcript."""
    return f".claude/projects/-work-forge/{number:08}-1111-4111-8111-111111111111.jsonl"


IN_AGENT = file().replace(".jsonl", "/subagents/agent-a1.jsonl")


def by_agent(record: Record) -> Record:
    """Return a line as a subagent writes it."""
    return {**record, "isSidechain": True, "agentId": "a1"}


def rollout(
    serial: int, requests: list[Tokens], *, times: int = 1, pause: float = 60, **meta: object
) -> tuple[str, list[Record]]:
    """Return a thread of Codex: each request after ``pause`` seconds, counted ``times`` times."""
    thread = f"0197702b-7aa0-7000-8000-{serial:012}"
    said: list[tuple[float, str, Record]] = [
        (0, "session_meta", {"id": thread, "cwd": "/work", "cli_version": "0.140.0", **meta}),
        (0, "turn_context", {"cwd": "/work", "model": "gpt-5.5", "effort": "medium"}),
    ]
    total: Tokens = (0, 0, 0, 0)
    for place, tokens in enumerate(requests, start=1):
        total = _plus(total, tokens)
        info = {"total_token_usage": _codex(total), "last_token_usage": _codex(tokens)}
        said += [(place * pause, "event_msg", {"type": "token_count", "info": info})] * times
    records: list[Record] = [
        {"timestamp": stamp(START + timedelta(seconds=after)), "type": kind, "payload": payload}
        for after, kind, payload in said
    ]
    return f".codex/sessions/2026/06/08/rollout-2026-06-08T09-00-00-{thread}.jsonl", records


def _codex(tokens: Tokens) -> dict[str, int]:
    fresh, output, _, read = tokens
    return {
        "input_tokens": fresh + read,
        "cached_input_tokens": read,
        "output_tokens": output,
        "reasoning_output_tokens": 0,
        "total_tokens": fresh + read + output,
    }


def _plus(one: Tokens, other: Tokens) -> Tokens:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def without_traps() -> Iterator[Corpus]:
    """Yield corpora in which every line is a request of its own, whole and written once."""
    sessions = {
        file(number): [
            reply(
                number * 100 + place,
                (10 * place, 300 + place, 1_000 * place, 20_000 + place),
                at=START + timedelta(days=number, hours=place),
                model=(SONNET, OPUS, "claude-haiku-4-5-20251001")[place % 3],
                one_hour=500 * place,
            )
            for place in range(8)
        ]
        for number in (1, 2, 3)
    }
    agent = [by_agent(reply(900 + place, at=START + timedelta(days=2))) for place in range(3)]
    files = {**sessions, IN_AGENT: agent}
    every = [record for records in files.values() for record in records]
    yield Corpus("three sessions and a subagent", files, used(*every))
    requests: list[Tokens] = [(700, 90, 0, 0), (200, 40, 0, 600), (100, 30, 0, 900)]
    yield Corpus(
        "two threads of Codex",
        dict([rollout(1, requests), rollout(2, requests[1:], pause=70)]),
        {"2026-06-08": (1_300, 230, 0, 3_000)},
        client="codex",
    )


def with_traps() -> Iterator[Corpus]:
    """Yield corpora that mislead a counter, each in one way that real clients do."""
    whole = [reply(number) for number in range(1, 5)]
    placeholders = [
        reply(number, (100, output, 2_000, 30_000), stop=None)
        for number in range(1, 5)
        for output in (1, 9)
    ]
    yield Corpus(
        "an answer in several lines, the last one final",
        {file(): sorted([*placeholders, *whole], key=lambda line: str(line["requestId"]))},
        used(*whole),
    )
    yield Corpus(
        "a session resumed: its lines copied into a second file",
        {file(1): whole, file(2): [*whole, reply(5)]},
        used(*whole, reply(5)),
    )
    yield Corpus(
        "the copies lack the request id",
        {
            file(1): whole,
            file(2): [{k: v for k, v in r.items() if k != "requestId"} for r in whole],
        },
        used(*whole),
    )
    rewritten = [
        {**r, "message": {**r["message"], "id": f"9d0e1f2a-0000-4000-8000-{place:012}"}}
        for place, r in enumerate(whole)
    ]
    yield Corpus(
        "history rewritten under new message ids, same request ids",
        {file(1): whole, file(2): rewritten},
        used(*whole),
    )
    agents = [by_agent(reply(number)) for number in range(1, 4)]
    echoes = [
        {
            "type": "progress",
            "timestamp": r["timestamp"],
            "sessionId": r["sessionId"],
            "data": {
                "type": "agent_progress",
                "agentId": "a1",
                "message": {**reply(n, (100, 1, 2_000, 30_000), stop=None), "isSidechain": None},
            },
        }
        for n, r in enumerate(agents, start=1)
    ]
    yield Corpus(
        "a subagent's lines echoed early in its parent's file",
        {file(): [reply(9), *echoes], IN_AGENT: agents},
        used(reply(9), *agents),
    )
    last = by_agent(reply(3, (100, 1, 2_000, 30_000), stop=None))
    note = {
        "type": "user",
        "timestamp": stamp(START + timedelta(hours=1)),
        "sessionId": last["sessionId"],
        "uuid": "22222222-0000-4000-8000-000000000000",
        "message": {"role": "user", "content": []},
        "toolUseResult": {
            "status": "completed",
            "agentId": "a1",
            "totalTokens": 32_500,
            "usage": reply(3)["message"]["usage"],
        },
    }
    yield Corpus(
        "a subagent's last answer is a placeholder; its parent knows the final one",
        {file(): [reply(9), note], IN_AGENT: [*agents[:2], last]},
        used(reply(9), *agents),
    )
    yield Corpus(
        "JSON with blanks after commas and colons", {file(): whole}, used(*whole), spaced=True
    )
    yield Corpus(
        "transcripts that the client has deleted", {file(): whole}, used(*whole), deleted=True
    )
    long = reply(1, (300_000, 1_000, 0, 0), model=LONG)
    yield Corpus(
        "300,000 tokens to Sonnet 4.5: all at the long price",
        {file(): [long]},
        used(long),
        usd=1.8225,
    )
    new = reply(1, model="claude-next-9")
    yield Corpus("a model that no price list knows", {file(): [new]}, used(new), priced=False)
    requests: list[Tokens] = [(700, 90, 0, 0), (200, 40, 0, 600)]
    yield Corpus(
        "Codex counts each request twice",
        dict([rollout(1, requests, times=2)]),
        {"2026-06-08": (900, 130, 0, 600)},
        client="codex",
    )
    parent = rollout(1, [])[1][0]["payload"]["id"]
    spawned = {"source": {"subagent": {"thread_spawn": {"parent_thread_id": parent, "depth": 1}}}}
    yield Corpus(
        "a subagent of Codex that answers within its first second",
        dict([rollout(1, requests), rollout(2, [(300, 20, 0, 0)], pause=0.3, **spawned)]),
        {"2026-06-08": (1_200, 150, 0, 600)},
        client="codex",
    )


def ask_fleet(corpus: Corpus, home: Path) -> tuple[Said, float | None]:
    """Return what `fleet usage daily --json` says: tokens by day, and the total cost."""
    kept = ["--home", str(home / f"fleet-{corpus.client}")]
    ingest = ["ingest", *kept, f"--{corpus.client}", str(home / f".{corpus.client}")]
    _fleet(ingest)
    if corpus.deleted:
        _delete(home)
        _fleet(ingest)
    return _read(_fleet(["usage", "daily", "--json", *kept]))


def ask_ccusage(program: str, corpus: Corpus, home: Path) -> tuple[Said, float | None]:
    """Return what `ccusage <client> daily --json` says."""
    if corpus.deleted:
        _delete(home)
    options = ["daily", "--json", "--offline", "--timezone", "UTC"]
    return _read(
        _run(
            [program, corpus.client, *options],
            {
                "HOME": str(home),
                "CLAUDE_CONFIG_DIR": str(home / ".claude"),
                "CODEX_HOME": str(home / ".codex"),
            },
        )
    )


def ccusage() -> str | None:
    """Return the program, None where there is none."""
    return os.environ.get("CCUSAGE") or shutil.which("ccusage")


def _fleet(arguments: list[str]) -> str:
    return CliRunner().invoke(main, arguments, catch_exceptions=False).stdout


def _run(command: list[str], variables: dict[str, str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **variables}
    )
    return done.stdout


def _delete(home: Path) -> None:
    for path in home.glob(".c*/**/*.jsonl"):
        path.unlink()


def _read(printed: str) -> tuple[Said, float | None]:
    document = json.loads(printed)
    rows = document if isinstance(document, list) else document["daily"]
    names = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
    said = {row["date"]: tuple(row[name] for name in names) for row in rows}
    totals = {} if isinstance(document, list) else document["totals"]
    return said, totals.get("totalCost", totals.get("costUSD"))


def answers(corpus: Corpus, program: str | None) -> list[tuple[Said, float | None] | None]:
    """Return what fleet says of a corpus, and what ccusage says where there is one."""
    said: list[tuple[Said, float | None] | None] = []
    for ask in (ask_fleet, partial(ask_ccusage, program) if program else None):
        with tempfile.TemporaryDirectory() as home:
            corpus.write(Path(home))
            said.append(ask(corpus, Path(home)) if ask else None)
    return said


def in_words(corpus: Corpus, answer: tuple[Said, float | None] | None) -> str:
    """Return how an answer compares with the truth: exact, or what it says instead."""
    if answer is None:
        return "not run"
    said, cost = answer
    words = []
    if said != corpus.truth:
        true, told = (sum(map(sum, by_day.values())) for by_day in (corpus.truth, said))
        words.append(
            f"**{told:,}** tokens ({told / true - 1:+.1%})" if told != true else "**moved**"
        )
    if corpus.usd is not None and cost != corpus.usd:
        words.append(f"**{_dollars(cost)}**")
    if not corpus.priced and cost is not None:
        words.append(f"**{_dollars(cost)}**")
    return ", ".join(words) or "exact"


def true_words(corpus: Corpus) -> str:
    """Return the truth of a corpus: its tokens, and its cost where that is the point."""
    words = [f"{sum(map(sum, corpus.truth.values())):,} tokens"]
    if corpus.usd is not None:
        words.append(_dollars(corpus.usd))
    if not corpus.priced:
        words.append("cost unknown")
    return ", ".join(words)


def demo_fleet(program: str | None) -> Iterator[tuple[Corpus, list[str]]]:
    """Yield for each client of the demo fleet its true sum, and what is said of it, in words."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        demo = ["demo", "--out", str(home), "--requests", "3000", "--as-of", "2026-06-17"]
        _fleet(demo)
        truth = json.loads((home / "truth.json").read_text(encoding="utf-8"))["usage"]
        for client, usage in truth.items():
            tokens = (
                usage["input_tokens"],
                usage["output_tokens"],
                usage["cache_write_5m_tokens"] + usage["cache_write_1h_tokens"],
                usage["cache_read_tokens"],
            )
            named = f"`fleet demo --requests 3000`, {client}"
            corpus = Corpus(named, {}, {"all": tokens}, client=client)
            asked = [
                ask_fleet(corpus, home),
                ask_ccusage(program, corpus, home) if program else None,
            ]
            yield corpus, [in_words(corpus, _in_one_sum(answer)) for answer in asked]


def _in_one_sum(answer: tuple[Said, float | None] | None) -> tuple[Said, float | None] | None:
    if answer is None:
        return None
    every: Tokens = (0, 0, 0, 0)
    for tokens in answer[0].values():
        every = _plus(every, tokens)
    return {"all": every}, answer[1]


def _dollars(cost: float | None) -> str:
    return "null" if cost is None else f"${cost:,.4f}"


def print_tables() -> None:
    """Print the tables as Markdown."""
    program = ccusage()
    version = _run([program, "--version"], {}).split()[-1] if program else "(not found)"
    tables = {
        "without traps": ((corpus, _told(corpus, program)) for corpus in without_traps()),
        "what misleads": ((corpus, _told(corpus, program)) for corpus in with_traps()),
        "all at once": demo_fleet(program),
    }
    for title, rows in tables.items():
        print(f"| {title} | true | `fleet usage` | ccusage {version} |\n|---|---|---|---|")
        for corpus, told in rows:
            print(f"| {corpus.name} | {true_words(corpus)} | {' | '.join(told)} |")
        print()


def _told(corpus: Corpus, program: str | None) -> list[str]:
    return [in_words(corpus, answer) for answer in answers(corpus, program)]


if __name__ == "__main__":
    print_tables()
