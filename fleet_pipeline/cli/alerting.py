"""``--alert``: whoever ``fleet.yaml`` names is told of a command that failed, for cron and systemd.

Dagster's sensor tells of the runs that its interface started, and of no others: nobody hears twice.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.failures import said
from fleet_pipeline.errors import ConfigurationError, FleetError

_NO_FAILURES: Final = (click.exceptions.Exit, click.Abort, BrokenPipeError)

alert = click.option(
    "--alert", is_flag=True, help="If this fails, tell whom fleet.yaml names under alerts."
)


class Alerting(click.Command):
    """A command with ``--alert``: it tells of all that ends it, a misspelt option included.

    A failure that the command itself finds, and that raises nothing, it tells with ``tell``.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the command line; a mistake in it is told by what can be understood of it."""
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if "--alert" in given:
                rest = super().make_context(info_name, given, parent, resilient_parsing=True)
                tell(rest, [error.format_message()])
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong in it is told, and raised."""
        try:
            return super().invoke(ctx)
        except _NO_FAILURES:
            raise
        except Exception as error:
            if ctx.params["alert"]:
                tell(ctx, [said(error, ctx)])
            raise


def tell(ctx: click.Context, reasons: Sequence[str], run_id: str | None = None) -> None:
    """Tell why a command failed; a channel that does not take it is named on stderr."""
    from fleet_pipeline import alerts
    from fleet_pipeline.org import fleet_file
    from fleet_pipeline.settings import of_organisation

    try:
        settings = of_organisation(ctx.params.get("org"))
        fleet = fleet_file(settings.org_folder)
    except FleetError:
        output.note("warning: nobody was told: no fleet.yaml can be read that says whom", "warning")
        return
    close = _close(ctx.params["as_of"]) if ctx.info_name == "refresh" else None
    failure = alerts.Failure(
        fleet=fleet.name,
        job=f"fleet {ctx.info_name}",
        run_id=run_id,
        close=close.isoformat() if close else None,
        reasons=tuple(reasons),
    )
    for untold in alerts.tell(fleet.alerts, failure, settings.environment):
        output.note(f"warning: not told: {untold}", "warning")


def _close(as_of: str | None) -> date | None:
    try:
        return options.close_of(as_of)
    except ConfigurationError:
        return None
