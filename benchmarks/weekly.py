"""What a weekly run takes on a home that is up to date, and how much of it is Great Expectations.

    python benchmarks/weekly.py [--runs N] [--requests N]

Of a demo fleet in a folder of its own. CPU is user and system time of `fleet refresh` and its
children, the median of the runs after a first one: with every table judged again, as when a week
is new, and with nothing new, where verdicts stand. Checks are measured in a process of their own.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import CHECKOUT, FLEET, Cost, give_up, run

AS_OF, MONTH = "2026-06-17", 107_338

CHECKS = """
import sys, time
from pathlib import Path
import polars as pl
from fleet_pipeline.publishing.week import TABLES
from fleet_pipeline.quality import expectations, judge
lake = Path(sys.argv[1])
names = [name for name in TABLES if name != "quality"]
week = {name: pl.read_parquet(next((lake / "weekly" / name).glob("*.parquet"))) for name in names}
began = time.process_time()
expectations._Validator()
loaded = time.process_time()
outcomes = judge(week)
print(loaded - began, time.process_time() - loaded, len(outcomes))
"""
DEFINITIONS = """
import time
import assets.definitions
print(time.process_time())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=MONTH)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        variables = {"HOME": folder, "FLEET_HOME": str(root / "home"), "FLEET_OFFLINE": "1"}
        demo = ["demo", "--out", root / "demo", "--requests", asked.requests, "--as-of", AS_OF]
        run([FLEET, *demo], variables)
        week = [
            FLEET, "refresh", "--as-of", AS_OF,
            "--claude", root / "demo" / ".claude", "--codex", root / "demo" / ".codex",
            "--org", organisation(root),
        ]  # fmt: skip
        cold = run(week, variables)
        warm = [run(week, variables) for _ in range(asked.runs)]
        anew = [run_anew(week, variables, root / "home" / "lake") for _ in range(asked.runs)]
        loading, judging, checks = map(float, ask(CHECKS, root / "home" / "lake"))
    [importing] = map(float, ask(DEFINITIONS))
    cpu = statistics.median(each.cpu for each in anew)
    print(
        f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )
    print(f"importing the code location: {importing:.1f} s CPU")
    print(f"first run: {told(cold)}")
    print(f"nothing new, {asked.runs} runs: " + "; ".join(told(each) for each in warm))
    print(f"every table judged again, {asked.runs} runs: " + "; ".join(told(each) for each in anew))
    print(
        f"Great Expectations: {loading:.1f} s to load, {judging:.1f} s for {checks:.0f} checks,"
        f" {(loading + judging) / cpu:.0%} of the {cpu:.1f} s CPU of such a run"
    )


def run_anew(week: list[object], variables: dict[str, str], lake: Path) -> Cost:
    """Run the week without the verdicts of the run before."""
    for verdicts in (lake / "weekly" / "quality").glob("*.parquet"):
        verdicts.unlink()
    return run(week, variables)


def organisation(root: Path) -> Path:
    """Return a copy of the example fleet, so that its ranking is not written over."""
    copied = root / "org"
    copied.mkdir()
    for file in (CHECKOUT / "orgs" / "riles-fleet").glob("*.yaml"):
        (copied / file.name).write_bytes(file.read_bytes())
    return copied


def ask(script: str, *arguments: object) -> list[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        give_up(done.stderr.strip().splitlines()[-1])
    return done.stdout.split()


def told(cost: Cost) -> str:
    return f"{cost.wall:.1f} s ({cost.cpu:.1f} s CPU, {cost.peak:.0f} MiB)"


if __name__ == "__main__":
    main()
