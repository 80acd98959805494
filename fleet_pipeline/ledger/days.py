"""Where a day lies in the lake: what the names of its folders and files say."""

from datetime import date
from pathlib import Path


def day_of(path: Path) -> date:
    """Return the UTC day that a file of the lake holds."""
    return date.fromisoformat(path.stem.removeprefix("date="))


def host_of(path: Path) -> str:
    """Return the host whose rows a file of the lake holds."""
    hosts = [part for part in (*path.parts[:-1], path.stem) if part.startswith("host=")]
    return hosts[-1].removeprefix("host=")
