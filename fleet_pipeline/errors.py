"""The small family of errors that the product raises on purpose.

Each message says what is wrong, where, and what to do about it. None carries transcript text:
a traceback ends up in logs and in the event log of the graph, and transcripts hold secrets.
"""


class FleetError(Exception):
    """Anything that the operator can mend; commands print it without a traceback."""


class ConfigurationError(FleetError):
    """A file that the operator edits, or a command line, cannot be understood."""


class SourceError(FleetError):
    """A place that transcripts or prices come from cannot be read."""


class StoreError(SourceError):
    """A store of objects refuses, is away or keeps failing; the next object may fare no better."""


class PriceError(FleetError):
    """A price that a figure needs is unknown or not believable."""


class PublicationError(FleetError):
    """The page cannot be published; what was published before stays as it is."""


class BusyError(FleetError):
    """Another process is writing to the same home."""
