"""Options that several commands share, and what they are turned into."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fleet_pipeline.settings import Settings, settings

Command = TypeVar("Command", bound=Callable[..., Any])

_SHARED = (
    click.option("--org", metavar="DIR", help="The organisation's files [orgs/riles-fleet]."),
    click.option("--home", metavar="DIR", help="Where the data is kept [.fleet]."),
    click.option(
        "--claude",
        multiple=True,
        metavar="DIR",
        help="A folder of Claude Code to read, instead of all usual places. May be repeated.",
    ),
    click.option(
        "--codex",
        multiple=True,
        metavar="DIR",
        help="A folder of Codex to read, instead of all usual places. May be repeated.",
    ),
)


def with_settings(command: Command) -> Command:
    """Give a command the options that say where things are."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def settings_of(options: dict[str, Any]) -> Settings:
    """Take the shared options out of ``options`` and return what they mean."""
    return settings(
        options.pop("home"), options.pop("org"), options.pop("claude"), options.pop("codex")
    )


as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
