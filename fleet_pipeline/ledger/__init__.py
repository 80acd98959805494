"""The usage ledger: every billed request once, kept for good.

Evidence (what each log said) comes in through ``ingest`` and is never thrown away; the ledger is
derived from it by the counting rules, so that better rules recount history.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleet_pipeline.ledger.counting import (
        Held,
        Sources,
        held,
        quota,
        recount,
        sessions,
        sources,
        unfamiliar,
        usage,
    )
    from fleet_pipeline.ledger.damage import drop_damaged_days
    from fleet_pipeline.ledger.glance import note_that_all_is_read, nothing_is_new
    from fleet_pipeline.ledger.ingestion import Report, ingest

__all__ = [
    "Held",
    "Report",
    "Sources",
    "drop_damaged_days",
    "held",
    "ingest",
    "note_that_all_is_read",
    "nothing_is_new",
    "quota",
    "recount",
    "sessions",
    "sources",
    "unfamiliar",
    "usage",
]

_MODULES = {
    "Held": "counting",
    "Report": "ingestion",
    "Sources": "counting",
    "drop_damaged_days": "damage",
    "held": "counting",
    "ingest": "ingestion",
    "note_that_all_is_read": "glance",
    "nothing_is_new": "glance",
    "quota": "counting",
    "recount": "counting",
    "sessions": "counting",
    "sources": "counting",
    "unfamiliar": "counting",
    "usage": "counting",
}


def __getattr__(name: str) -> object:
    """Load what is asked for: a run that finds nothing new needs none of the heavy half."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
