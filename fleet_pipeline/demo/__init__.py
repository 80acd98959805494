"""The synthetic fleet that people see when they have no transcripts of their own.

`write_demo` writes a small model of a real fleet, with the volumes of the reference page, and the
true totals beside it. Here belongs what makes transcripts; nothing here reads any.
"""

from fleet_pipeline.demo.truth import DemoTruth
from fleet_pipeline.demo.writer import write_demo

__all__ = ["DemoTruth", "write_demo"]
