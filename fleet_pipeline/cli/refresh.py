"""``fleet refresh``: from transcripts to the published page, in one go."""

import sys
from datetime import date
from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import alerting, options, output, progress
from fleet_pipeline.cli.failures import PUBLISHED, REFUSED
from fleet_pipeline.cli.ingest import bring_up_to_date, only_writer
from fleet_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from fleet_pipeline.settings import Settings
    from fleet_pipeline.weeks import Outcome


@click.command(cls=alerting.Alerting)
@options.with_settings
@options.as_of
@options.full
@click.option(
    "--accept",
    "check",
    metavar="CHECK",
    help="Let this check fail in this week; the page says so. Needs --because.",
)
@click.option("--because", metavar="WHY", help="Why it is accepted: published with the page.")
@alerting.alert
@options.as_json
def refresh(
    settings: "Settings",
    as_of: str | None,
    full: bool,
    check: str | None,
    because: str | None,
    alert: bool,
    as_json: bool,
) -> None:
    """Read what is new, run the weekly job, publish the page.

    Exit status: 0 published, 1 a check refused, 2 bad usage or configuration, 3 the home is in use.
    """
    close = options.close_of(as_of)
    settings.organisation()
    accepted = _acceptance(check, because)
    with only_writer(settings.home, "fleet refresh"):
        if _has_nothing_to_show(settings):
            _stand_in(settings, close)
        if accepted:
            from fleet_pipeline.quality import accept

            accept(settings.home, close, *accepted)
        bring_up_to_date(settings, full)
        with progress.shown("running the weekly job"):
            from fleet_pipeline.cli import graph

            outcome = graph.runs().publish_week(settings, close)
    _tell(outcome, as_json)
    if alert and not outcome["published"]:
        alerting.tell(click.get_current_context(), outcome["refusals"], outcome["run_id"])
    sys.exit(PUBLISHED if outcome["published"] else REFUSED)


def _acceptance(check: str | None, because: str | None) -> tuple[str, str] | None:
    """Return what is to be accepted, and why; raises ConfigurationError for half of it."""
    if check is None and because is None:
        return None
    if not check or not (because or "").strip():
        raise ConfigurationError('say which check and why: --accept CHECK --because "…"')
    from fleet_pipeline.quality.accepted import LONGEST_REASON
    from fleet_pipeline.quality.names import REFUSING, nearest

    reason = " ".join((because or "").split())
    if len(reason) > LONGEST_REASON:
        raise ConfigurationError(f"--because: say it in {LONGEST_REASON} characters")
    if check not in REFUSING:
        raise ConfigurationError(
            f"--accept {check}: no check of that name refuses; {nearest(check)}"
        )
    return check, reason


def _has_nothing_to_show(settings: "Settings") -> bool:
    """Say whether nobody named a folder, none has a transcript, and none ever was read."""
    from fleet_pipeline import ledger
    from fleet_pipeline.home import DEMO_HOST
    from fleet_pipeline.transcripts.discover import find

    return (
        not settings.named_places()
        and not find(settings.own_places()).files
        and set(ledger.usage(settings.home)["host"].unique()) <= {DEMO_HOST}
    )


def _stand_in(settings: "Settings", close: date) -> None:
    from fleet_pipeline.demo.stand_in import stand_in
    from fleet_pipeline.demo.volumes import REQUESTS

    output.note(
        "No transcripts on this machine: the page will show a demo fleet."
        " Name yours with --claude DIR and --codex DIR."
    )
    with progress.shown("preparing the demo fleet", REQUESTS) as advance:
        stand_in(settings.home, close, progress.as_total(advance))


def _tell(outcome: "Outcome", as_json: bool) -> None:
    for warning in outcome["warnings"]:
        output.note(f"warning: {warning}", "warning")
    for refusal in outcome["refusals"]:
        output.note(f"fleet: {refusal}", "error")
    if as_json:
        output.document(outcome)
    elif outcome["published"]:
        output.result(f"page: {outcome['page']}\nranking: {outcome['ranking']}")
