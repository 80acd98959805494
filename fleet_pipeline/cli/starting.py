"""A starting organisation on disk, with agents guessed from where the clients have worked.

What the files say is made in ``org.starting``; here is the look at transcripts and the writing.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from fleet_pipeline.errors import ConfigurationError, SourceError
from fleet_pipeline.org.loading import FILES
from fleet_pipeline.org.places import FolderName
from fleet_pipeline.org.starting import starting_files
from fleet_pipeline.settings import this_machine
from fleet_pipeline.transcripts.claude import read_transcript
from fleet_pipeline.transcripts.claude_lines import lines_to_decode
from fleet_pipeline.transcripts.codex import read_rollout
from fleet_pipeline.transcripts.discover import Places, find
from fleet_pipeline.transcripts.files import TranscriptFile
from fleet_pipeline.transcripts.lines import Lines, every_line

_NEWEST_FILES: Final = 200
_FIRST_LINES: Final = 100


def write_organisation(folder: Path) -> list[Path]:
    """Write what is missing of an organisation's files to ``folder``; return what was written.

    Its name becomes the organisation's. A file that exists is left alone. Raises
    ConfigurationError where nothing is missing, or the folder's name does not fit.
    """
    folder = folder.expanduser()
    name = _name_of(folder)
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder; name a new one with --org")
    texts = starting_files(sorted(working_folders(this_machine())), name)
    missing = {file: text for file, text in texts.items() if not os.path.lexists(folder / file)}
    if not missing:
        raise ConfigurationError(
            f"{folder} holds an organisation already, and nothing was overwritten;"
            " edit its files, or name another folder with --org"
        )
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    try:
        for file, text in missing.items():
            with (folder / file).open("x", encoding="utf-8") as opened:
                written.append(folder / file)
                opened.write(text)
    except BaseException:
        for path in written:
            path.unlink()
        raise
    return written


def is_complete(folder: Path) -> bool:
    """Say whether ``folder`` holds every file of an organisation already."""
    return all(os.path.lexists(folder.expanduser() / file) for file in FILES)


def working_folders(places: Places) -> set[str]:
    """Return the working directories of requests at the start of the newest transcripts."""
    newest = sorted(find(places).files, key=lambda file: file.modified_ns, reverse=True)
    return {folder for file in newest[:_NEWEST_FILES] for folder in _folders_in(file)}


def _name_of(folder: Path) -> str:
    name = folder.resolve().name
    try:
        return TypeAdapter[str](FolderName).validate_python(name)
    except ValidationError:
        raise ConfigurationError(
            f"{folder}: its name cannot be the name of an organisation; choose another folder,"
            " without control signs or outer blanks in its name"
        ) from None


def _folders_in(file: TranscriptFile) -> Iterator[str]:
    """Yield the working directories in the first lines; a file that cannot be read has none."""
    scan = lines_to_decode(notes=False) if file.client == "claude" else every_line
    read = read_transcript if file.client == "claude" else read_rollout
    try:
        with file.open() as opened:
            lines = islice(Lines(opened.bytes_from(0), scan=scan), _FIRST_LINES)
            for event in read(lines, file_id=file.id, written=opened.written).events:
                if event.cwd:
                    yield event.cwd
    except (OSError, SourceError):
        return
