"""Whether tests notice what they should: change one thing in a module, and see if a test fails.

    python tests/strength/mutation.py [--only PART] [--in PATH] [--sample N] [--minutes M]

Changes are made one at a time in a copy of the checkout. Each is held against the tests that run
the changed statement, the quickest first, until one fails. Says which changes nobody noticed; those
that nobody could are in ``equivalent.py``, each with its reason. Without --only, --in and --sample
it tries them all. Shares of whole parts go to docs/reliability.md.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.strength import page
from tests.strength.equivalent import EQUIVALENT
from tests.strength.mutants import Mutant, mutants
from tests.strength.subjects import ROOT, SUBJECTS

NEEDED = ("fleet_pipeline", "assets", "sql", "orgs", "tests", "docs", "benchmarks", ".ci")
BESIDE = ("pyproject.toml", "README.md", "Makefile", "requirements.lock", "dagster.yaml")
PRELOADED = ("pytest", "hypothesis", "click", "pydantic", "msgspec", "yaml", "duckdb", "jinja2")
"""Imported once for all changes; nothing that starts threads."""

LONGEST_SECONDS = 10
"""Tests that took longer are left out: property tests, which would make a trial last for days."""

PATIENCE_SECONDS = 20
"""Processor seconds that a test of a changed module may take beyond five times the usual."""

LEAST_SHARE = 0.85

OURS = 100
"""Added to pytest's exit status, to tell it from that of a process that broke."""

FAILED = (
    OURS + pytest.ExitCode.TESTS_FAILED,
    OURS + pytest.ExitCode.INTERRUPTED,  # a module that cannot be imported
    OURS + pytest.ExitCode.INTERNAL_ERROR,
    -signal.SIGXCPU,  # a module that never ends
    -signal.SIGPROF,  # a test that never ends
    -signal.SIGKILL,
)
HEADING = "Mutation testing"


@dataclass(frozen=True)
class Tests:
    """The tests of a part, the processor seconds of each, and which of them run a line."""

    seconds: dict[str, float]
    ran: dict[str, dict[str, list[str]]]

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the changed statement, the quickest first."""
        ran = self.ran[mutant.path]
        names = {name for line in mutant.statement for name in ran.get(str(line), ())}
        return sorted(
            (
                test
                for test, took in self.seconds.items()
                if took <= LONGEST_SECONDS and any(test.startswith(name) for name in names)
            ),
            key=self.seconds.__getitem__,
        )


class Patience:
    """Ends the process once a test takes too many processor seconds for an unchanged module."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        usual = self.seconds[item.nodeid.partition("[")[0]]
        signal.setitimer(signal.ITIMER_PROF, PATIENCE_SECONDS + 5 * usual)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def fails(checkout: str, tests: dict[str, float]) -> None:
    """In a process of its own: end with what pytest says of the tests."""
    os.chdir(checkout)
    sys.path.insert(0, checkout)
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
    seconds = 3 * PATIENCE_SECONDS + round(5 * sum(tests.values()))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    options = ["-x", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--no-header", "--tb=no"]
    options += ["-m", "not slow", "--hypothesis-seed=0"]
    os._exit(OURS + pytest.main([*options, *tests], plugins=[Patience(tests)]))


def is_killed(checkout: Path, mutant: Mutant, tests: Tests) -> bool:
    """Say whether a test fails, or never ends, once the module is changed."""
    chosen = tests.of(mutant)
    target = checkout / mutant.path
    original = target.read_bytes()
    target.write_text(mutant.source)
    try:
        return bool(chosen) and not pass_in(checkout, chosen, tests)
    finally:
        target.write_bytes(original)


def pass_in(checkout: Path, chosen: list[str], tests: Tests) -> bool:
    """Say whether tests pass in a process of their own.

    Raises RuntimeError where that cannot be said: a trial that breaks must not look like a failure.
    """
    usual = {test: tests.seconds[test] for test in chosen}
    process = CONTEXT.Process(target=fails, args=(str(checkout), usual))
    process.start()
    process.join()
    match process.exitcode:
        case code if code == OURS + pytest.ExitCode.OK:
            return True
        case code if code in FAILED:
            return False
        case code:
            raise RuntimeError(f"the trial broke, with exit status {code}")


def copied(to: Path) -> Path:
    """Return a copy of everything in the checkout that tests need."""
    for name in NEEDED:
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(ROOT / name, to / name)
    return to


def observed(part: str, checkout: Path) -> Tests:
    """Run the part's tests once, unchanged."""
    file = checkout / "observed.json"
    command = [sys.executable, "tests/strength/observed.py", part, str(file)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, check=True)
    seen = json.loads(file.read_text())
    return Tests(seen["seconds"], seen["ran"])


def judged(part: str, asked: argparse.Namespace, checkout: Path, deadline: float) -> Counter[str]:
    """Return what became of a part's changes; say which of them nobody noticed."""
    tests = observed(part, checkout)
    drawn = [
        mutant
        for path in SUBJECTS[part].paths(checkout)
        if asked.path in str(path)
        for mutant in mutants(path, checkout)
    ]
    quickest = sorted(tests.seconds, key=tests.seconds.__getitem__)[:10]
    if not pass_in(checkout, quickest, tests):
        raise RuntimeError("tests fail where nothing was changed")
    seen = Counter(possible=len(drawn), equivalent=0, tried=0, killed=0)
    random.Random(asked.seed).shuffle(drawn)
    for mutant in drawn[: asked.sample]:
        if time.monotonic() > deadline:
            break
        if mutant.key in EQUIVALENT:
            seen["equivalent"] += 1
            continue
        seen["tried"] += 1
        is_noticed = is_killed(checkout, mutant, tests)
        seen["killed"] += is_noticed
        if not is_noticed:
            print(f"survived: {mutant}", flush=True)
        if sys.stderr.isatty() or seen["tried"] % 25 == 0:
            print(f"{part}: {seen['killed']} of {seen['tried']}", file=sys.stderr, flush=True)
    return seen


def row(part: str, seen: Counter[str], seed: int) -> str:
    """Return the line of docs/reliability.md about a part."""
    return (
        f"| {part} | {seen['possible']:,} | {seen['equivalent']} | {seen['tried']:,}"
        f"{'' if seen['tried'] + seen['equivalent'] == seen['possible'] else f', seed {seed}'} |"
        f" {seen['killed']:,} | {seen['killed'] / max(1, seen['tried']):.1%} |"
    )


def write(rows: dict[str, str]) -> None:
    """Put the rows of parts into docs/reliability.md, beside those that it has of others."""
    for line in page.section(HEADING):
        part = line.strip("| ").partition(" ")[0]
        if part in SUBJECTS:
            rows.setdefault(part, line)
    lines = [
        "Written by `make mutation`: one thing is changed in a module, and a test should fail.",
        "Equivalent changes are those that no test could see; each is in",
        "`tests/strength/equivalent.py` with its reason.",
        "",
        "| modules | possible changes | equivalent | tried | noticed | share |",
        "|---|--:|--:|--:|--:|--:|",
        *(rows[part] for part in SUBJECTS if part in rows),
    ]
    page.write_section(HEADING, lines)


def main() -> None:
    """Try the changes, part by part; fail where too few are noticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=SUBJECTS)
    parser.add_argument("--in", dest="path", default="", help="Part of a module's path.")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--seed", type=int, default=2026)
    asked = parser.parse_args()
    deadline = time.monotonic() + asked.minutes * 60
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        checkout = copied(Path(folder) / "checkout")
        for part in [asked.only] if asked.only else SUBJECTS:
            measured[part] = judged(part, asked, checkout, deadline)
            print(f"{part}: {dict(measured[part])}", flush=True)
    if not asked.path:
        write({part: row(part, seen, asked.seed) for part, seen in measured.items()})
    weak = [p for p, n in measured.items() if n["killed"] < LEAST_SHARE * n["tried"]]
    sys.exit(f"too few changes are noticed: {', '.join(weak)}" if weak else None)


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(list(PRELOADED))

if __name__ == "__main__":
    main()
