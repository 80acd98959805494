"""``fleet statusline`` among the other commands; how it is run is told in ``__main__``."""

import click


@click.command()
def statusline() -> None:
    """Print a status line for Claude Code, and log its limits.

    Claude Code runs this itself, with its status on stdin; `fleet init` offers to set it up. Prints
    one line and ends with 0, whatever happens.
    """
    from fleet_pipeline.statusline.command import main

    click.get_current_context().exit(main())
