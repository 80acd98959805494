"""What is told of a run, or of a command before its run, that failed."""

from dataclasses import dataclass
from typing import Final

_MOST_REASONS: Final = 10
_LONGEST_REASON: Final = 500
_TO_LOOK: Final = "`fleet doctor` looks at everything, changes nothing."


@dataclass(frozen=True)
class Failure:
    """What failed, in the words of checks and of errors raised on purpose: no logged text.

    ``close`` is the week that it was to publish (YYYY-MM-DD), None where it was for none;
    ``run_id`` is None for a command that ended without a run in Dagster.
    """

    fleet: str
    job: str
    run_id: str | None
    close: str | None
    reasons: tuple[str, ...]

    @property
    def title(self) -> str:
        """Return it in one line."""
        what = f"nothing was published for {self.close}" if self.close else f"{self.job} failed"
        return f"{self.fleet}: {what}"

    @property
    def text(self) -> str:
        """Return it as a person reads it."""
        where = f"Run {self.run_id} in `fleet ui`." if self.run_id else f"{self.job}; {_TO_LOOK}"
        return "\n".join([self.title, "", *self.told(), "", where])

    def told(self) -> list[str]:
        """Return the reasons, shortened to what a message should hold; a name may be no text."""
        prefix = f"nothing was published for {self.close}: "
        found = [
            reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]} ..."
            for reason in (
                each.removeprefix(prefix).encode(errors="replace").decode()
                for each in self.reasons[:_MOST_REASONS]
            )
        ]
        more = len(self.reasons) - _MOST_REASONS
        return [*found, f"and {more} more"] if more > 0 else found

    def document(self) -> dict[str, object]:
        """Return it as a program reads it."""
        return {
            "schema_version": 1,
            "fleet": self.fleet,
            "job": self.job,
            "run_id": self.run_id,
            "as_of": self.close,
            "says": self.title,
            "reasons": self.told(),
        }
