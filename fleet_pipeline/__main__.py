"""Where the ``fleet`` command begins: at ``cli``, but for the status line.

Claude Code prints the status line again with every reply; to load what all other commands need
would cost it several times what it does.
"""

import gc
import os
import sys


def main() -> None:
    """Run the command that the arguments name."""
    _open_what_was_closed()
    if sys.argv[1:] == ["statusline"]:
        from fleet_pipeline.statusline.command import main as statusline

        sys.exit(statusline())
    # Ingestion works on a day at a time: a second thread costs more than it brings, and each keeps
    # freed memory in a heap of its own. Both are read when Polars loads.
    if sys.argv[1:2] == ["ingest"]:
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
        gc.disable()  # most of a nightly run is loading, which leaves nothing to collect
    os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:50,muzzy_decay_ms:0")
    from fleet_pipeline.cli import main as fleet

    try:
        fleet()
    except SystemExit as end:
        _leave(end)
    except OSError as error:  # of the help: what goes wrong in a command is told by the command
        print(f"fleet: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(1)  # Python itself would try again to write what was refused


def _open_what_was_closed() -> None:
    """Read from nowhere, and write to nowhere, where a stream was closed (``fleet ingest >&-``).

    The first file to be opened would otherwise get its number, and what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115 - no path, and open to the end


def _leave(end: SystemExit) -> None:
    """End here: all is written, and to take apart what a run has loaded takes most of a second."""
    if not isinstance(end.code, int | None):
        raise end  # it is a text, which Python prints
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        raise end from None  # a reader who has left is told of as Python always does
    os._exit(end.code or 0)


if __name__ == "__main__":
    main()
