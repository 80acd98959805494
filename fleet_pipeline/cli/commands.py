"""The group of commands, in the order in which a newcomer meets them.

Each command has a module of its own, and loads what takes time to load when it is run.
"""

import click

from fleet_pipeline.cli import output
from fleet_pipeline.cli.cost import cost
from fleet_pipeline.cli.demo import demo
from fleet_pipeline.cli.doctor import doctor
from fleet_pipeline.cli.explain import explain
from fleet_pipeline.cli.failures import Commands
from fleet_pipeline.cli.ingest import ingest
from fleet_pipeline.cli.init import init
from fleet_pipeline.cli.lake import lake
from fleet_pipeline.cli.packet import packet
from fleet_pipeline.cli.prices import prices
from fleet_pipeline.cli.probe import probe
from fleet_pipeline.cli.query import query
from fleet_pipeline.cli.recount import recount
from fleet_pipeline.cli.refresh import refresh
from fleet_pipeline.cli.ship import ship
from fleet_pipeline.cli.statusline import statusline
from fleet_pipeline.cli.sweep import sweep
from fleet_pipeline.cli.ui import ui
from fleet_pipeline.cli.usage import usage
from fleet_pipeline.cli.whatif import whatif


@click.group(
    cls=Commands,
    help="What a fleet of coding agents uses, what could move elsewhere, and what that would cost.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--debug",
    is_flag=True,
    envvar="FLEET_DEBUG",
    show_envvar=True,
    help="Show where an unexpected error came from.",
)
@click.option(
    "--log",
    type=click.Choice(("text", "json")),
    default="text",
    envvar="FLEET_LOG",
    show_envvar=True,
    help="How what goes on is told on stderr: lines for people, or one JSON object a line.",
)
@click.version_option(package_name="fleet-pipeline", prog_name="fleet")
@click.pass_context
def main(context: click.Context, debug: bool, log: str) -> None:
    """Take the options of every command."""
    output.log_as_json(context.invoked_subcommand if log == "json" else None)


for command in (
    refresh, ingest, sweep, probe, usage, prices, query, explain, cost, whatif, packet, init,
    doctor, recount, lake, ship, demo, statusline, ui,
):  # fmt: skip
    main.add_command(command)
