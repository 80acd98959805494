"""The commands, one function each. What takes time to load is loaded inside."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from fleet_pipeline.cli import progress
from fleet_pipeline.cli.options import as_json, settings_of, with_settings
from fleet_pipeline.errors import BusyError, ConfigurationError, FleetError
from fleet_pipeline.settings import Settings
from fleet_pipeline.weeks import closing, latest_close

_PUBLISHED, _REFUSED, _BAD_USAGE, _BUSY = 0, 1, 2, 3


class _Commands(click.Group):
    """Turns the product's own errors into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FleetError as error:
            click.echo(f"fleet: {error}", err=True)
            status = {BusyError: _BUSY, ConfigurationError: _BAD_USAGE}
            ctx.exit(status.get(type(error), _REFUSED))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fleet-pipeline")
def main() -> None:
    """What a fleet of coding agents uses, what could move elsewhere, and what that would cost."""


@main.command()
@with_settings
@click.option("--as-of", metavar="DATE", help="The Wednesday that closes the week [the latest].")
@click.option("--full", is_flag=True, help="Read every transcript whole again.")
@as_json
def refresh(as_of: str | None, full: bool, as_json: bool, **options: Any) -> None:
    """Read what is new, run the weekly job, publish the page.

    Exit status: 0 published, 1 a check refused, 2 bad usage or configuration, 3 the home is in use.
    """
    settings = settings_of(options)
    close = closing(as_of, _today())
    settings.organisation()
    settings.home.prepare()
    with settings.home.lock("fleet refresh"):
        if not (settings.claude or settings.codex or settings.has_real_transcripts()):
            _stand_in(settings, close)
        _ingest(settings, full)
        from importlib import import_module

        outcome = import_module("assets.runs").publish_week(settings, close)
    if as_json:
        click.echo(json.dumps(outcome, indent=2))
    elif outcome["published"]:
        for warning in outcome["warnings"]:
            click.echo(f"warning: {warning}", err=True)
        click.echo(f"page: {outcome['page']}")
        click.echo(f"ranking: {outcome['ranking']}")
    for refusal in outcome["refusals"]:
        click.echo(f"fleet: {refusal}", err=True)
    sys.exit(_PUBLISHED if outcome["published"] else _REFUSED)


@main.command()
@with_settings
@click.option("--full", is_flag=True, help="Read every transcript whole again.")
@as_json
def ingest(full: bool, as_json: bool, **options: Any) -> None:
    """Bring the ledger up to date, without publishing anything."""
    settings = settings_of(options)
    with _home_of(settings).lock("fleet ingest"):
        _ingest(settings, full)
        if as_json:
            click.echo(json.dumps(_ledger_totals(settings), indent=2))


@main.command()
@click.option("--out", required=True, metavar="DIR", help="An empty or new folder.")
@click.option("--requests", default=107_338, show_default=True, help="How many Claude requests.")
@click.option("--seed", default=7, show_default=True, help="Another seed, another fleet.")
@click.option(
    "--as-of", metavar="DATE", help="The Wednesday after the fleet's 30 days [the latest]."
)
def demo(out: str, requests: int, seed: int, as_of: str | None) -> None:
    """Write a synthetic fleet's transcripts, and the true totals beside them."""
    from fleet_pipeline.demo import write_demo

    close = closing(as_of, _today())
    with progress.shown("writing the demo fleet", requests) as done:
        truth = write_demo(
            Path(out), as_of=close, requests=requests, seed=seed, progress=_steps(done)
        )
    folder = Path(out)
    click.echo(f"{truth.claude.requests:,} Claude and {truth.codex.requests:,} Codex requests")
    click.echo(f"true totals: {folder / 'truth.json'}")
    click.echo(
        f"publish: fleet refresh --claude {folder / '.claude'} --codex {folder / '.codex'}"
        f" --as-of {close}"
    )


@main.command()
@click.option("--org", default="orgs/my-fleet", show_default=True, metavar="DIR")
def init(org: str) -> None:
    """Look at this machine's transcripts and write the files of a starting organisation."""
    from fleet_pipeline.cli.starting import write_organisation

    for path in write_organisation(Path(org)):
        click.echo(f"wrote {path}")
    click.echo(f"Next: edit {org}/agents.yaml, then `fleet refresh --org {org}`.")


@main.command()
@with_settings
@as_json
def doctor(as_json: bool, **options: Any) -> None:
    """Say what was found, what was read, what was left out and why."""
    from fleet_pipeline.cli.diagnosis import diagnosis, lines

    found = diagnosis(settings_of(options))
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines(found)))
    sys.exit(0 if found["problems"] == [] else 1)


@main.command()
@with_settings
@click.option("--port", default=3000, show_default=True, help="On 127.0.0.1 only.")
def ui(port: int, **options: Any) -> None:
    """Open Dagster's web interface on this machine: schedules, lineage, backfills."""
    settings = settings_of(options)
    from importlib import import_module

    os.environ.update(import_module("assets.runs").environment(_ready(settings)))
    command = ["-m", "dagster", "dev", "-m", "assets.definitions", "-h", "127.0.0.1"]
    os.execv(sys.executable, [sys.executable, *command, "-p", str(port)])


def _today() -> Any:
    return datetime.now(UTC).date()


def _ready(settings: Settings) -> Settings:
    settings.home.prepare()
    return settings


def _home_of(settings: Settings) -> Any:
    return _ready(settings).home


def _ingest(settings: Settings, full: bool) -> None:
    from fleet_pipeline import ledger

    sources = settings.sources()
    with progress.shown("reading transcripts", ledger.bytes_to_read(sources)) as done:
        report = ledger.ingest(settings.home, sources, full=full, progress=done)
    if report.changed:
        ledger.recount(settings.home)
    passed_over = "".join(f", {n} {reason}" for reason, n in sorted(report.passed_over.items()))
    click.echo(
        f"transcripts: {report.files:,} found, {report.files_read:,} read"
        f" ({report.bytes_read / 1e6:,.1f} MB){passed_over}",
        err=True,
    )


def _stand_in(settings: Settings, close: Any) -> None:
    from fleet_pipeline.demo.stand_in import stand_in

    click.echo(
        "No transcripts on this machine: the page will show a demo fleet. "
        "Name yours with --claude DIR and --codex DIR.",
        err=True,
    )
    with progress.shown("writing the demo fleet", 107_338) as done:
        stand_in(settings.home, close, _steps(done))


def _steps(done: Any) -> Any:
    """Turn 'so much is done in all' into 'so much more is done'."""
    before = 0

    def step(total: int) -> None:
        nonlocal before
        done(total - before)
        before = total

    return step


def _ledger_totals(settings: Settings) -> dict[str, Any]:
    from fleet_pipeline import ledger
    from fleet_pipeline.usage import totals

    return {
        "usage": totals(ledger.usage(settings.home)),
        "sources": ledger.sources(settings.home),
    }


__all__ = ["latest_close", "main"]
