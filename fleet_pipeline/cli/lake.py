"""``fleet lake``: what the store holds, making it smaller, and letting go of old days."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.ingest import only_writer
from fleet_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from fleet_pipeline.ledger.upkeep import LetGo, Rewritten
    from fleet_pipeline.settings import Settings

_LEAST_AGE: Final = timedelta(days=60)
"""No day younger than this goes: a page needs thirty, and is compared with the weeks before."""

_ONLY_TOLD = "nothing was changed: --yes does it"

for_real = click.option("--yes", "for_real", is_flag=True, help="Do it; without, only tell.")


@click.group()
def lake() -> None:
    """Look after the store: how large it is, and what of it may go.

    Nothing here ever runs by itself.
    """


@lake.command()
@options.with_home
@options.as_json
def status(settings: "Settings", as_json: bool) -> None:
    """Say what the store holds, table by table. Changes nothing."""
    from fleet_pipeline.ledger import upkeep
    from fleet_pipeline.store_format import FORMAT, require_known_format

    found = upkeep.holdings(settings.home)
    known = require_known_format(settings.home)
    if as_json:
        tables = [asdict(one) for one in found]
        output.document({"format": known, "newest_format": FORMAT, "tables": tables})
        return
    output.result(f"format {known or 'not marked yet'}, this version writes {FORMAT}")
    for one in found:
        days = f"  {one.first} to {one.last}" if one.first else ""
        output.result(
            f"{one.table:<12} {one.files:>8,} files {one.rows:>12,} rows"
            f" {one.bytes / 1e6:>10,.1f} MB{days}"
        )


@lake.command()
@for_real
@options.with_home
@options.as_json
def compact(settings: "Settings", for_real: bool, as_json: bool) -> None:
    """Rewrite what is kept for good smaller, row by row the same.

    Exit status: 0 done or told, 1 a file is damaged or the disk refused, 3 the home is in use.
    """
    from fleet_pipeline.ledger import upkeep

    with only_writer(settings.home, "fleet lake compact"):
        done = upkeep.compact(settings.home, for_real=for_real)
    _tell(
        done,
        f"{done.files:,} files {'shrank' if for_real else 'would shrink'}:"
        f" {done.bytes_before / 1e6:,.1f} MB to {done.bytes_after / 1e6:,.1f} MB;"
        f" {done.leftovers:,} half-written files {'removed' if for_real else 'could go'}",
        for_real=for_real,
        as_json=as_json,
    )


@lake.command()
@click.option("--before", type=options.DAY, required=True, help="The first day that stays.")
@click.option(
    "--lower-totals",
    is_flag=True,
    help="Evidence and ledger of those days, too. They are then counted no more, ever.",
)
@for_real
@options.with_home
@options.as_json
def retain(
    settings: "Settings", before: date, lower_totals: bool, for_real: bool, as_json: bool
) -> None:
    """Let go of what is older than a day.

    By itself only weekly tables go, which can be made again. With --lower-totals the days
    themselves go; published pages stay as they are. Where days that stay would count
    differently without them, nothing goes.

    Exit status: 0 done or told, 1 the disk refused, 2 it may not be, 3 the home is in use.
    """
    from fleet_pipeline.ledger import upkeep

    latest = options.now().date() - _LEAST_AGE
    if before > latest:
        raise ConfigurationError(
            f"--before {before}: pages need the days since {latest}; name that day or an earlier"
        )
    with only_writer(settings.home, "fleet lake retain"):
        done = upkeep.let_go(settings.home, before, of_evidence=lower_totals, for_real=for_real)
    _tell(
        done,
        f"before {before}: {done.weekly_files:,} weekly tables, {done.evidence_files:,} days of"
        f" evidence and ledger, {done.bytes / 1e6:,.1f} MB"
        f" {'are gone' if for_real else 'would go'}; {done.requests:,} requests"
        f" {'are' if for_real else 'would be'} counted no more",
        for_real=for_real,
        as_json=as_json,
    )


def _tell(done: "Rewritten | LetGo", in_words: str, *, for_real: bool, as_json: bool) -> None:
    if as_json:
        output.document({**asdict(done), "done": for_real})
        return
    output.result(in_words)
    if not for_real:
        output.note(_ONLY_TOLD)
