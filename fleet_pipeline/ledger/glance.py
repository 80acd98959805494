"""Whether there is anything to do at all, told by one look at each file's entry in its folder.

Most nights end here, so that nothing heavy is loaded by it. Only a memory aid, like the register:
what it says is that nothing has changed since everything was read and counted.
"""

import os
from collections.abc import Sequence
from hashlib import blake2b
from os import SEEK_END
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fleet_pipeline.home import Home, write_whole
from fleet_pipeline.ledger.versions import PARSER_VERSION, RULES_VERSION
from fleet_pipeline.ledger.waiting import Waiting
from fleet_pipeline.transcripts.discover import Found, Places


class _Glance(Struct):
    parser: int
    rules: int
    files: str


def nothing_is_new(home: Home, sources: Sequence[Places], found: Sequence[Found]) -> bool:
    """Say whether these very files were all read and counted, and the store still has it all."""
    try:
        known = msgspec.json.decode(_path(home).read_bytes(), type=_Glance)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    waiting = Waiting(home)
    return (
        known == _glance(sources, found)
        and waiting.rules == RULES_VERSION
        and not waiting.is_any_day_left()
        and _ends_whole(home.lake / "register.parquet")
    )


def _ends_whole(table: Path) -> bool:
    """Say whether a Parquet file is there and has its end: loading what reads it takes longer."""
    try:
        with table.open("rb") as file:
            file.seek(-len(_MAGIC), SEEK_END)
            return file.read() == _MAGIC
    except OSError:
        return False


_MAGIC: Final = b"PAR1"


def note_that_all_is_read(home: Home, sources: Sequence[Places], found: Sequence[Found]) -> None:
    """Remember what was found, after all of it was read and counted."""
    write_whole(_path(home), msgspec.json.encode(_glance(sources, found)))


def _path(home: Home) -> Path:
    return home.lake / "glance.json"


def _glance(sources: Sequence[Places], found: Sequence[Found]) -> _Glance:
    entries = blake2b(digest_size=16)
    for places, here in zip(sources, found, strict=True):
        files = (*here.files, *here.statusline_logs, *here.evidence)
        paths = os.fsencode("\0".join(file.path for file in files))
        looks = [
            (
                file.size,
                file.modified_ns,
                file.changed_ns,
                file.noted_ns,
                file.inode,
                file.content,
            )
            for file in files
        ]
        left_out = sorted(here.passed_over.items()), here.failures
        entries.update(msgspec.json.encode((places.host, paths, looks, left_out)))
    return _Glance(PARSER_VERSION, RULES_VERSION, entries.hexdigest())
