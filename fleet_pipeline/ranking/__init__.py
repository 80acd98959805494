"""How good each candidate is at the fleet's kinds of packets, and in which order that puts them.

Quality only: cost, context and privacy are badges. Belongs here: beliefs from probes and public
benchmarks, places, reasons; what is asked of models is in ``probes``. The method with a worked
example: docs/ranking.md.
"""

from fleet_pipeline.ranking.evidence import OVERALL, SCOPES
from fleet_pipeline.ranking.model_ranking import model_ranking
from fleet_pipeline.ranking.observations import quality_observations
from fleet_pipeline.ranking.rank_history import rank_history

__all__ = [
    "OVERALL",
    "SCOPES",
    "model_ranking",
    "quality_observations",
    "rank_history",
]
