"""Measures the reliability plan and writes what was seen to docs/reliability.md.

    python tests/faults/reliability.py [--full] [--quick]

Runs the proofs of every row, slow ones included, and the soak; --full runs that at its full size
(107,338 requests a month) and R13 for all its rounds; --quick leaves slow proofs out, and says so.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REPORT = ROOT / "docs" / "reliability.md"
sys.path.insert(0, str(ROOT))

from tests.faults.rows import ROWS, Row  # noqa: E402 - found once the checkout is on the path


def proven(row: Row, quick: bool, full: bool) -> Counter[str]:
    """Run the proofs of one row; return how many cases passed, failed and were skipped."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cases.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"--junitxml={report}",
            *(["-m", "not slow"] if quick else []), *row.proofs,
        ]  # fmt: skip
        surroundings = os.environ | ({"FLEET_FAULTS_FULL": "1"} if full else {})
        subprocess.run(command, cwd=ROOT, env=surroundings, stdout=subprocess.DEVNULL)
        seen = Counter(passed=0, failed=0, skipped=0)
        seconds = 0.0
        for case in ElementTree.parse(report).iter("testcase"):
            kinds = {child.tag for child in case}
            bad = kinds & {"failure", "error"}
            seen["failed" if bad else "skipped" if "skipped" in kinds else "passed"] += 1
            seconds += float(case.get("time", 0))
        seen["seconds"] = round(seconds)
        return seen


def soaked(full: bool) -> dict[str, object]:
    """Run the soak in a process of its own; return what it saw."""
    size = [] if full else ["--requests-a-month", "1083"]
    command = [sys.executable, str(HERE / "soak.py"), *size]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def main() -> None:
    """Measure, write, and fail if anything did."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    measured = {}
    for row in ROWS:
        if row.number != "R21":
            measured[row.number] = proven(row, asked.quick, asked.full)
            print(row.number, row.fault, dict(measured[row.number]), flush=True)
    seen = soaked(asked.full)
    print(json.dumps(seen), flush=True)
    exact = seen["true"] == seen["counted"]
    measured["R21"] = Counter(
        passed=int(exact), failed=int(not exact), skipped=0, seconds=seen["seconds"]
    )
    survived = [number for number, cases in measured.items() if is_survived(cases)]
    REPORT.write_text(report(measured, seen, survived, asked.quick))
    print(f"{len(survived)} of {len(ROWS)} faults survived: {REPORT.relative_to(ROOT)}")
    sys.exit(int(len(survived) < len(ROWS)))


def is_survived(cases: Counter[str]) -> bool:
    """Say whether something was tried and nothing failed."""
    return cases["passed"] > 0 and cases["failed"] == 0


def failures(measured: dict[str, Counter[str]], *numbers: str) -> int:
    """Return how many cases of those rows failed."""
    return sum(measured[number]["failed"] for number in numbers)


def report(
    measured: dict[str, Counter[str]], seen: dict[str, object], survived: list[str], quick: bool
) -> str:
    """Return the page, every figure of which was counted just now."""
    untried = ", ".join(number for number, n in measured.items() if not n["passed"] + n["failed"])
    faults = ", ".join(f"{name} {n}" for name, n in seen["faults"].items())
    lines = [
        "# Reliability",
        "",
        "Written by `make reliability`; the rows are those of `tests/faults/rows.py`.",
        "",
        f"Faults survived: **{len(survived)} of {len(ROWS)}**."
        f" Soak: lost {seen['lost']}, doubled {seen['doubled']} of {seen['requests']:,} requests."
        f" Torn: {failures(measured, 'R11', 'R12', 'R15')} failed cases of killed and failing"
        f" writes and publications. Leaked: {failures(measured, 'Leaks')} failed cases of planted"
        " text.",
        *(
            ["", f"**Slow proofs were left out of this run.** Not tried: {untried}."]
            if quick
            else []
        ),
        "",
        "| row | fault | passes when | cases passed | failed | skipped | seconds |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for row in ROWS:
        cases = measured[row.number]
        lines.append(
            f"| {row.number} | {row.fault} | {row.bar} | {cases['passed']} | {cases['failed']} |"
            f" {cases['skipped']} | {cases['seconds']} |"
        )
    weaker = [f"* {row.number}: {row.short}." for row in ROWS if row.short]
    lines += [
        "",
        "## Where a proof is weaker than its row",
        "",
        *weaker,
        "* Power loss was not simulated: processes are killed, not machines.",
        "",
        "## The soak",
        "",
        f"{seen['weeks']} weeks, {seen['requests']:,} requests, in {seen['seconds']:,} seconds."
        f" {seen['struck']} faults took hold: {faults}."
        f" Weeks in which a total fell: {seen['weeks_in_which_a_total_fell']}."
        f" Evidence and ledger take {seen['bytes_per_request']} bytes for each request.",
        "",
        "| total | oracle | ledger |",
        "|---|--:|--:|",
        *(f"| {name} | {seen['true'][name]:,} | {n:,} |" for name, n in seen["counted"].items()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
