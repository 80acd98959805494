"""The one way up to the graph, taken when a command needs it: loading Dagster takes seconds."""

import atexit
import gc
from datetime import date
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from fleet_pipeline.settings import Settings
from fleet_pipeline.weeks import Outcome


class _Runs(Protocol):
    """What the graph offers to the command line."""

    def publish_week(self, settings: Settings, close: date) -> Outcome:
        """Run the weekly job for the week that closes at ``close``."""

    def environment(self, settings: Settings) -> dict[str, str]:
        """Return the variables with which Dagster's own commands work on the same home."""


@cache
def runs() -> _Runs:
    """Load the graph and return what runs it.

    It is hundreds of thousands of objects that stay: each look for garbage would go through them.
    """
    gc.disable()
    try:
        return cast(_Runs, import_module("assets.runs"))
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # DuckDB complains of what is still there in the end
        gc.enable()
