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
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.rows import ROWS, Row
from tests.strength import page
from tests.strength.subjects import ROOT

SOAK = "R21"
"""Has a command of its own, which tells what it saw."""

Cases = Mapping[tuple[str, str], tuple[str, float]]
"""What became of each case, and its seconds, by module and by name with parameters."""


def tried(rows: list[Row], quick: bool, full: bool) -> Cases:
    """Run the proofs of the rows, each once; return what became of every case."""
    proofs = list(dict.fromkeys(proof for row in rows for proof in row.proofs))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cases.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "--numprocesses=2", "--dist=worksteal",
            f"--junitxml={report}", *(["-m", "not slow"] if quick else []), *proofs,
        ]  # fmt: skip
        surroundings = os.environ | ({"FLEET_FAULTS_FULL": "1"} if full else {})
        subprocess.run(command, cwd=ROOT, env=surroundings)
        return {
            (case.get("classname", ""), case.get("name", "")): (fate(case), float(case.get("time")))
            for case in ElementTree.parse(report).iter("testcase")
        }


def fate(case: ElementTree.Element) -> str:
    """Return what became of a case."""
    kinds = {child.tag for child in case}
    return "failed" if kinds & {"failure", "error"} else "skipped" if kinds else "passed"


def proven(row: Row, cases: Cases) -> Counter[str]:
    """Return how many cases of a row passed, failed and were skipped, and their seconds."""
    seen = Counter(passed=0, failed=0, skipped=0)
    seconds = 0.0
    for proof in row.proofs:
        path, _, name = proof.partition("::")
        module = path.removesuffix(".py").replace("/", ".")
        for (of, case), (became, took) in cases.items():
            if of == module and case.partition("[")[0] == name:
                seen[became] += 1
                seconds += took
    seen["seconds"] = round(seconds)
    return seen


def soaked(full: bool) -> dict[str, object]:
    """Run the soak in a process of its own; return what it saw."""
    size = [] if full else ["--requests-a-month", "1083"]
    command = [sys.executable, "tests/faults/soak.py", *size]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def main() -> None:
    """Measure, write, and fail if anything did."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    cases = tried([row for row in ROWS if row.number != SOAK], asked.quick, asked.full)
    measured = {row.number: proven(row, cases) for row in ROWS}
    seen = soaked(asked.full)
    exact = seen["true"] == seen["counted"]
    measured[SOAK] = Counter(
        passed=int(exact), failed=int(not exact), skipped=0, seconds=seen["seconds"]
    )
    survived = [number for number, cases in measured.items() if is_survived(cases)]
    for heading, lines in report(measured, seen, survived, asked.quick).items():
        page.write_section(heading, lines)
    print(f"{len(survived)} of {len(ROWS)} faults survived: {page.PAGE.relative_to(ROOT)}")
    sys.exit(int(len(survived) < len(ROWS)))


def is_survived(cases: Counter[str]) -> bool:
    """Say whether something was tried and nothing failed."""
    return cases["passed"] > 0 and cases["failed"] == 0


def failures(measured: dict[str, Counter[str]], *numbers: str) -> int:
    """Return how many cases of those rows failed."""
    return sum(measured[number]["failed"] for number in numbers)


def report(
    measured: dict[str, Counter[str]], seen: dict[str, object], survived: list[str], quick: bool
) -> dict[str, list[str]]:
    """Return the lines under each heading, every figure of which was counted just now."""
    untried = ", ".join(number for number, n in measured.items() if not n["passed"] + n["failed"])
    left_out = f"**Slow proofs were left out of this run.** Not tried: {untried}."
    faults = ", ".join(f"{name} {n}" for name, n in seen["faults"].items())
    rows = [
        f"| {row.number} | {row.fault} | {row.bar} | {cases['passed']} | {cases['failed']} |"
        f" {cases['skipped']} | {cases['seconds']} |"
        for row in ROWS
        for cases in [measured[row.number]]
    ]
    return {
        "Reliability": [
            "Written by `make reliability`; the rows are those of `tests/faults/rows.py`.",
            "",
            f"Faults survived: **{len(survived)} of {len(ROWS)}**."
            f" Soak: lost {seen['lost']}, doubled {seen['doubled']} of {seen['requests']:,}"
            f" requests. Torn: {failures(measured, 'R11', 'R12', 'R15')} failed cases of killed and"
            " failing writes and publications."
            f" Leaked: {failures(measured, 'Leaks')} failed cases of planted text.",
            *(["", left_out] if quick else []),
            "",
            "| row | fault | passes when | cases passed | failed | skipped | seconds |",
            "|---|---|---|--:|--:|--:|--:|",
            *rows,
        ],
        "Where a proof is weaker than its row": [
            *(f"* {row.number}: {row.short}." for row in ROWS if row.short),
            "* Power loss was not simulated: processes are killed, not machines.",
        ],
        "The soak": [
            f"{seen['weeks']} weeks, {seen['requests']:,} requests, in {seen['seconds']:,} seconds."
            f" {seen['struck']} faults took hold: {faults}."
            f" Weeks in which a total fell: {seen['weeks_in_which_a_total_fell']}."
            f" Evidence and ledger take {seen['bytes_per_request']} bytes for each request.",
            "",
            "| total | oracle | ledger |",
            "|---|--:|--:|",
            *(f"| {key} | {seen['true'][key]:,} | {n:,} |" for key, n in seen["counted"].items()),
        ],
    }


if __name__ == "__main__":
    main()
