"""What there is to send, and under which names: those that ``transcripts.objects`` reads again.

Transcripts, the notes beside subagents' ones, logs of limits, tables of evidence, and nothing else.
Nothing is opened here.
"""

import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import handover
from fleet_pipeline.statusline import log as statusline
from fleet_pipeline.transcripts.discover import CLIENTS, Found, Places, find, roots_of
from fleet_pipeline.transcripts.files import NOTE_LIMIT, NOTE_SUFFIX, Client, LocalFile
from fleet_pipeline.transcripts.lines import digest
from fleet_pipeline.transcripts.objects import EVIDENCE


@dataclass(frozen=True)
class Item:
    """A file to send, and its key below the host's address."""

    key: str
    path: Path


def transcript_items(places: Places, user: Path) -> tuple[list[Item], Found]:
    """Return what is to be sent of a host's folders, and what was found there.

    ``user`` is the home folder: clients' usual folders in it have the plainest names. Notes come
    first, so that no subagent's transcript is read before its type is known.
    """
    found = find(places)
    roots = dict(_roots(places, user))
    transcripts = [Path(file.path) for file in found.files if isinstance(file, LocalFile)]
    notes = [note for path in transcripts if (note := _note(path))]
    logs = [Path(file.path) for file in found.statusline_logs if isinstance(file, LocalFile)]
    paths = [*notes, *transcripts, *logs]
    return [Item(_key(path, roots), path) for path in paths], found


def evidence_items(home: Home, host: str) -> list[Item]:
    """Return every table of evidence that ``home`` keeps of ``host``."""
    tables = handover.tables_of(home, host)
    return [Item(f"{EVIDENCE}/{name}", path) for name, path in tables]


def _roots(places: Places, user: Path) -> Iterator[tuple[Path, str]]:
    """Yield each folder that transcripts or logs lie in, with the name that it gets."""
    for client in CLIENTS:
        for place in places.of(client):
            name = _name(client, place, user)
            for root in roots_of(client, place):
                usual = "projects" if client == "claude" else "sessions"
                folder = root.name if root != place else usual
                yield root.resolve(), f"{name}/{folder}"
            if client == "claude":
                yield place.resolve() / statusline.FOLDER, f"{name}/{statusline.FOLDER}"


def _name(client: Client, place: Path, user: Path) -> str:
    """Return what stands for a client's folder, whose own name is nobody's business."""
    return client if place == user / f".{client}" else f"{client}-{digest(bytes(place)):x}"


def _key(path: Path, roots: dict[Path, str]) -> str:
    root = next(parent for parent in path.parents if parent in roots)
    return f"{roots[root]}/{path.relative_to(root).as_posix()}"


def _note(transcript: Path) -> Path | None:
    if transcript.name.startswith("agent-"):
        note = transcript.with_suffix(NOTE_SUFFIX)
        with suppress(OSError):
            status = note.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_size <= NOTE_LIMIT:
                return note
    return None
