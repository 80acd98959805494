"""How much of each rate-limit window is left: the weekly table ``headroom``.

Belongs here: which windows a page always names, and how old a reading may be. Reading the
figures out of transcripts belongs to ``transcripts``; nothing here estimates a level.
"""

from fleet_pipeline.headroom.windows import headroom

__all__ = ["headroom"]
