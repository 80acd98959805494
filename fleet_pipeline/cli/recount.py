"""``fleet recount``: all of history again, from what was kept, by the counting rules of today."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.ingest import only_writer

if TYPE_CHECKING:
    from fleet_pipeline.home import Home
    from fleet_pipeline.settings import Settings
    from fleet_pipeline.usage import Totals


@click.command()
@options.with_home
@options.as_json
def recount(settings: "Settings", as_json: bool) -> None:
    """Count all of history again, and tell what changed.

    No transcript is needed: the evidence is kept. A damaged day of the ledger is counted again;
    nobody knows what it held, so that it is left out of what is compared. Exit status: 0 done, 1
    the ledger could not be written or the evidence is damaged, 2 bad usage or configuration, 3 the
    home is in use.
    """
    from fleet_pipeline import ledger
    from fleet_pipeline.usage import changes

    with only_writer(settings.home, "fleet recount"):
        damaged = ledger.drop_damaged_days(settings.home)
        before = _totals_without(damaged, settings.home)
        files = ledger.recount(settings.home, everything=True)
        after = _totals_without(damaged, settings.home)
    changed = changes(before, after)
    if as_json:
        output.document(
            {"files_changed": files, "damaged": damaged, "before": before, "after": after}
        )
        return
    for path in damaged:
        output.result(f"{path} was damaged: counted again, and left out of what is compared")
    for client, name, old, new in changed:
        output.result(f"{client} {name}: {old:,} -> {new:,} ({new - old:+,})")
    if not changed:
        output.result("no total changed")
    output.result(f"{files:,} of the ledger's files changed")


def _totals_without(files: Sequence[Path], home: "Home") -> "Totals":
    """Return the totals of the ledger, but for the days of some of its files."""
    import polars as pl

    from fleet_pipeline import ledger
    from fleet_pipeline.ledger.days import day_of, host_of
    from fleet_pipeline.usage import totals

    left_out = [(host_of(path), day_of(path)) for path in files]
    of_file = pl.DataFrame(left_out, schema={"host": pl.String, "_day": pl.Date}, orient="row")
    rows = ledger.usage(home).with_columns(_day=pl.col("ts").dt.date())
    return totals(rows.join(of_file, on=["host", "_day"], how="anti").drop("_day"))
