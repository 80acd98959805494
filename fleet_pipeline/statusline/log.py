"""The log of limits: one line for each change, under Claude Code's own folder.

A line is written by one call to the end of the file, so that any number of sessions can share the
log without waiting for each other. What a line means later is said in ``transcripts``.
"""

import json
import os
import stat
import time
from collections.abc import Mapping

from fleet_pipeline.statusline.payload import Status, Window, decoded, windows_of

FOLDER = "fleet"
LOG = "fleet-quota.jsonl"
FULL_LOG = "fleet-quota.1.jsonl"
LOGS = (FULL_LOG, LOG)
"""Where the log lies under Claude Code's folder, and the name it gets once it is full."""

FULL = 4 * 2**20
"""Bytes, some 18,000 changes; a week has 34 windows of five hours and of a hundred percent each."""

_LONGEST_LINE = 4096
_PATIENCE = 20
_SAME_RESET = 60
_PLAIN = frozenset("-._:/@+[]")
_LONGEST_TEXT = 80

_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def claude_folder(environment: Mapping[str, str]) -> str:
    """Return Claude Code's own folder: the first of ``CLAUDE_CONFIG_DIR``, else ``~/.claude``."""
    named = [part.strip() for part in environment.get("CLAUDE_CONFIG_DIR", "").split(",")]
    return os.path.expanduser(next(filter(None, named), "~/.claude"))  # noqa: PTH111 (slow import)


def record(status: Status, folder: str, now: float) -> None:
    """Append what is new about the limits to the log under ``folder``, Claude Code's own.

    Nothing is written where no limit is told, which is no statement about any. ``now`` is in
    seconds since 1970. Raises OSError where the file system refuses.
    """
    if not status.windows:
        return
    path = f"{folder}/{FOLDER}/{LOG}"
    descriptor = _open(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        last, torn = _end(descriptor)
        session = _bringer_of_news(status, decoded(last))
        if session is None:
            return
        line = _line(status, session, now)
        if os.fstat(descriptor).st_size + len(line) > FULL and _set_aside(descriptor, path):
            full, descriptor, torn = descriptor, _open(path), b""
            os.close(full)
        # A line that a full disk cut short is closed first: it shall not spoil this one.
        os.write(descriptor, b"\n" + line if torn else line)
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    try:
        return os.open(path, _APPEND, 0o600)
    except FileNotFoundError:
        try:  # noqa: SIM105 (slow import)
            os.mkdir(path.rpartition("/")[0], 0o700)  # noqa: PTH102 (slow import)
        except FileExistsError:
            pass  # another session was faster
        return os.open(path, _APPEND, 0o600)


def _end(descriptor: int) -> tuple[bytes, bytes]:
    """Return the last whole line, and what stands behind it because its writing was cut short.

    A line that another session is just writing may be seen in part: it is waited for, a little.
    """
    for _ in range(_PATIENCE):
        begin = max(0, os.fstat(descriptor).st_size - 2 * _LONGEST_LINE)
        *lines, torn = os.pread(descriptor, 2 * _LONGEST_LINE, begin).split(b"\n")
        if not torn:
            break
        time.sleep(0.001)
    return next((line for line in reversed(lines) if line), b""), torn


def _bringer_of_news(status: Status, last: object) -> str | None:
    """Return the session's digest where its limits say something that the last line did not.

    Each session shows the limits as its own last reply told them, so that several of them tell old
    and new levels in turn. Within a window the level only rises: a lower one is news only from the
    session that told the higher one itself.
    """
    known = windows_of(last)
    changed = {
        name: window
        for name, window in status.windows.items()
        if name not in known or not _same(window, known[name])
    }
    if not changed and status.windows.keys() == known.keys():
        return None
    session = _digest(status.session_id or "")
    if any(name not in known or _is_ahead(window, known[name]) for name, window in changed.items()):
        return session
    return session if isinstance(last, dict) and last.get("session") == session else None


def _same(window: Window, known: Window) -> bool:
    return window[0] == known[0] and _same_reset(window[1], known[1])


def _same_reset(reset: int | None, known: int | None) -> bool:
    """Say whether two windows are one: the server's moment of the reset wavers by seconds."""
    if reset is None or known is None:
        return reset is known
    return abs(reset - known) < _SAME_RESET


def _is_ahead(window: Window, known: Window) -> bool:
    if _same_reset(window[1], known[1]) or window[1] is None:
        return window[0] > known[0]
    return known[1] is None or window[1] > known[1]


def _digest(session_id: str) -> str:
    """Return a text that tells sessions apart and names none."""
    # Loaded only where there is something new: most of the time there is not.
    from hashlib import blake2b

    return blake2b(session_id.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _line(status: Status, session: str, now: float) -> bytes:
    seconds, milliseconds = divmod(int(now * 1000), 1000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    told: dict[str, object] = {"ts": f"{moment}.{milliseconds:03}Z"}
    for name, (used, resets_at) in status.windows.items():
        told[name] = {"used_percentage": used, "resets_at": resets_at}
    told |= {
        "session": session,
        "version": _plain(status.version),
        "model": _plain(status.model_id),
    }
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _plain(text: str | None) -> str | None:
    """Return a version or an id as it is; anything else is none of the log's business."""
    if text is None or len(text) > _LONGEST_TEXT or not text.isascii():
        return None
    return text if all(sign.isalnum() or sign in _PLAIN for sign in text) else None


def _set_aside(descriptor: int, path: str) -> bool:
    """Give the full log its other name; say whether that was done.

    Only one session does: a second one that found the same log full would replace what the first
    set aside by the new log. What is still appended to the old file is read there.
    """
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            return True
        os.rename(path, path.removesuffix(LOG) + FULL_LOG)  # noqa: PTH104 (slow import)
    except OSError:
        return False
    return True
