"""``fleet init``: the files of an organisation that nobody has configured yet.

And the offer to have Claude Code tell its limits, which are in no transcript.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from fleet_pipeline.cli import options, output

if TYPE_CHECKING:
    from fleet_pipeline.statusline.installation import Change

Statusline = Literal["install", "replace", "no", "undo"]

_WHY = "Claude Code tells how full its limits are only to its status line, in no transcript."


@click.command()
@click.option(
    "--org",
    default="orgs/my-fleet",
    show_default=True,
    envvar="FLEET_ORG",
    type=options.FOLDER,
    help="The folder to make; its name becomes the organisation's.",
)
@click.option(
    "--install-statusline",
    "statusline",
    flag_value="install",
    help="Have Claude Code run `fleet statusline`, without asking.",
)
@click.option(
    "--replace-statusline",
    "statusline",
    flag_value="replace",
    help="The same, in the place of another status line.",
)
@click.option(
    "--no-statusline", "statusline", flag_value="no", help="Leave Claude Code's settings alone."
)
@click.option(
    "--undo-statusline",
    "statusline",
    flag_value="undo",
    help="Only take fleet's status line out again; what it replaced comes back.",
)
def init(org: str, statusline: Statusline | None) -> None:
    """Write the files of a starting organisation.

    Its agents are guessed from the folders that this machine's clients worked in. Files that are
    there already stay as they are. On a terminal it then asks whether Claude Code shall run `fleet
    statusline`, and says first what that changes.
    """
    if statusline == "undo":
        _undo()
        return
    # Found out first: what cannot be installed as was asked shall leave nothing half done.
    change = _installation(statusline) if statusline in ("install", "replace") else None
    _write_organisation(Path(org), may_be_complete=statusline in ("install", "replace"))
    if statusline is None:
        _offer()
    elif statusline != "no":
        _install(change)


def _write_organisation(folder: Path, *, may_be_complete: bool) -> None:
    from fleet_pipeline.cli.starting import is_complete, write_organisation

    if may_be_complete and is_complete(folder):
        return
    for path in write_organisation(folder):
        output.result(f"wrote {path}")
    output.result(
        f"Next: look through {folder / 'agents.yaml'},"
        f" then `fleet refresh --org {shlex.quote(str(folder))}`."
    )


def _offer() -> None:
    """Ask on a terminal; elsewhere say how. Nothing where Claude Code, or its line, is not."""
    from fleet_pipeline.errors import ConfigurationError

    if not _claude_folder().is_dir():
        return
    try:
        change = _installation(None)
    except ConfigurationError as error:
        output.note(f"{_WHY} {error}")
        return
    if change is None:
        return
    if not _on_a_terminal():
        output.note(f"{_WHY} `fleet init --install-statusline` has it run `fleet statusline`.")
        return
    output.result(f"\n{_WHY} To have it run `fleet statusline`, this would be changed:")
    output.result("\n".join(change.described()))
    if click.confirm("Change it? (`fleet init --undo-statusline` takes it back)", default=False):
        _install(change)


def _installation(statusline: Statusline | None) -> "Change | None":
    from fleet_pipeline.errors import ConfigurationError
    from fleet_pipeline.statusline.installation import fleet_command, installation

    folder = _claude_folder()
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder}: there is no such folder, so Claude Code was never run here;"
            " run it once, or say with CLAUDE_CONFIG_DIR where its folder is"
        )
    return installation(folder, fleet_command(os.environ), replace=statusline == "replace")


def _install(change: "Change | None") -> None:
    if change is None:
        output.result("Claude Code runs `fleet statusline` already; nothing was changed.")
        return
    change.apply()
    output.result("\n".join(["changed " + change.described()[0], *change.described()[1:]]))
    output.result("`fleet init --undo-statusline` takes it back.")


def _undo() -> None:
    from fleet_pipeline.statusline.installation import removal

    change = removal(_claude_folder())
    if change is None:
        output.result("Claude Code does not run `fleet statusline`; nothing was changed.")
        return
    change.apply()
    output.result("\n".join(["changed " + change.described()[0], *change.described()[1:]]))


def _claude_folder() -> Path:
    from fleet_pipeline.statusline.log import claude_folder

    return Path(claude_folder(os.environ))


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
