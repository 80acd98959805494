"""Progress on stderr: a bar for a person at a terminal, one plain line for a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fleet_pipeline.cli.output import logs_as_json, note


@contextmanager
def shown(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how much more was done, out of ``total`` if that is known."""
    if logs_as_json() or not sys.stderr.isatty():
        note(f"{what} ...")
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total if total is None else max(total, 1))
        yield lambda more: bar.advance(task, more)


def as_total(advance: Callable[[int], None]) -> Callable[[int], None]:
    """Turn a function that is told 'so much more' into one that is told 'so much in all'."""
    before = 0

    def tell(total: int) -> None:
        nonlocal before
        advance(total - before)
        before = total

    return tell
