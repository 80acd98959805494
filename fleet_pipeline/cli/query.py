"""``fleet query``: one SELECT over the ledger, the evidence and the weekly tables."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from fleet_pipeline.reports.answers import Form
    from fleet_pipeline.settings import Settings

_FORMS: Final = ("table", "csv", "json", "parquet")
_FROM_STDIN: Final = "-"


@click.command()
@click.argument("question", metavar="SELECT", required=False)
@click.option("--tables", is_flag=True, help="List the views and their columns instead.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    default="table",
    show_default=True,
    help="How the answer is written.",
)
@click.option("--out", type=click.Path(), metavar="FILE", help="A file for the answer.")
@options.with_home
def query(
    settings: "Settings", question: str | None, tables: bool, form: str, out: str | None
) -> None:
    """Answer one SELECT over the ledger and tables.

    Where SELECT is `-` it is read from standard input.

    Views: usage (the ledger: one row for each request), sessions (each session and model, beside
    what its client says it was billed), quota, events_claude, events_codex, client_totals and
    unfamiliar (the evidence), and every weekly table, all its weeks by `week`, or its last one as
    latest.<table>.
    Each week covers 30 days, so that weeks overlap and must not be added up.

    Nothing can be changed, and no other file be read. Times are UTC. The answer may hold working
    folders: it is private. Exit status: 0, or 2 where the question cannot be answered.
    """
    if (question is None) is not tables:
        raise click.UsageError("give one SELECT (`-` reads it from standard input), or --tables")
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise ConfigurationError("--format parquet is not for a terminal: name a file with --out")
    from fleet_pipeline.home import write_whole
    from fleet_pipeline.reports.answers import in_form
    from fleet_pipeline.reports.asking import ask, columns

    if question == _FROM_STDIN:
        question = sys.stdin.read()
    answer = columns(settings.home) if question is None else ask(settings.home, question)
    written = in_form(cast("Form", form), answer)
    if out is not None:
        write_whole(_new_or_regular(Path(out)), written)
    elif form == "parquet":
        output.binary(written)
    else:
        output.result(written.decode().removesuffix("\n"))


def _new_or_regular(path: Path) -> Path:
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"--out {path}: it is no regular file; name another one")
    return path
