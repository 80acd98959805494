"""The one line that Claude Code shows: model, context, and how full each limit is."""

from fleet_pipeline.statusline.payload import Status, Window

_LONGEST_TEXT = 40
_NAMES = {"five_hour": "5h", "seven_day": "week"}
_WEEK = "seven_day_"


def status_line(status: Status, now: float) -> str:
    """Return the line, without its newline; ``now`` is in seconds since 1970.

    Levels are rounded down. Of a window that has been reset since, the level is not known.
    """
    parts = [printable(status.model or status.model_id or "Claude")]
    if status.context_percent is not None:
        parts.append(f"context {int(status.context_percent)}%")
    parts += [_window(name, window, now) for name, window in status.windows.items()]
    if not status.windows:
        parts.append("limits unknown")
    return " | ".join(parts)


def printable(text: str) -> str:
    """Return the signs of a text that a terminal shows and does not obey, the first few of it."""
    return "".join(sign for sign in text[:_LONGEST_TEXT] if sign.isprintable())


def _window(name: str, window: Window, now: float) -> str:
    used, resets_at = window
    shown = _NAMES.get(name) or (
        f"week {name.removeprefix(_WEEK)}" if name.startswith(_WEEK) else name
    ).replace("_", " ")
    if resets_at is None:
        return f"{shown} {int(used)}%"
    if resets_at <= now:
        return f"{shown} reset"
    return f"{shown} {int(used)}%, resets in {_duration(resets_at - now)}"


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days}d{hours % 24}h"
    return f"{hours}h{minutes % 60:02}m" if hours else f"{minutes}m"
