"""``fleet recount``: all of history again, from what was kept, by the counting rules of today."""

from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.ingest import only_writer

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings


@click.command()
@options.with_home
@options.as_json
def recount(settings: "Settings", as_json: bool) -> None:
    """Count all of history again, and tell what changed.

    No transcript is needed: the evidence is kept. Exit status: 0 done, 1 it could not be written,
    2 bad usage or configuration, 3 the home is in use.
    """
    from fleet_pipeline import ledger
    from fleet_pipeline.usage import changes, totals

    with only_writer(settings.home, "fleet recount"):
        before = totals(ledger.usage(settings.home))
        files = ledger.recount(settings.home, everything=True)
        after = totals(ledger.usage(settings.home))
    changed = changes(before, after)
    if as_json:
        output.document({"files_changed": files, "before": before, "after": after})
        return
    for client, name, old, new in changed:
        output.result(f"{client} {name}: {old:,} -> {new:,} ({new - old:+,})")
    if not changed:
        output.result("no total changed")
    output.result(f"{files:,} of the ledger's files changed")
