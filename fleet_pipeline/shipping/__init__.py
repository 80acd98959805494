"""What a host sends to S3 for a home elsewhere: its new transcript bytes, or its evidence alone."""

from fleet_pipeline.shipping.manifest import Item, evidence_items, transcript_items
from fleet_pipeline.shipping.sending import Shipment, ship
from fleet_pipeline.shipping.sent import SentRegister

__all__ = ["Item", "SentRegister", "Shipment", "evidence_items", "ship", "transcript_items"]
