"""How a week's figures become a page, a Markdown ranking and files that others may read.

Everything here reads one dictionary, the contents of ``page.json``. Nothing here counts tokens or
multiplies prices: a figure that is not in the dictionary is not on the page.
"""

from fleet_pipeline.publishing.site import sums_of
from fleet_pipeline.publishing.week import Week, publish_week

__all__ = ["Week", "publish_week", "sums_of"]
