"""``fleet ingest``: transcripts into the ledger, the step that ``fleet refresh`` begins with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from fleet_pipeline import home as homes
from fleet_pipeline.cli import options, output, progress

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings


@click.command()
@options.with_settings
@options.as_of
@options.full
@options.as_json
def ingest(settings: "Settings", as_of: str | None, full: bool, as_json: bool) -> None:
    """Bring the ledger up to date, without publishing anything.

    With --json the totals of the whole ledger are printed: it holds every week, so that --as-of is
    understood and changes nothing. Exit status: 0 done, 1 it could not be written, 2 bad usage or
    configuration, 3 the home is in use.
    """
    options.close_of(as_of)
    with only_writer(settings.home, "fleet ingest"):
        bring_up_to_date(settings, full)
        if as_json:
            from fleet_pipeline import ledger
            from fleet_pipeline.usage import totals

            usage = totals(ledger.usage(settings.home))
            output.document({"usage": usage, "sources": ledger.sources(settings.home)})


@contextmanager
def only_writer(home: homes.Home, purpose: str) -> Iterator[None]:
    """Make the home ready and be the only one who writes to it."""
    home.prepare()
    with home.lock(purpose, homes.LONGEST_WAIT):
        yield


def bring_up_to_date(settings: "Settings", full: bool) -> None:
    """Read what is new and count it, telling how it goes; with ``full`` read and count all."""
    from fleet_pipeline import ledger
    from fleet_pipeline.transcripts.discover import find

    home, sources = settings.home, settings.sources()
    found = [find(places) for places in sources]
    if not full and ledger.nothing_is_new(home, sources, found):
        files = sum(len(here.files) for here in found)
        output.note(f"transcripts: {files:,} found, none of them new")
        return
    unreadable = sum(sum(here.passed_over.values()) for here in found)
    with progress.shown("reading transcripts", sum(here.bytes for here in found)) as advance:
        report = ledger.ingest(home, sources, found=found, full=full, progress=advance)
        ledger.recount(home, everything=full)
    if sum(report.passed_over.values()) == unreadable:
        ledger.note_that_all_is_read(home, sources, found)
    left_out = "".join(f", {n:,} {reason}" for reason, n in sorted(report.passed_over.items()))
    output.note(
        f"transcripts: {report.files:,} found, {report.files_read:,} read"
        f" ({report.bytes_read / 1e6:,.1f} MB){left_out}"
    )
    if not report.files:
        output.note("nothing was found to read: `fleet doctor` tells where was looked")
