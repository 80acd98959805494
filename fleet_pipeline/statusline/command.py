"""``fleet statusline``: what Claude Code runs. Whatever goes wrong, it prints a line and ends well.

A status line that fails takes the place of what the person at the terminal wants to read.
"""

import os
import time

from fleet_pipeline.statusline.line import status_line
from fleet_pipeline.statusline.log import claude_folder, record
from fleet_pipeline.statusline.payload import Status, read_status

_LARGEST_DOCUMENT = 2**22
_STDIN, _STDOUT = 0, 1


def main() -> int:
    """Print the status line for the document on stdin, and log what is new; return 0."""
    now, status = time.time(), Status()
    try:
        status = read_status(_document())
        record(status, claude_folder(os.environ), now)
    except Exception:  # a full disk, a read-only home, a fault of ours: the line comes first
        pass
    try:  # noqa: SIM105 (slow import)
        os.write(_STDOUT, status_line(status, now).encode() + b"\n")
    except OSError:
        pass
    return 0


def _document() -> bytes:
    """Return all of stdin; nothing from a person's keyboard, or beyond any status."""
    if os.isatty(_STDIN):
        return b""
    parts, size = [], 0
    while part := os.read(_STDIN, 2**16):
        parts.append(part)
        size += len(part)
        if size > _LARGEST_DOCUMENT:
            return b""
    return b"".join(parts)
