"""Where the marks of the charts stand: percentages and pixels, from the figures of page.json.

Pure geometry, one module for each picture. Words, colours and elements are the templates' business.
Positions along a bar or an axis are percentages of the drawing's width, so a chart needs one
drawing for every screen while its text keeps its size; heights are pixels.
"""

from fleet_pipeline.publishing.charts.context import context_chart
from fleet_pipeline.publishing.charts.costs import cost_chart
from fleet_pipeline.publishing.charts.frontier import frontier
from fleet_pipeline.publishing.charts.mirage import mirage_bars
from fleet_pipeline.publishing.charts.ranks import ranks
from fleet_pipeline.publishing.charts.scale import lengths
from fleet_pipeline.publishing.charts.spark import sparks
from fleet_pipeline.publishing.charts.trend import trend
from fleet_pipeline.publishing.charts.volume import volumes

__all__ = [
    "context_chart",
    "cost_chart",
    "frontier",
    "lengths",
    "mirage_bars",
    "ranks",
    "sparks",
    "trend",
    "volumes",
]
