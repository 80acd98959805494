"""What cheap and free models exist, whether they are available, and what became of them.

Belongs here: candidates against what price lists say of them, endpoint health, free tiers and their
limits, and what changed from week to week. What a model costs is in ``pricing``.
"""

from fleet_pipeline.catalog.changes import Known, changes, known_at
from fleet_pipeline.catalog.free_apis import free_quotas
from fleet_pipeline.catalog.listing import model_catalog, price_sources
from fleet_pipeline.catalog.readings import Kind, newest
from fleet_pipeline.catalog.sweeping import Sweep, failed_feeds, require_known, run

__all__ = [
    "Kind",
    "Known",
    "Sweep",
    "changes",
    "failed_feeds",
    "free_quotas",
    "known_at",
    "model_catalog",
    "newest",
    "price_sources",
    "require_known",
    "run",
]
