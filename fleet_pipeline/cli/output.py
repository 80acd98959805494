"""Where words go: results to stdout, everything else to stderr.

A reader who has left (``fleet refresh | head``) stops no work.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Literal, TextIO

Level = Literal["info", "warning", "error"]

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What would steer a terminal, or turn a line round: names of models come from logs."""

_logged_command: list[str] = []


def log_as_json(command: str | None) -> None:
    """Tell everything from now on as JSON, in the name of ``command``; None tells it in words."""
    _logged_command[:] = [] if command is None else [command]


def logs_as_json() -> bool:
    """Say whether a program reads what is told, rather than a person."""
    return bool(_logged_command)


def result(text: str) -> None:
    """Print a part of what the command was asked for; raises OSError where that is refused."""
    _write(text, sys.stdout)


def binary(content: bytes) -> None:
    """Print a result that is no text; raises OSError where that is refused."""
    with _whoever_reads(sys.stdout):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def document(value: object) -> None:
    """Print the one JSON document of a command with ``--json``; dates and paths become text."""
    result(json.dumps(value, indent=2, default=_as_text))


def as_bytes(value: object) -> bytes:
    """Return the same document as the content of a file."""
    return f"{json.dumps(value, indent=2, default=_as_text)}\n".encode()


def note(text: str, level: Level = "info") -> None:
    """Tell what is going on, on stderr; that it cannot be told is never the reason for a failure.

    As JSON: one object a line with ``ts`` (UTC), ``level``, ``command``, ``process``, ``message``.
    """
    if _logged_command:
        record = {
            "ts": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "command": _logged_command[0],
            "process": os.getpid(),
            "message": text,
        }
        text = json.dumps(record)
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    with suppress(OSError):
        _write(text, sys.stderr)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _write(text: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    with _whoever_reads(stream):
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


@contextmanager
def _whoever_reads(stream: TextIO) -> Iterator[None]:
    """Let a reader leave; any other refusal to write is raised with the name of the stream."""
    try:
        yield
    except OSError as error:
        # What stays in the buffer must not fail a second time when Python ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, error.strerror, stream.name) from None
