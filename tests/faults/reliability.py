"""Measures the reliability plan and writes what was seen to docs/reliability.md.

    python tests/faults/reliability.py [--full] [--quick] [ROW ...]

Runs the proofs of every row, slow ones included, and the soak; --full runs that at its full size
(107,338 requests a month) and R13 for all its rounds. Where rows are named, the others stay in the
page as they were last measured. --quick leaves slow proofs out, and therefore writes nothing.
"""

import argparse
import json
import os
import re
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
    parser.add_argument("rows", nargs="*", metavar="ROW", help="R1, R2, ...")
    asked = parser.parse_args()
    chosen = [row for row in ROWS if not asked.rows or row.number in asked.rows]
    cases = tried([row for row in chosen if row.number != SOAK], asked.quick, asked.full)
    measured = before() | {row.number: proven(row, cases) for row in chosen}
    sections = {}
    if any(row.number == SOAK for row in chosen):
        seen = soaked(asked.full)
        exact = seen["true"] == seen["counted"]
        measured[SOAK] = Counter(
            passed=int(exact), failed=int(not exact), skipped=0, seconds=seen["seconds"]
        )
        sections["The soak"] = soak_lines(seen)
    print("\n".join(table(measured)))
    survived = [number for number, cases in measured.items() if is_survived(cases)]
    print(f"{len(survived)} of {len(ROWS)} faults survived")
    if not asked.quick:
        sections["Reliability"] = summary(measured, len(survived))
        sections["Where a proof is weaker than its row"] = weaker()
        for heading, lines in sections.items():
            page.write_section(heading, lines)
    sys.exit(int(len(survived) < len(ROWS)))


def before() -> dict[str, Counter[str]]:
    """Return what the page says of each row."""
    names = ("passed", "failed", "skipped", "seconds")
    found = (
        re.match(r"\| (\w+) \|.*\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", line)
        for line in page.section("Reliability")
    )
    return {
        row[1]: Counter(dict(zip(names, map(int, row.groups()[1:]), strict=True)))
        for row in found
        if row
    }


def is_survived(cases: Counter[str]) -> bool:
    """Say whether something was tried and nothing failed."""
    return cases["passed"] > 0 and cases["failed"] == 0


def failures(measured: dict[str, Counter[str]], *numbers: str) -> str:
    """Say how many cases of those rows failed, or which of them were not measured."""
    untried = [number for number in numbers if number not in measured]
    if untried:
        return f"not measured ({', '.join(untried)})"
    return f"{sum(measured[number]['failed'] for number in numbers)} failed cases"


def table(measured: dict[str, Counter[str]]) -> list[str]:
    """Return a line for each row of the plan that was tried."""
    return [
        f"| {row.number} | {row.fault} | {row.bar} | {cases['passed']} | {cases['failed']} |"
        f" {cases['skipped']} | {cases['seconds']} |"
        for row in ROWS
        if (cases := measured.get(row.number))
    ]


def summary(measured: dict[str, Counter[str]], survived: int) -> list[str]:
    """Return the lines that the page begins with."""
    untried = ", ".join(row.number for row in ROWS if row.number not in measured)
    return [
        "Written by `make reliability`; the rows are those of `tests/faults/rows.py`.",
        "",
        f"Faults survived: **{survived} of {len(ROWS)}**. Torn by killed and failing writes and"
        f" publications: {failures(measured, 'R11', 'R12', 'R15')}. Leaked, of planted text:"
        f" {failures(measured, 'Leaks')}. Lost and doubled: [the soak](#the-soak).",
        *(["", f"**Not measured yet:** {untried}."] if untried else []),
        "",
        "| row | fault | passes when | cases passed | failed | skipped | seconds |",
        "|---|---|---|--:|--:|--:|--:|",
        *table(measured),
    ]


def weaker() -> list[str]:
    """Return where the proofs fall short of the plan."""
    return [
        *(f"* {row.number}: {row.short}." for row in ROWS if row.short),
        "* Power loss was not simulated: processes are killed, not machines.",
    ]


def soak_lines(seen: dict[str, object]) -> list[str]:
    """Return what the soak saw."""
    faults = ", ".join(f"{name} {n}" for name, n in seen["faults"].items())
    return [
        f"Lost **{seen['lost']}**, doubled **{seen['doubled']}** of {seen['requests']:,} requests"
        f" in {seen['weeks']} weeks, {seen['struck']} faults that took hold ({faults}), and"
        f" {seen['seconds']:,} seconds. Weeks in which a total fell:"
        f" {seen['weeks_in_which_a_total_fell']}. Evidence and ledger take"
        f" {seen['bytes_per_request']} bytes for each request.",
        "",
        "| total | oracle | ledger |",
        "|---|--:|--:|",
        *(f"| {key} | {seen['true'][key]:,} | {n:,} |" for key, n in seen["counted"].items()),
    ]


if __name__ == "__main__":
    main()
