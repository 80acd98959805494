"""The small family of errors that the product raises on purpose.

Each message says what is wrong, where, and what to do about it. None carries transcript text:
a traceback ends up in logs and in the event log of the graph, and transcripts hold secrets.
"""

import traceback
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent


def origin(error: BaseException) -> str:
    """Return the innermost line of our own code that an error came through, as ``file:line``."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


class FleetError(Exception):
    """Anything that the operator can mend; commands print it without a traceback."""


class ConfigurationError(FleetError):
    """A file that the operator edits, or a command line, cannot be understood."""


class SourceError(FleetError):
    """A place that transcripts or prices come from cannot be read."""


class StoreError(SourceError):
    """A store of objects refuses, is away or keeps failing; the next object may fare no better."""


class ReaderError(FleetError):
    """A transcript made its reader stumble: a bug, of which only kind and place are told."""


class PriceError(FleetError):
    """A price that a figure needs is unknown or not believable."""


class PublicationError(FleetError):
    """The page cannot be published; what was published before stays as it is."""


class BusyError(FleetError):
    """Another process is writing to the same home."""
