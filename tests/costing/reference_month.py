"""The month of the reference page of 2026-06-18, and the prices of its day.

27,899M full input, 27,173M of it read from the cache, 20.5M fresh. The page leaves output and exact
shares out: its five printed amounts fit one solution, 65.7M output tokens and the shares below.
"""

from datetime import date
from fractions import Fraction
from typing import Final

from fleet_pipeline.costing import TokenClasses
from fleet_pipeline.pricing import require

TOKENS: Final = TokenClasses(
    input_tokens=20_500_000,
    cache_write_5m_tokens=705_500_000,
    cache_read_tokens=27_173_000_000,
    output_tokens=65_700_000,
)
REQUESTS: Final = 107_338
SHARE: Final = Fraction("0.1826")
SLICE: Final = TOKENS.part(SHARE)
AT: Final = date(2026, 6, 17)
GLM: Final = require("openrouter", "z-ai/glm-5.2", AT)
SONNET: Final = require("anthropic", "claude-sonnet-4-6", AT)
USD: Final = 1_000_000
