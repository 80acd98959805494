"""Where words go: results to stdout, everything else to stderr.

A reader who has left (``fleet refresh | head``) stops no work.
"""

import json
import os
import sys
from contextlib import suppress
from datetime import date
from typing import TextIO


def result(text: str) -> None:
    """Print a part of what the command was asked for; raises OSError where that is refused."""
    _write(text, sys.stdout)


def document(value: object) -> None:
    """Print the one JSON document of a command with ``--json``; dates and paths become text."""
    result(json.dumps(value, indent=2, default=_as_text))


def as_bytes(value: object) -> bytes:
    """Return the same document as the content of a file."""
    return f"{json.dumps(value, indent=2, default=_as_text)}\n".encode()


def note(text: str) -> None:
    """Tell a person what is going on; never the reason for a failure."""
    with suppress(OSError):
        _write(text, sys.stderr)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _write(text: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
    except OSError as error:
        # What stays in the buffer must not fail a second time when Python ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, error.strerror, stream.name) from None
