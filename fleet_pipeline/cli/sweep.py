"""``fleet sweep``: ask the price feeds, keep what they say, tell what became of it."""

from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.ingest import only_writer

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings


@click.command()
@click.option("--offline", is_flag=True, help="Ask nobody; say what is known and how old it is.")
@options.with_home
@options.as_json
def sweep(settings: "Settings", offline: bool, as_json: bool) -> None:
    """Ask the price feeds once, outside of the weekly job.

    A feed that fails is told and stops nothing: what it last said goes on holding, with its age.
    Exit status: 0, also where feeds failed; 1 it could not be kept; 2 bad usage or configuration, a
    candidate that no price list knows among it; 3 the home is in use.
    """
    from fleet_pipeline import catalog, pricing

    org = settings.organisation()
    with only_writer(settings.home, "fleet sweep"):
        made = catalog.run(
            settings.home,
            org,
            options.now(),
            offline=offline or settings.offline,
            key=settings.environment.get("OPENROUTER_API_KEY"),
        )
    if as_json:
        output.document(made.record())
    else:
        output.result("\n".join(made.lines()))
    catalog.require_known(org, pricing.price_book(settings.home), made.at.date())
