"""List prices of models by date: what they are and where they come from.

Belongs here: a model's price in force at a date, and the tables made of it. Multiplying a price
by tokens belongs to ``costing``.
"""

from fleet_pipeline.pricing.embedded import find, require
from fleet_pipeline.pricing.model_price import ModelPrice, PriceTier
from fleet_pipeline.pricing.naming import find_called, require_called
from fleet_pipeline.pricing.price_frames import list_prices, prices_table

__all__ = [
    "ModelPrice",
    "PriceTier",
    "find",
    "find_called",
    "list_prices",
    "prices_table",
    "require",
    "require_called",
]
