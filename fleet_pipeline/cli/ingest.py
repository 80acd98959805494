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

    sources = settings.sources()
    with progress.shown("reading transcripts", ledger.bytes_to_read(sources)) as advance:
        report = ledger.ingest(settings.home, sources, full=full, progress=advance)
        ledger.recount(settings.home, everything=full)
    passed_over = "".join(f", {n:,} {reason}" for reason, n in sorted(report.passed_over.items()))
    output.note(
        f"transcripts: {report.files:,} found, {report.files_read:,} read"
        f" ({report.bytes_read / 1e6:,.1f} MB){passed_over}"
    )
    if not report.files:
        output.note("nothing was found to read: `fleet doctor` tells where was looked")
