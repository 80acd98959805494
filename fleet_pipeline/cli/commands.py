"""The group of commands, in the order in which a newcomer meets them.

Each command has a module of its own, named for it, which is loaded when the command is run.
"""

from importlib import import_module
from typing import Final, cast

import click

from fleet_pipeline.cli import output
from fleet_pipeline.cli.failures import Commands

_NAMES: Final = (
    "refresh", "ingest", "sweep", "probe", "usage", "prices", "query", "explain", "cost", "whatif",
    "packet", "init", "doctor", "recount", "lake", "ship", "demo", "statusline", "ui",
)  # fmt: skip


class _LoadedWhenAskedFor(Commands):
    """A group that loads the module of the one command that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in their order."""
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, which stands in the module of its name."""
        if cmd_name not in _NAMES:
            return None
        module = import_module(f"fleet_pipeline.cli.{cmd_name}")
        return cast(click.Command, getattr(module, cmd_name))


@click.group(
    cls=_LoadedWhenAskedFor,
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
