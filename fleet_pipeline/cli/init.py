"""``fleet init``: the files of an organisation that nobody has configured yet."""

import shlex
from pathlib import Path

import click

from fleet_pipeline.cli import options, output


@click.command()
@click.option(
    "--org", default="orgs/my-fleet", show_default=True, envvar="FLEET_ORG", type=options.FOLDER,
    help="The folder to make; its name becomes the organisation's.",
)  # fmt: skip
def init(org: str) -> None:
    """Write the files of a starting organisation.

    Its agents are guessed from the folders that this machine's clients worked in. Files that are
    there already stay as they are.
    """
    from fleet_pipeline.cli.starting import write_organisation

    for path in write_organisation(Path(org)):
        output.result(f"wrote {path}")
    output.result(
        f"Next: look through {Path(org) / 'agents.yaml'},"
        f" then `fleet refresh --org {shlex.quote(org)}`."
    )
