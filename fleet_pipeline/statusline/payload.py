"""What Claude Code tells a status line command, and the little of it that is kept.

The document as Claude Code 2.1.330 writes it, read with its public documentation beside it:
``rate_limits`` comes on Pro and Max plans only, after the first reply of a session.
"""

import json
import math

Window = tuple[float, int | None]
"""How full a window is, in percent, and when it is reset (seconds since 1970), where that is told.
"""

LONGEST_NAME = 40
MOST_WINDOWS = 12
_NOT_WINDOWS = ("ts", "session", "version", "model")
_MOST_PERCENT = 1e6
_LAST_SECOND = 253_402_300_799


class Status:
    """One document, as far as it can be believed; what it does not tell is None or empty.

    ``context_percent`` is how full the model's context is. Texts come from outside: see ``line``.
    """

    __slots__ = ("context_percent", "model", "model_id", "session_id", "version", "windows")

    def __init__(self, document: object = None) -> None:
        """Take what a decoded document tells; never raises, whatever its shape."""
        model = _member(document, "model")
        context = _member(_member(document, "context_window"), "used_percentage")
        self.model = _text(_member(model, "display_name"))
        self.model_id = _text(_member(model, "id"))
        self.version = _text(_member(document, "version"))
        self.session_id = _text(_member(document, "session_id"))
        self.context_percent = _percent(context)
        self.windows = windows_of(_member(document, "rate_limits"))


def read_status(data: bytes) -> Status:
    """Return what a document tells; nothing where it is none. Never raises for any bytes."""
    return Status(decoded(data))


def decoded(data: bytes) -> object:
    """Return the value of a JSON document, None where it is none."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value


def windows_of(limits: object) -> dict[str, Window]:
    """Return the windows among the members of ``limits`` by name, whichever there are.

    A member that is no window, or whose level makes no sense, is left out.
    """
    found: dict[str, Window] = {}
    for name, told in limits.items() if isinstance(limits, dict) else ():
        used = _percent(_member(told, "used_percentage"))
        if used is not None and _is_window_name(name) and len(found) < MOST_WINDOWS:
            found[name] = used, _second(_member(told, "resets_at"))
    return found


def _is_window_name(name: str) -> bool:
    letters = name.replace("_", "")
    fits = name.isascii() and letters.isalnum() and name == name.lower()
    return fits and len(name) <= LONGEST_NAME and name not in _NOT_WINDOWS


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _percent(value: object) -> float | None:
    """Return a level to a hundredth: what is behind it is noise, and no change."""
    number = _number(value)
    return round(number, 2) if number is not None and 0 <= number <= _MOST_PERCENT else None


def _second(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 < number <= _LAST_SECOND else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
