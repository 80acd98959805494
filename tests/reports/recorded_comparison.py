"""What recorded clients were billed, and what the ledger and ccusage make of their transcripts.

    python tests/reports/recorded_comparison.py

prints the table of docs/comparison.md. The recordings lie beside the checkout of those who have
them: real clients, whose usage a server dictated and wrote down. ccusage is found as in
``ccusage_comparison``; without it its column says so. Nothing is asked of the network.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[2]
CORPORA = CHECKOUT.parent / "shared" / "corpora" / "recorded-clients"
FLEET = Path(sys.executable).with_name("fleet")

CLASSES = ("fresh input", "output", "cache write", "cache read")


class Used(NamedTuple):
    """Tokens of a whole corpus by class, and how many requests they are of, where that is known."""

    tokens: tuple[int, ...]
    requests: int | None = None
    placeholders: int = 0


class Corpus(NamedTuple):
    client: str
    version: tuple[int, ...]
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.client} {'.'.join(map(str, self.version))}"

    @property
    def home(self) -> Path:
        return self.folder / "home"


def corpora() -> Iterator[Corpus]:
    """Yield every recording, by client and version."""
    named = (path.name.partition("-") for path in CORPORA.iterdir())
    for client, _, version in sorted(named, key=lambda name: (name[0], _numbers(name[2]))):
        yield Corpus(client, _numbers(version), CORPORA / f"{client}-{version}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def truth(corpus: Corpus) -> tuple[Used, Used]:
    """Return what was billed in all, and of that what the transcripts speak of."""
    every = json.loads((corpus.folder / "truth.json").read_bytes())["requests"]
    billed = [request for request in every if request["billed"] and request.get("usage")]
    if corpus.client == "codex":
        told = _counts(corpus.home)
        logged = [r for r in billed if r["expected"] != "no" and _of_codex(r["usage"]) in told]
        return tuple(_sum(_of_codex(r["usage"]) for r in part) for part in (billed, logged))
    lines = _replies(corpus.home)
    known = [request for request in billed if request["message_id"] in lines]
    whole = _sum(_of_claude(r["usage"], with_iterations=True) for r in billed)
    return whole, _sum(
        _of_claude(r["usage"], with_iterations=lines[r["message_id"]]) for r in known
    )


def _sum(requests: Iterator[tuple[int, ...]]) -> Used:
    each = list(requests)
    return Used(tuple(map(sum, zip(*each, strict=True))) if each else (0, 0, 0, 0), len(each))


def _of_codex(used: dict) -> tuple[int, ...]:
    """Return the classes; a cache write is a part of the input, which few versions log apart."""
    details = used.get("input_tokens_details") or {}
    read = details.get("cached_tokens") or used.get("cached_input_tokens") or 0
    return used["input_tokens"] - read, used["output_tokens"], 0, read


def _of_claude(used: dict, with_iterations: bool) -> tuple[int, ...]:
    """Return the classes; what a compaction took stands in its iterations alone."""
    parts = [used]
    if with_iterations:
        parts += [part for part in used.get("iterations") or () if part["type"] != "message"]
    names = (
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    )
    return tuple(sum(part.get(name) or 0 for part in parts) for name in names)


def _records(home: Path) -> Iterator[dict]:
    for path in home.rglob("*.jsonl"):
        yield from map(json.loads, path.read_bytes().splitlines())


def _replies(home: Path) -> dict[str, bool]:
    """Return the message ids of all replies, and whether any line of each logs iterations."""
    replies: dict[str, bool] = {}
    for record in _records(home):
        message = record.get("message")
        if record.get("type") == "assistant" and message.get("usage"):
            logs = bool(message["usage"].get("iterations"))
            replies[message["id"]] = replies.get(message["id"], False) or logs
    return replies


def _counts(home: Path) -> set[tuple[int, ...]]:
    """Return the classes of each request that any line of any rollout speaks of."""
    counts = set()
    for record in _records(home):
        payload = record.get("payload") or {}
        if record.get("type") == "token_usage_record":
            counts.add(_of_codex(payload["usage"]))
        elif payload.get("type") == "token_count" and payload.get("info"):
            counts.add(_of_codex(payload["info"]["last_token_usage"]))
    return counts


def ask_fleet(corpus: Corpus) -> Used:
    """Return what `fleet usage daily --json` says after `fleet ingest`."""
    with tempfile.TemporaryDirectory() as home:
        kept = ["--home", home]
        source = [f"--{corpus.client}", str(corpus.home / f".{corpus.client}")]
        subprocess.run([FLEET, "ingest", *kept, *source], check=True, capture_output=True)
        totals = _totals([str(FLEET), "usage", "daily", "--json", *kept], {})
    return _used(corpus, totals)


def ask_ccusage(program: str, corpus: Corpus) -> Used:
    """Return what `ccusage <client> daily --json` says."""
    with tempfile.TemporaryDirectory() as nobody:
        variables = {
            "HOME": nobody,
            "CLAUDE_CONFIG_DIR": str(corpus.home / ".claude"),
            "CODEX_HOME": str(corpus.home / ".codex"),
        }
        command = [program, corpus.client, "daily", "--json", "--offline", "--timezone", "UTC"]
        return _used(corpus, _totals(command, variables))


def ccusage() -> str | None:
    """Return the program, None where there is none."""
    return os.environ.get("CCUSAGE") or shutil.which("ccusage")


def _totals(command: list[str], variables: dict[str, str]) -> dict:
    done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, **variables})
    document = json.loads(done.stdout)
    return document["totals"] if isinstance(document, dict) else {}


def _used(corpus: Corpus, totals: dict) -> Used:
    names = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
    fresh, output, write, read = (totals.get(name, 0) for name in names)
    if corpus.client == "codex":
        fresh, write = fresh + write, 0
    tokens = (fresh, output, write, read)
    return Used(tokens, totals.get("requests"), totals.get("placeholderOutputs", 0))


def off(said: Used, true: Used) -> str:
    """Return what is off, by class and in percent of the truth: `exact` if nothing is."""
    words = [
        f"{name} {_percent(tokens, truly)}"
        for name, tokens, truly in zip(CLASSES, said.tokens, true.tokens, strict=True)
        if tokens != truly
    ]
    if said.requests not in (None, true.requests):
        words.append(f"{said.requests} requests")
    text = f"**{', '.join(words)}**" if words else "exact"
    if said.placeholders:
        text += f"; says that {said.placeholders} outputs are not final"
    return text


def _percent(tokens: int, truly: int) -> str:
    return f"{tokens / truly - 1:+.2%}" if truly else f"+{tokens:,}"


def row(corpus: Corpus) -> str:
    """Return the cells that need no ccusage: the recording, its truth, and what the ledger says."""
    billed, logged = truth(corpus)
    unknown = 1 - sum(logged.tokens) / sum(billed.tokens)
    cells = (
        corpus.name,
        f"{billed.requests:,}",
        f"{logged.requests:,}",
        f"{unknown:.1%}",
        f"{sum(logged.tokens):,}",
        off(ask_fleet(corpus), logged),
    )
    return f"| {' | '.join(cells)} |"


def print_table() -> None:
    """Print the table as Markdown."""
    program = ccusage()
    version = "(not found)"
    if program:
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        version = asked.stdout.split()[-1]
    print(
        "| client | requests billed | of these logged | tokens never logged | tokens logged"
        f" | `fleet usage` | ccusage {version} |\n|---|---|---|---|---|---|---|"
    )
    for corpus in corpora():
        theirs = off(ask_ccusage(program, corpus), truth(corpus)[1]) if program else "not run"
        print(f"{row(corpus)} {theirs} |", flush=True)


if __name__ == "__main__":
    if not CORPORA.is_dir():
        sys.exit(f"{CORPORA} is missing: the recordings that this table is made of")
    print_table()
