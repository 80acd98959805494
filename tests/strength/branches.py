"""How much of counting, cost, prices and ranking their own quick tests run, branch by branch.

    python tests/strength/branches.py       writes it to docs/reliability.md

What other rooms' tests run of them is not counted.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.strength import page
from tests.strength.subjects import ROOT, SUBJECTS

LEAST_SHARE = 0.95


def covered(part: str) -> dict[str, dict[str, int]]:
    """Return the counts of each module of a part."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "observed.json"
        command = [sys.executable, "tests/strength/observed.py", part, str(file)]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        return json.loads(file.read_text())["covered"]


def share(counts: Mapping[str, int]) -> float:
    """Return the share of branches that were run."""
    return counts["covered_branches"] / max(1, counts["num_branches"])


def row(name: str, counts: Mapping[str, int]) -> str:
    """Return one line of the table."""
    told = f"{share(counts):.1%}" if counts["num_branches"] else "has none"
    return (
        f"| {name} | {counts['covered_lines']:,} of {counts['num_statements']:,} |"
        f" {counts['covered_branches']:,} of {counts['num_branches']:,} | {told} |"
    )


def main() -> None:
    """Measure, print, write; fail where too little is run."""
    lines = [
        "Written by `make coverage`: what a part's own quick tests run of its modules, in their own"
        " process.",
        "",
        "| modules | statements run | branches run | branch coverage |",
        "|---|--:|--:|--:|",
    ]
    weak = []
    for part in SUBJECTS:
        modules = covered(part)
        whole: Counter[str] = Counter()
        for counts in modules.values():
            whole.update(counts)
        lines += [row(f"**{part}**", whole), *(row(f"`{name}`", n) for name, n in modules.items())]
        weak += [part] if share(whole) < LEAST_SHARE else []
    print("\n".join(lines))
    page.write_section("Branch coverage", lines)
    sys.exit(f"less than {LEAST_SHARE:.0%} is run: {', '.join(weak)}" if weak else None)


if __name__ == "__main__":
    main()
