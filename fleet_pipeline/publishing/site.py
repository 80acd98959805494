"""The site: one complete folder per week, ``latest`` beside them, copies of the ranking elsewhere.

A week is built whole in a hidden folder, forced to disk and put in place by one step. The order is
what readers may rely on: copies of the ranking, then the week, then what changed from week to week,
and ``latest`` as the last of all.
When anything fails, all of it is undone and what was published before is there as it was. One
publisher at a time: the lock of the home is the caller's.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing import durable
from fleet_pipeline.publishing.changelog import changelog_files
from fleet_pipeline.publishing.figures import canonical_bytes
from fleet_pipeline.publishing.index import entry, index_files
from fleet_pipeline.publishing.markdown import render_ranking
from fleet_pipeline.publishing.page import (
    EVIDENCE_FILE,
    RANKING_FILE,
    render_evidence,
    render_page,
)
from fleet_pipeline.publishing.privacy import assert_publishable
from fleet_pipeline.publishing.provenance import statement_bytes
from fleet_pipeline.publishing.quality_page import QUALITY_FILE, render_quality
from fleet_pipeline.publishing.regions import renewed
from fleet_pipeline.publishing.tables import csv_bytes, dictionary_bytes, parquet_bytes
from fleet_pipeline.routing import routing_files

SUMS_FILE = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class PublishedWeek:
    """What a publish left behind."""

    as_of: str
    folder: Path
    is_latest: bool
    """``latest`` points to this week; a backfill of an older one leaves it alone."""
    changed: bool
    """False when the week stood there already, byte for byte."""
    page_sha256: str
    """Of page.json, as the ranking's front matter names it."""
    files: tuple[str, ...]
    copies: tuple[Path, ...]


def publish(
    site: Path,
    page: Mapping[str, object],
    tables: Mapping[str, pl.DataFrame],
    extra_places: Sequence[Path] = (),
    files: Mapping[str, bytes] | None = None,
) -> PublishedWeek:
    """Publish a week at ``site/weeks/<as_of>`` and move ``site/latest`` to the greatest as_of.

    ``extra_places`` are files that receive a copy of the Markdown ranking; ``files`` are those of
    the week, where they are made already. The same inputs give the same bytes. Raises
    PublicationError, naming the place, when the content may not be published or cannot be written;
    everything published before is then as it was.
    """
    as_of = _as_of(page)
    assert_publishable(page, tables)
    files = files or week_files(page, tables)
    weeks = site / "weeks"
    folder = weeks / as_of
    with _naming(weeks):
        durable.make_folder(weeks)
        for opened in (site, weeks):
            with suppress(PermissionError):  # another owner's folder: theirs to open
                opened.chmod(durable.FOLDER_MODE)
        durable.settle(weeks)
        durable.remove(durable.incoming(site / "latest"))
    changed = not _is_published(folder, files)
    pages = [page, *_other_pages(weeks, as_of)]
    entries = [entry(each, f"weeks/{each['as_of']}/") for each in pages]
    logs = {**changelog_files(pages), **index_files(entries)}
    copies = {place: _renewed(place, files[RANKING_FILE]) for place in extra_places}
    with ExitStack() as undo:
        for place, content in copies.items():
            _stage_copy(undo, place, content)
        if changed:
            with _naming(folder):
                _stage_week(undo, folder, files)
        for place in extra_places:
            _place_copy(undo, place)
        if changed:
            with _naming(folder):
                _place_week(undo, folder)
        for name, content in logs.items():
            if _bytes_of(site / name) != content:
                _stage_copy(undo, site / name, content)
                _place_copy(undo, site / name)
        with _naming(site / "latest"):
            latest = _move_latest(undo, site)
        undo.pop_all()
    durable.remove(durable.incoming(folder))
    return PublishedWeek(
        as_of=as_of,
        folder=folder,
        is_latest=latest == as_of,
        changed=changed,
        page_sha256=hashlib.sha256(files["page.json"]).hexdigest(),
        files=tuple(sorted(files)),
        copies=tuple(extra_places),
    )


def week_files(page: Mapping[str, object], tables: Mapping[str, pl.DataFrame]) -> dict[str, bytes]:
    """Return every file of a week by its path inside the week's folder, sums last."""
    files = {
        "index.html": render_page(page).encode(),
        "page.json": canonical_bytes(page),
        EVIDENCE_FILE: render_evidence(page, tables.keys()).encode(),
        QUALITY_FILE: render_quality(page).encode(),
        RANKING_FILE: render_ranking(page).encode(),
        **routing_files(page),
    }
    for name, frame in sorted(tables.items()):
        if not name.isidentifier():
            raise PublicationError(f"{name!r} is not the name of a table")
        files[f"tables/{name}.csv"] = csv_bytes(name, frame)
        files[f"tables/{name}.parquet"] = parquet_bytes(frame)
        if statement := statement_bytes(name):
            files[f"tables/{name}.sql"] = statement
    files["tables/dictionary.json"] = dictionary_bytes(tables)
    sums = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return {**files, SUMS_FILE: "".join(sums).encode()}


def sums_of(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the SHA-256 of each file of a published week, and what its SHA256SUMS says of them."""
    listed = {}
    for line in (folder / SUMS_FILE).read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != SUMS_FILE
    }
    return found, listed


def _other_pages(weeks: Path, as_of: str) -> list[dict[str, object]]:
    """Return the pages of the other weeks on the site; one that cannot be read tells nothing.

    Nor does one of another form, which the index could not list.
    """
    pages = []
    for folder in sorted(weeks.iterdir()):
        if _is_date(folder.name) and folder.name != as_of:
            with suppress(OSError, ValueError, PublicationError):
                page = json.loads((folder / "page.json").read_bytes())
                if isinstance(page, dict) and page.get("as_of") == folder.name:
                    entry(page, "")
                    pages.append(page)
    return pages


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _as_of(page: Mapping[str, object]) -> str:
    """Return the page's date; it names a folder, so it must be nothing but a date."""
    value = page.get("as_of")
    try:
        if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise PublicationError("page.json: as_of must be a date, YYYY-MM-DD")


@contextmanager
def _naming(place: Path) -> Iterator[None]:
    """Turn an error of the file system into one that names the place."""
    try:
        yield
    except OSError as error:
        raise PublicationError(
            f"cannot publish to {place}: {error.strerror or error}; "
            "what was published before is unchanged"
        ) from None


def _is_published(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Say whether a week stands there with exactly these files and bytes."""
    try:
        found = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
        }
        return found == set(files) and all(
            (folder / name).read_bytes() == content for name, content in files.items()
        )
    except OSError:
        return False


def _stage_week(undo: ExitStack, folder: Path, files: Mapping[str, bytes]) -> None:
    """Build the week beside its place and force it to disk."""
    staged = durable.incoming(folder)
    undo.callback(durable.remove, staged)
    durable.make_folder(staged)
    for name, content in files.items():
        durable.make_folder((staged / name).parent)
        durable.write_file(staged / name, content)
    for inner in (*sorted({(staged / name).parent for name in files} - {staged}), staged):
        durable.sync_folder(inner)


def _place_week(undo: ExitStack, folder: Path) -> None:
    """Put the staged week in its place; the week it replaces waits under the staged name."""
    staged = durable.incoming(folder)
    if folder.exists():
        durable.exchange_folders(staged, folder)
        undo.callback(_quietly, durable.exchange_folders, staged, folder)
    else:
        staged.replace(folder)
        undo.callback(durable.remove, folder)
    durable.sync_folder(folder.parent)


def _renewed(place: Path, ranking: bytes) -> bytes:
    """Return a living copy with the new ranking and the notes that people wrote around it."""
    try:
        return renewed(place.read_text("utf-8"), ranking.decode()).encode()
    except FileNotFoundError:
        return ranking
    except UnicodeDecodeError:
        reason = "is no UTF-8 text; move it away, or name another file"
    except ValueError as error:
        reason = str(error)
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
    raise PublicationError(f"{place} {reason}")


def _stage_copy(undo: ExitStack, place: Path, content: bytes) -> None:
    """Write a copy of the ranking beside its place: most failures come before any rename."""
    with _naming(place):
        staged = durable.incoming(place)
        undo.callback(durable.remove, staged)
        durable.make_folder(place.parent)
        durable.write_file(staged, content)


def _place_copy(undo: ExitStack, place: Path) -> None:
    with _naming(place):
        previous = place.read_bytes() if place.exists() else None
        durable.incoming(place).replace(place)
        undo.callback(_quietly, _restore, place, previous)
        durable.sync_folder(place.parent)


def _restore(place: Path, previous: bytes | None) -> None:
    """Give a copy its former content back, or take it away where there was none."""
    if previous is None:
        durable.remove(place)
        return
    durable.write_file(durable.incoming(place), previous)
    durable.incoming(place).replace(place)


def _move_latest(undo: ExitStack, site: Path) -> str:
    """Point ``latest`` at the greatest week on the site and return that week's date."""
    dates = [path.name for path in (site / "weeks").iterdir() if _is_date(path.name)]
    greatest = max(dates)
    link = site / "latest"
    if link.exists() and not link.is_symlink():
        raise PublicationError(
            f"{link} is no link, as a copy of the site may have made it; move it away, what was"
            " published before is unchanged"
        )
    target = f"weeks/{greatest}"
    previous = link.readlink().as_posix() if link.is_symlink() else None
    if previous != target:
        undo.callback(_quietly, _point, link, previous)
        _point(link, target)
        durable.sync_folder(site)
    return greatest


def _point(link: Path, target: str | None) -> None:
    """Make a relative link in one step; without a target there shall be none."""
    if target is None:
        durable.remove(link)
        return
    staged = durable.incoming(link)
    durable.remove(staged)
    try:
        staged.symlink_to(target, target_is_directory=True)
        staged.replace(link)
    except OSError:
        durable.remove(staged)
        raise


def _is_date(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def _quietly(step: Callable[..., None], *arguments: object) -> None:
    """Take a step back; the error that made it necessary is the one to report."""
    with suppress(OSError):
        step(*arguments)
