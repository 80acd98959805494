"""R21: a year of a fleet's work under random faults, held against the slow counters.

    python tests/faults/soak.py [--weeks 52] [--requests-a-month 107338] [--seed 2026]

Each week agents write, some files are copied, forked, cut off or spoilt by a bad line; the home
takes them in twice, in the middle of writing and after; something breaks on the way; and Claude
Code deletes what is older than four weeks. Prints one JSON object with what was seen.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.ledger import reference_codex, reference_counter
from tests.ledger.machine import CLASSES, ONE_RUN, Machine, fail_at
from tests.ledger.one_run import KINDS
from tests.transcripts.claude_fixtures.lines import after, encoded, in_old_order, reply, usage
from tests.transcripts.codex_fixtures.rollouts import Rollout
from tests.transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from tests.transcripts.codex_fixtures.rollouts import usage as codex_usage

FAULTS = (
    "none", "failed write", "killed", "killed at a write", "register lost", "ledger day lost",
    "note damaged", "two at once",
)  # fmt: skip
CODEX_SHARE = 45
"""One request in so many is Codex's, as in the demo fleet."""


class Year:
    """A machine, what was done to it, and what the oracle makes of all that was written."""

    def __init__(self, root: Path, requests_a_week: int, seed: int) -> None:
        self.machine = Machine(root)
        self.requests = requests_a_week
        self.chance = random.Random(seed)
        self.true: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.struck = 0
        self.before: set = set()
        self.fork: list[bytes] = []
        self.fell = 0
        self.seen = 0

    def week(self, number: int) -> None:
        """Let agents write for a week, break something, take it all in."""
        files = self.written(number)
        end = after(days=7 * number + 7)
        for path, data in files.items():
            self.machine.write(path, data[: len(data) * 3 // 5], at=end - timedelta(days=2))
        self.broken_run()
        for path, data in files.items():
            self.machine.write(path, data, at=end)
        self.broken_run()
        self.machine.ingest_if_anything_is_new()
        requests = self.machine.rows().height
        self.fell += requests < self.seen
        self.seen = requests
        self.count(number, files, end)
        for path in self.machine.root.glob("laptop/.c*/**/*.jsonl"):
            if path.stat().st_mtime < (end - timedelta(days=28)).timestamp():
                path.unlink()

    def written(self, week: int) -> dict[Path, bytes]:
        """Return the transcripts of a week, and some lines of the week before copied into it."""
        files: dict[Path, bytes] = {}
        of_codex = max(1, self.requests // CODEX_SHARE)
        lines: list[bytes] = list(self.fork)
        self.fork = []
        for n in range(self.requests - of_codex):
            at = after(days=7 * week, seconds=n * 7 * 86_000 // self.requests)
            name, ids = f"w{week}-{n}", {"request_id": f"req_w{week}_{n}"}
            counters = {"read": 1000 * (n % 300), "write_5m": n % 900, "write_1h": n % 7}
            said = [reply(name, usage(n % 50, 1, **counters), at=at, stop=None, **ids)]
            if n % 10:
                said.append(reply(name, usage(n % 50, 20 + n % 400, **counters), at=at, **ids))
            if n % 97 == 0:
                said = [in_old_order(one) for one in said]
            own = list(map(encoded, said))
            lines += own
            if n % 8 == 0:
                lines.append(own[-1])
                self.fork += [own[-1]] if n % 16 == 0 else []
            if n % 500 == 3:
                lines.append(self.chance.choice([b"{", b"\x00\x00", b"\xff\xfe{}", b"[[[["]))
            if len(lines) > 120:
                files[self.place(week, len(files))] = b"\n".join(lines) + b"\n"
                lines = []
        tail = encoded(reply(f"w{week}-tail", at=after(days=7 * week + 6)))[:-20]
        files[self.place(week, len(files))] = b"\n".join([*lines, tail])
        rollout = Rollout(week + 1, after(days=7 * week)).own_turn(1000 + week)
        for n in range(of_codex):
            rollout.request(codex_usage(n + 1, read=n * 10, output=5 + n)).wait(minutes=1)
        name = f"2026/06/01/rollout-{week}.jsonl"
        files[self.machine.codex(name)] = b"\n".join(rollout_lines(rollout)) + b"\n"
        return files

    def place(self, week: int, number: int) -> Path:
        return self.machine.claude(f"p{number % 40}/w{week}-{number}.jsonl")

    def broken_run(self) -> None:
        """Take in what there is while one thing goes wrong, and put nothing right."""
        fault = self.chance.choice(FAULTS)
        self.faults[fault] += 1
        lake = self.machine.home.lake
        root = str(self.machine.root)
        match fault:
            case "failed write":
                with pytest.MonkeyPatch.context() as patch:
                    struck = fail_at(patch, self.chance.choice(KINDS), self.chance.randrange(1, 40))
                    try:
                        self.machine.ingest_if_anything_is_new()
                    except OSError:
                        assert struck, "a write failed that was not meant to"
                    self.struck += bool(struck)
                return
            case "killed":
                with subprocess.Popen([*ONE_RUN, root], stdout=subprocess.PIPE) as process:
                    process.stdout.readline()
                    time.sleep(self.chance.uniform(0, 0.3))
                    process.send_signal(signal.SIGKILL)
                    self.struck += process.wait() == -signal.SIGKILL
                return
            case "killed at a write":
                at = [self.chance.choice(KINDS), str(self.chance.randrange(1, 40))]
                done = subprocess.run([*ONE_RUN, root, *at], stdout=subprocess.DEVNULL)
                self.struck += done.returncode == -signal.SIGKILL
                return
            case "two at once":
                both = [
                    subprocess.Popen([*ONE_RUN, root], stdout=subprocess.DEVNULL) for _ in range(2)
                ]
                assert [process.wait() for process in both] == [0, 0]
                self.struck += 1
                return
            case "register lost":
                (lake / "register.parquet").unlink(missing_ok=True)
                self.struck += 1
            case "note damaged":
                (lake / "uncounted.json").write_bytes(b"{")
                self.struck += lake.exists()
            case "ledger day lost":
                days = sorted((lake / "usage").rglob("*.parquet"))
                if days:
                    self.chance.choice(days).unlink()
                    self.struck += 1
        self.machine.ingest_if_anything_is_new()

    def count(self, week: int, files: dict[Path, bytes], written) -> None:
        """Let the oracle count the week before: copies of its requests are all there by now."""
        now, codex = set(), set()
        for path, data in files.items():
            reference, into = (
                (reference_codex, codex) if ".codex" in path.parts else (reference_counter, now)
            )
            into.update(one for one in reference.said(data, written) if one.kind != "rejected")
        self.add(reference_codex.count(codex).values())
        self.add_week(week - 1, self.before | now)
        self.before = now

    def add_week(self, week: int, said: set) -> None:
        billed = reference_counter.count(said)
        self.add(one for key, one in billed.items() if key.startswith(f"w{week}-"))

    def add(self, billed) -> None:
        for one in billed:
            self.true["requests"] += 1
            self.true.update(dict(zip(CLASSES, one.tokens, strict=True)))

    def counted(self) -> dict[str, int]:
        """Return the totals of the ledger."""
        rows = self.machine.rows()
        assert not rows.select("client", "message_id").is_duplicated().any()
        return {"requests": rows.height} | {name: int(rows[name].sum()) for name in CLASSES}


def run(root: Path, weeks: int, requests_a_week: int, seed: int) -> dict[str, object]:
    """Return what became of a year: the oracle's totals, the ledger's, and what broke."""
    os.umask(0o077)
    began = time.monotonic()
    year = Year(root, requests_a_week, seed)
    for number in range(weeks):
        year.week(number)
        if sys.stderr.isatty() or os.environ.get("FLEET_SOAK_TOLD"):
            print(f"week {number}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    year.add_week(weeks - 1, year.before)
    counted = year.counted()
    tables = ("events", "quota", "totals", "transcripts", "unfamiliar", "usage")
    size = sum(
        path.stat().st_size
        for table in tables
        for path in (year.machine.home.lake / table).rglob("*.parquet")
    )
    true = dict(year.true)
    return {
        "weeks": weeks,
        "requests": true["requests"],
        "faults": dict(sorted(year.faults.items())),
        "struck": year.struck,
        "true": true,
        "counted": counted,
        "lost": max(0, true["requests"] - counted["requests"]),
        "doubled": max(0, counted["requests"] - true["requests"]),
        "weeks_in_which_a_total_fell": year.fell,
        "bytes_per_request": round(size / true["requests"], 1),
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    """Run the year that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--requests-a-month", type=int, default=107_338)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--folder", type=Path, help="Where, instead of in a temporary folder.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        a_week = asked.requests_a_month * 12 // 52
        seen = run(Path(folder), asked.weeks, a_week, asked.seed)
    print(json.dumps(seen, indent=1))
    sys.exit(int(seen["true"] != seen["counted"]))


if __name__ == "__main__":
    main()
