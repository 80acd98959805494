"""``fleet demo``: transcripts of a fleet that nobody runs, with the truth about them."""

import shlex
from pathlib import Path

import click

from fleet_pipeline.cli import options, output, progress

_REQUESTS = 107_338  # as on the reference page; the demo is not loaded for its --help


@click.command()
@click.option("--out", required=True, type=options.FOLDER, help="A new or empty folder.")
@click.option(
    "--requests",
    default=_REQUESTS,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many Claude requests.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, another fleet.")
@options.as_of
def demo(out: str, requests: int, seed: int, as_of: str | None) -> None:
    """Write a synthetic fleet's transcripts and their true totals.

    The fleet works on the 30 days before --as-of. Publish it from a home of its own: what was read
    once is kept for good.
    """
    from fleet_pipeline.demo import write_demo

    close = options.close_of(as_of)
    folder = Path(out)
    with progress.shown("writing the demo fleet", requests) as advance:
        truth = write_demo(
            folder, as_of=close, requests=requests, seed=seed, progress=progress.as_total(advance)
        )
    places = {"home": ".fleet", "claude": ".claude", "codex": ".codex"}
    named = " ".join(f"--{name} {shlex.quote(str(folder / at))}" for name, at in places.items())
    output.result(
        f"{truth.claude.requests:,} Claude and {truth.codex.requests:,} Codex requests\n"
        f"true totals: {folder / 'truth.json'}\n"
        f"publish them: fleet refresh {named} --as-of {close}"
    )
