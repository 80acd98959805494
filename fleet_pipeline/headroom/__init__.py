"""How much of each rate-limit window is left, how fast it goes, and what the ledger saw beside it.

Belongs here: which windows a page always names, how old a reading may be, burn rates, blocks of
five hours, and what a token costs of a window. Reading the figures out of transcripts belongs to
``transcripts``; nothing here guesses a level from tokens.
"""

from fleet_pipeline.headroom.blocks import BLOCK, block_starts, five_hour_blocks
from fleet_pipeline.headroom.exchange import exchange_rates
from fleet_pipeline.headroom.windows import headroom

__all__ = ["BLOCK", "block_starts", "exchange_rates", "five_hour_blocks", "headroom"]
