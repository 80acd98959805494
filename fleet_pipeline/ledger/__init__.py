"""The usage ledger: every billed request once, kept for good.

Evidence (what each log said) comes in through ``ingest`` and is never thrown away; the ledger is
derived from it by the counting rules, so that better rules recount history.
"""

from fleet_pipeline.ledger.counting import DEMO_HOST, Sources, quota, recount, sources, usage
from fleet_pipeline.ledger.ingestion import Report, bytes_to_read, ingest

__all__ = [
    "DEMO_HOST",
    "Report",
    "Sources",
    "bytes_to_read",
    "ingest",
    "quota",
    "recount",
    "sources",
    "usage",
]
