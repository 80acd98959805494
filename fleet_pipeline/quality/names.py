"""Which checks can refuse a week, by name: what an operator may accept."""

from difflib import get_close_matches
from typing import Final

from fleet_pipeline.quality.suites import SUITES, checks_of

BETWEEN_TABLES: Final = frozenset(
    {
        "requests_are_unique",
        "ledger_has_not_shrunk",
        "window_holds_requests",
        "silence_is_explained",
        "volume_has_not_collapsed",
        "agents_add_up",
        "days_add_up",
        "routes_add_up",
        "turns_add_up",
        "priced_models_have_prices",
        "ranking_is_complete",
    }
)
"""Plain checks that refuse; ``verdicts_hold`` is not among them: judging again is all it asks."""

REFUSING: Final = BETWEEN_TABLES | {
    check.name for table in SUITES for check in checks_of(table) if check.severity == "error"
}


def nearest(name: str) -> str:
    """Return a hint at the names that ``name`` may have been meant for."""
    close = get_close_matches(name, sorted(REFUSING), n=3, cutoff=0.4)
    return f"did you mean {' or '.join(close)}?" if close else "the run that refused names it"
