"""The ``fleet`` command: the front door of the product.

Commands read options, call the library or run the graph, and print. The only room that reaches up
to the graph, and only when a command needs it: a light command never loads Dagster.
"""

from fleet_pipeline.cli.commands import main

__all__ = ["main"]
