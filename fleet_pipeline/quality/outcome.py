"""What one check found: whether it passed, whether it refuses, which rows, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypedDict

Severity = Literal["error", "warn"]

REPORT_IT: Final = "a fault of the pipeline: report it; what was published before still stands"
"""What to do where no file of the operator's can be at fault."""


class CheckOutcome(TypedDict):
    """What one check found, as published: ``severity`` 'error' refuses to publish."""

    name: str
    severity: str
    passed: bool
    broken: bool
    table: str
    says: str
    remedy: str


@dataclass(frozen=True)
class Outcome:
    """What one check found. ``says`` gives counts and names, never values of the logs.

    ``counts`` are the numbers behind it, for whoever follows them from week to week. ``table`` is
    what it was asked of, ``remedy`` what the operator can do about it. ``broken`` says that the
    check itself failed: nothing is known of the data then.
    """

    name: str
    severity: Severity
    passed: bool
    says: str
    counts: Mapping[str, int] = field(default_factory=dict)
    table: str = ""
    remedy: str = ""
    broken: bool = False

    @property
    def refuses(self) -> bool:
        """Say whether nothing may be published, unless the operator accepts it."""
        return not self.passed and self.severity == "error"

    @property
    def told(self) -> str:
        """Return what an operator reads: the check, what it found, what to do."""
        todo = f"; {self.remedy}" if self.remedy and not self.passed else ""
        return f"{self.name}: {self.says}{todo}"

    def record(self) -> CheckOutcome:
        """Return the outcome as ``page.json`` has it."""
        return {
            "name": self.name,
            "severity": self.severity,
            "passed": self.passed,
            "broken": self.broken,
            "table": self.table,
            "says": self.says,
            "remedy": "" if self.passed else self.remedy,
        }
