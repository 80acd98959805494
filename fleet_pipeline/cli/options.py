"""Options that several commands share, and what they are turned into."""

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

import click

from fleet_pipeline.weeks import closing

Command = Callable[..., None]


class _Folder(click.ParamType[str]):
    """A folder; an empty name is a variable that was not set, not the current folder."""

    name = "DIR"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        if not str(value).strip():
            self.fail("it is empty; name a folder", param, ctx)
        return str(value)


class _Day(click.ParamType[date]):
    """A day as 2026-06-17 or 20260617."""

    name = "DATE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value}: write a date such as 2026-06-17", param, ctx)


FOLDER: Final = _Folder()
DAY: Final = _Day()

_WHERE: Final = (
    click.option("--org", type=FOLDER, help="The organisation's files [orgs/riles-fleet]."),
    click.option("--home", type=FOLDER, help="Where the data is kept [.fleet]."),
)
_WHAT: Final = (
    click.option(
        "--claude",
        multiple=True,
        type=FOLDER,
        help="A folder of Claude Code to read, instead of all usual places. May be repeated.",
    ),
    click.option(
        "--codex",
        multiple=True,
        type=FOLDER,
        help="A folder of Codex to read, instead of all usual places. May be repeated.",
    ),
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
full = click.option("--full", is_flag=True, help="Read every transcript whole again.")
as_of = click.option(
    "--as-of", metavar="DATE", help="The Wednesday that closes the week [the latest]."
)


def with_settings(command: Command) -> Command:
    """Give a command the options that say where things are and what to read, as ``settings``."""
    return _with(command, (*_WHERE, *_WHAT))


def with_home(command: Command) -> Command:
    """Give a command the options that say where things are, as ``settings``."""
    return _with(command, _WHERE)


def close_of(text: str | None) -> date:
    """Return the close that ``--as-of`` asks for, the latest one if it was not given."""
    return closing(text, now().date())


def now() -> datetime:
    """Return the present moment in UTC; no published byte depends on it."""
    return datetime.now(UTC)


def _with(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    @functools.wraps(command)
    def with_options(
        *,
        home: str | None,
        org: str | None,
        claude: tuple[str, ...] = (),
        codex: tuple[str, ...] = (),
        **others: object,
    ) -> None:
        from fleet_pipeline.settings import settings

        made = settings(home, org, claude, codex)
        # An error of the file system that names no path is then told with the home's.
        click.get_current_context().find_root().obj = made.home.root
        command(settings=made, **others)

    wrapped: Command = with_options
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
