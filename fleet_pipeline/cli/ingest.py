"""``fleet ingest``: transcripts into the ledger, the step that ``fleet refresh`` begins with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from fleet_pipeline import home as homes
from fleet_pipeline.cli import alerting, options, output, progress
from fleet_pipeline.cli.failures import REFUSED

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings
    from fleet_pipeline.transcripts.discover import Found, Places


@click.command(cls=alerting.Alerting)
@options.with_settings
@options.as_of
@options.full
@alerting.alert
@options.as_json
def ingest(settings: "Settings", as_of: str | None, full: bool, alert: bool, as_json: bool) -> None:
    """Bring the ledger up to date, without publishing anything.

    With --json the totals of the whole ledger are printed: it holds every week, so that --as-of is
    understood and changes nothing. A host that cannot be read stops no other. Exit status: 0 done,
    1 it could not be written or no host could be read, 2 bad usage or configuration, 3 the home is
    in use.
    """
    options.close_of(as_of)
    with only_writer(settings.home, "fleet ingest"):
        found = bring_up_to_date(settings, full)
        if as_json:
            from fleet_pipeline import ledger
            from fleet_pipeline.usage import totals

            usage = totals(ledger.usage(settings.home))
            totals_of_all = {"usage": usage, "sources": ledger.sources(settings.home)}
            failures = not_read(found)
            output.document(totals_of_all | ({"hosts_not_read": failures} if failures else {}))
    if found and all(here.failed for here in found):
        if alert:
            reasons = [f"host {host}: {'; '.join(why)}" for host, why in not_read(found).items()]
            alerting.tell(click.get_current_context(), reasons)
        sys.exit(REFUSED)


@contextmanager
def only_writer(home: homes.Home, purpose: str) -> Iterator[None]:
    """Make the home ready and be the only one who writes to it."""
    from fleet_pipeline import store_format

    home.prepare()
    with home.lock(purpose, homes.LONGEST_WAIT):
        store_format.bring_up_to_date(home)
        yield


def bring_up_to_date(settings: "Settings", full: bool) -> "list[Found]":
    """Read what is new and count it, telling how it goes; with ``full`` read and count all.

    Returns what was found of each host, and what was in the way.
    """
    from fleet_pipeline.transcripts.discover import find

    sources = settings.sources()
    found = [find(places) for places in sources]
    _read(settings.home, sources, found, full)
    for host, failures in not_read(found).items():
        for failure in failures:
            text = f"WARNING: host {host} was not read, or not all of it: {failure}"
            output.note(text, "warning")
    return found


def not_read(found: "list[Found]") -> dict[str, list[str]]:
    """Return of each host that could not be read, or not all of it, what was in the way."""
    return {here.host: here.failures for here in found if here.failures}


def _read(home: homes.Home, sources: "list[Places]", found: "list[Found]", full: bool) -> None:
    from fleet_pipeline import ledger

    if not full and ledger.nothing_is_new(home, sources, found):
        files = sum(len(here.files) for here in found)
        output.note(f"transcripts: {files:,} found, none of them new")
        return
    unreadable = sum(sum(here.passed_over.values()) for here in found)
    with progress.shown("reading transcripts", sum(here.bytes for here in found)) as advance:
        report = ledger.ingest(home, sources, found=found, full=full, progress=advance)
        dropped = ledger.drop_damaged_days(home) if full else []
        before = ledger.usage(home).height if report.set_aside else None
        ledger.recount(home, everything=full)
    if sum(report.passed_over.values()) == unreadable:
        ledger.note_that_all_is_read(home, sources, found)
    for path in report.set_aside:
        output.note(f"WARNING: damaged evidence was set aside: {path}", "warning")
    for path in dropped:
        output.note(f"WARNING: {path} was damaged and is counted again", "warning")
    if before is not None:
        now = ledger.usage(home).height
        output.note(
            f"WARNING: {before:,} requests were counted before, {now:,} are now; what transcripts"
            " no longer hold comes back only from a backup",
            "warning",
        )
    left_out = "".join(f", {n:,} {reason}" for reason, n in sorted(report.passed_over.items()))
    tables = f", {report.tables_read:,} tables of evidence" if report.tables_read else ""
    output.note(
        f"transcripts: {report.files:,} found, {report.files_read:,} read"
        f" ({report.bytes_read / 1e6:,.1f} MB){tables}{left_out}"
    )
    if not any(here.files or here.evidence or here.failures for here in found):
        output.note("nothing was found to read: `fleet doctor` tells where was looked")
