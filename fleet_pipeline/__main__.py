"""Where the ``fleet`` command begins: at ``cli``, but for the status line.

Claude Code prints the status line again with every reply; to load what all other commands need
would cost it several times what it does.
"""

import sys


def main() -> None:
    """Run the command that the arguments name."""
    if sys.argv[1:] == ["statusline"]:
        from fleet_pipeline.statusline.command import main as statusline

        sys.exit(statusline())
    from fleet_pipeline.cli import main as fleet

    fleet()


if __name__ == "__main__":
    main()
