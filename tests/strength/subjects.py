"""The modules that decide what is counted, what it costs and who ranks first, and their tests."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Subject:
    """Some modules, and the quick tests that answer for them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def paths(self, root: Path = ROOT) -> list[Path]:
        """Return the modules of a checkout."""
        return sorted(path for pattern in self.modules for path in root.glob(pattern))


SUBJECTS = {
    "counting": Subject(
        modules=(
            "fleet_pipeline/ledger/claude_rules.py",
            "fleet_pipeline/ledger/codex_rules.py",
            "fleet_pipeline/ledger/connected.py",
            "fleet_pipeline/ledger/counting.py",
            "fleet_pipeline/ledger/ids.py",
            "fleet_pipeline/ledger/waiting.py",
        ),
        tests=(
            "tests/transcripts/test_codex_counting.py",
            "tests/ledger/test_requests_across_files.py",
            "tests/ledger/test_counting_again.py",
            "tests/ledger/test_reading_only_what_is_new.py",
            "tests/ledger/test_sources.py",
            "tests/ledger/test_reconciliation.py",
            "tests/ledger/test_connected.py",
            "tests/ledger/test_waiting.py",
        ),
    ),
    "costing": Subject(
        modules=("fleet_pipeline/costing/*.py",),
        tests=("tests/costing", "tests/cli/test_cost.py", "tests/cli/test_whatif.py"),
    ),
    "pricing": Subject(
        modules=("fleet_pipeline/pricing/*.py",),
        tests=("tests/pricing", "tests/cli/test_prices.py"),
    ),
    "ranking": Subject(
        modules=("fleet_pipeline/ranking/*.py",),
        tests=("tests/ranking",),
    ),
}
