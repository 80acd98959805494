"""``fleet ui``: Dagster's web interface, reachable from this machine only."""

import os
import socket
import sys
from typing import TYPE_CHECKING, Final

import click

from fleet_pipeline.cli import options
from fleet_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings

_LOOPBACK: Final = "127.0.0.1"


@click.command()
@options.with_home
@click.option(
    "--port",
    default=3000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help=f"On {_LOOPBACK} only.",
)
def ui(settings: "Settings", port: int) -> None:
    """Open Dagster's web interface on this machine.

    It shows runs, lineage and checks, and starts backfills. As long as it runs, so do the
    schedules: each night for the transcripts, each Wednesday for the page.
    """
    settings.home.prepare()
    _require_free(port)
    from fleet_pipeline.cli import graph

    os.environ.update(graph.runs().environment(settings))
    command = ["-m", "dagster", "dev", "-m", "assets.definitions", "-h", _LOOPBACK, "-p", str(port)]
    os.execv(sys.executable, [sys.executable, *command])


def _require_free(port: int) -> None:
    """Raise ConfigurationError where nobody could listen at ``port``; Dagster would only crash."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_LOOPBACK, port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} cannot be used ({error.strerror}); choose another with --port"
            ) from None
