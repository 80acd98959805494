"""List prices of models by date: what they are, where they come from, and what is believed.

Belongs here: price feeds, the home's price ledger, a model's price in force at a date, and the
tables made of it. Multiplying a price by tokens belongs to ``costing``.
"""

from fleet_pipeline.pricing import embedded, snapshots
from fleet_pipeline.pricing.book import EMBEDDED, PriceBook, price_book
from fleet_pipeline.pricing.model_price import ModelPrice, PriceTier
from fleet_pipeline.pricing.price_frames import list_prices, model_contexts, prices_table

find = EMBEDDED.find
require = EMBEDDED.require

__all__ = [
    "EMBEDDED",
    "ModelPrice",
    "PriceBook",
    "PriceTier",
    "embedded",
    "find",
    "list_prices",
    "model_contexts",
    "price_book",
    "prices_table",
    "require",
    "snapshots",
]
