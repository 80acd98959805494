"""``fleet probe``: ask the candidates what is due of the shipped probes, and keep the grades."""

from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.ingest import only_writer

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings


@click.command()
@click.option("--model", "models", multiple=True, help="Ask this candidate only (its id).")
@click.option("--dry-run", is_flag=True, help="Say what is due and send nothing.")
@options.with_home
@options.as_json
def probe(settings: "Settings", models: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Ask the candidates the probes that are due.

    Run it every day: a week's probes are spread over its days, and take at most half of what a free
    tier allows. Without a lane, a key or permission nothing is sent, and why is said. Exit status:
    0, also where nothing was sent; 2 bad usage or configuration; 3 the home is in use.
    """
    from fleet_pipeline.errors import ConfigurationError
    from fleet_pipeline.probes import running

    org = settings.organisation()
    for name in models:
        if name not in {model.id for model in org.models}:
            raise ConfigurationError(f"models.yaml lists no model {name}")
    with only_writer(settings.home, "fleet probe"):
        made = running.probe(
            settings.home,
            org,
            settings.environment,
            options.now,
            models=models,
            dry_run=dry_run,
        )
    if as_json:
        output.document(made.record())
    else:
        output.result("\n".join(made.lines()))
