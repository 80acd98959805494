"""What becomes of an error: one line for a person, an exit status for a script.

Lines hold no text of a transcript: of an unexpected error only its type and place are told, since
its message may quote what was being read.
"""

import traceback
from collections.abc import Iterator
from typing import Final

import click

from fleet_pipeline.cli.output import logs_as_json, note
from fleet_pipeline.errors import BusyError, ConfigurationError, FleetError, origin

PUBLISHED: Final = 0
REFUSED: Final = 1
BAD_USAGE: Final = 2
BUSY: Final = 3
_INTERRUPTED: Final = 130


class Commands(click.Group):
    """A group of commands that turns errors into an exit status."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what goes wrong in it is told here and nowhere else."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if not logs_as_json():
                raise
            note(error.format_message(), "error")
            ctx.exit(error.exit_code)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except (FleetError, OSError) as error:
            note(f"fleet: {said(error, ctx)}", "error")
            ctx.exit(_status(error))
        except Exception as error:
            note(f"fleet {ctx.invoked_subcommand}: {said(error, ctx)}", "error")
            if ctx.params["debug"]:
                note("\n".join(_trace(error)), "error")
            ctx.exit(_status(error))


def said(error: Exception, ctx: click.Context) -> str:
    """Return an error in words that may be repeated: what is wrong, where, what to do."""
    root = ctx.find_root()
    if isinstance(error, FleetError):
        return str(error)
    if isinstance(error, OSError):
        return f"{_place(error, root.obj)}: {error.strerror or error}"
    command = root.invoked_subcommand
    return (
        f"unexpected {type(error).__qualname__} at {origin(error)}; this is a bug, please report"
        f" it with what `fleet --debug {command}` says"
    )


def _status(error: Exception) -> int:
    if isinstance(error, BusyError):
        return BUSY
    return BAD_USAGE if isinstance(error, ConfigurationError) else REFUSED


def _place(error: OSError, home: object) -> object:
    """Return the path that the system refused, or the home where it names none."""
    return error.filename or error.filename2 or home or "cannot go on"


def _trace(error: BaseException) -> Iterator[str]:
    """Yield where an error and its causes came from: types and places, never messages."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _trace(cause)
    yield "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__
