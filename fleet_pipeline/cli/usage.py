"""``fleet usage``: the ledger by day, week, month, session, agent, model or five-hour block."""

import sys
from datetime import date
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from fleet_pipeline.reports.periods import Days
    from fleet_pipeline.reports.usage import Kind, Report
    from fleet_pipeline.settings import Settings

# Named here again: reports are loaded when one is asked for, not for --help.
_KINDS: Final = ("daily", "weekly", "monthly", "session", "agent", "model", "blocks")
_CLIENTS: Final = ("claude", "codex", "all")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LOCAL_ZONE: Final = Path("/etc/localtime")


@click.command()
@click.argument("kind", type=click.Choice(_KINDS), default="daily")
@click.option("--since", type=options.DAY, help="The first day.")
@click.option("--until", type=options.DAY, help="The last day, included.")
@click.option(
    "-z",
    "--timezone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="Where a day ends: an IANA time zone, or `local`.",
)
@click.option(
    "--week-start",
    type=click.Choice(_WEEKDAYS),
    default="wednesday",
    show_default=True,
    metavar="WEEKDAY",
    help="The day on which a week begins.",
)
@click.option("--client", type=click.Choice(_CLIENTS), help="Whose requests [all].")
@options.with_home
@options.as_json
def usage(
    settings: "Settings",
    kind: "Kind",
    since: date | None,
    until: date | None,
    timezone: str,
    week_start: str,
    client: str | None,
    as_json: bool,
) -> None:
    """Show what was used, in the columns of ccusage.

    From the ledger alone: deleted transcripts are in it, and what `fleet ingest` has not read yet
    is not. Costs are the API's list prices on the day of use. Blocks are the five-hour ones of
    Claude's subscriptions. Exit status: 0, or 2 for bad usage.
    """
    if kind == "blocks" and client == "codex":
        raise ConfigurationError("blocks are Claude's: leave --client codex out")
    from fleet_pipeline.reports.as_json import as_json as document_of
    from fleet_pipeline.reports.periods import Days, known_zone

    zone = known_zone(_local_zone(settings) if timezone == "local" else timezone)
    made = _report(settings, kind, Days(zone, since, until), week_start, client)
    if made.newest is None:
        output.note(f"{settings.home.root}: the ledger is empty; `fleet ingest` fills it")
    elif not made.rows:
        output.note(f"nothing was used then; the ledger reaches {made.newest:%Y-%m-%d} UTC")
    if as_json:
        output.document(document_of(made))
    elif made.rows:
        _show(made)


def _report(
    settings: "Settings", kind: "Kind", days: "Days", week_start: str, client: str | None
) -> "Report":
    from fleet_pipeline import ledger
    from fleet_pipeline.org import agents_by_folder
    from fleet_pipeline.pricing import price_book
    from fleet_pipeline.reports.usage import report
    from fleet_pipeline.reports.views import newest_request

    # A block may have begun long before the first of the days.
    rows = ledger.usage(settings.home, None if kind == "blocks" else days.utc_days())
    if client in ("claude", "codex"):
        rows = rows.filter(client=client)
    return report(
        kind,
        rows,
        days,
        newest=newest_request(settings.home),
        agents=agents_by_folder(settings.organisation(), rows["cwd"]) if kind == "agent" else None,
        week_start=week_start,
        book=price_book(settings.home),
    )


def _local_zone(settings: "Settings") -> str:
    """Return the IANA name of this machine's time zone."""
    named = settings.environment.get("TZ", "").removeprefix(":")
    if named and not named.startswith("/"):
        return named
    link = Path(named) if named else _LOCAL_ZONE
    _, found, name = str(link.resolve()).partition("/zoneinfo/")
    if not found:
        raise ConfigurationError(
            "--timezone local: this machine does not say which zone it is in;"
            " name it, as in --timezone Europe/Berlin"
        )
    return name


def _show(made: "Report") -> None:
    from fleet_pipeline.reports.as_text import notes, table
    from fleet_pipeline.reports.text_table import plain

    lines = plain(table(made))
    if sys.stdout.isatty() and len(lines[1]) > get_terminal_size().columns:
        lines = plain(table(made, short=True))
    output.result("\n".join([*lines, "", *notes(made)]))
