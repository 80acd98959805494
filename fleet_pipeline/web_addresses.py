"""The parts of a web address as an operator writes it, or why it can never be asked."""

from urllib.parse import SplitResult, urlsplit


def parts_of(text: str) -> SplitResult:
    """Return the parts of an address, none of which need be there.

    Raises ValueError where its host or its port is none; it repeats nothing, credentials included.
    """
    try:
        parts = urlsplit(text)
        askable = parts.port != 0
    except ValueError:
        askable = False
    if not askable:
        raise ValueError(
            "has a host or a port that is none; a port is a number from 1 to 65535, or left out"
        )
    return parts
