"""``fleet doctor``: what is there, what was read, what was left out and why."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings


@click.command()
@options.with_settings
@options.as_json
def doctor(settings: "Settings", as_json: bool) -> None:
    """Say what was found, what was read, what was left out and why. Changes nothing.

    Exit status: 0, or 1 when something is wrong that loses data.
    """
    from fleet_pipeline.cli.diagnosis_text import lines
    from fleet_pipeline.cli.examination import examine
    from fleet_pipeline.cli.problems import problems

    found = examine(settings, options.now())
    wrong = problems(found)
    if as_json:
        output.document({**asdict(found), "problems": [asdict(problem) for problem in wrong]})
    else:
        output.result("\n".join(lines(found, wrong)))
    sys.exit(int(any(problem.loses_data for problem in wrong)))
