"""What follows from a diagnosis: what is wrong, what to do, and whether data is lost meanwhile.

Pure: a diagnosis in, problems out, the worst first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from fleet_pipeline.cli.diagnosis import Diagnosis
from fleet_pipeline.cli.examination import ENDANGERED, MEASURED
from fleet_pipeline.home import DEMO_HOST
from fleet_pipeline.hosts import QUIET_DAYS, is_quiet, told
from fleet_pipeline.ledger.store import remedy
from fleet_pipeline.quality import quarantine_is_small

_QUIET: Final = timedelta(days=QUIET_DAYS)

_FEW_ARE_FINAL: Final = 0.9


@dataclass(frozen=True)
class Problem:
    """One thing to mend; with ``loses_data`` something goes uncounted for as long as it stays."""

    what: str
    do: str
    loses_data: bool = False


def problems(found: Diagnosis) -> list[Problem]:
    """Return everything that is worth mending, what loses data first."""
    rules = (
        _of_home, _of_organisation, _of_alerts, _of_reading, _of_counting, _of_hosts,
        _of_publication,
    )  # fmt: skip
    every = [problem for rule in rules for problem in rule(found)]
    return sorted(every, key=lambda problem: not problem.loses_data)


def _of_home(found: Diagnosis) -> Iterator[Problem]:
    home = found.home
    if not home.writable:
        yield Problem(f"{home.folder} cannot be written", "choose another folder with --home", True)
    for do, damaged in groupby(home.damaged, lambda name: remedy(Path(name))):
        yield Problem(f"damaged: {_listed([*damaged])}", do, True)
    if home.set_aside:
        yield Problem(
            f"damaged and set aside: {_listed(home.set_aside)}",
            "bring the file back from a backup and run `fleet ingest --full`; delete what was set"
            " aside once nothing of it is missed",
            True,
        )
    if found.register.state == "damaged":
        yield Problem(
            "lake/register.parquet is damaged",
            "nothing: the next reading takes a little longer and writes it anew",
        )


def _of_organisation(found: Diagnosis) -> Iterator[Problem]:
    org = found.organisation
    if org.mistakes:
        yield Problem(
            f"{counted(len(org.mistakes), 'mistake')} in {org.folder},"
            " so nothing is read or published",
            "mend them: " + "; ".join(org.mistakes),
            True,
        )
    elif not org.exists:
        yield Problem(
            f"{org.folder}: no organisation, so no page can be published",
            "`fleet init` writes one; or name yours with --org",
        )


def _of_alerts(found: Diagnosis) -> Iterator[Problem]:
    for fault in found.alerts.faults:
        yield Problem(
            f"nobody would be told by {fault}",
            "set the variable where the pipeline runs: for systemd in"
            " ~/.config/fleet/environment, for cron above its lines; or take the channel out of"
            " fleet.yaml",
        )


def _of_reading(found: Diagnosis) -> Iterator[Problem]:
    seen = found.transcripts
    faults = {place.host: place.fault for place in found.places if place.fault}
    for host, fault in faults.items():
        yield Problem(
            f"host {host} cannot be read: {fault}",
            "mend that and run `fleet ingest`; what was read of it before still counts",
        )
    for place in found.places:
        if place.named and not place.exists and not place.fault:
            yield Problem(
                f"{place.folder}, listed for {place.host}, does not exist, so nothing is read",
                "bring it back, or take it out of fleet.yaml",
                True,
            )
    unreadable = {
        reason: count for reason, count in seen.passed_over.items() if "not readable" in reason
    }
    for reason, count in unreadable.items():
        yield Problem(f"{count:,} passed over: {reason}", "give this user the right to read", True)
    if not sum(seen.files.values()):
        yield Problem("there are no transcripts", "name their folders with --claude and --codex")
    elif seen.newest and found.now - seen.newest > _QUIET:
        yield Problem(
            f"no transcript was written for {_days(found.now - seen.newest)}",
            "nothing if nobody worked; otherwise name the right folders with --claude and --codex",
        )
    if seen.endangered:
        yield Problem(
            f"older than {_days(ENDANGERED)} and not read:"
            f" {counted(seen.endangered, 'transcript')}",
            "run `fleet ingest` now, and each night from then on: Claude Code deletes its"
            " transcripts after 30 days",
            True,
        )
    elif seen.unread:
        yield Problem(
            f"not read yet, or grown since: {counted(seen.unread, 'transcript')}"
            f" ({seen.unread_bytes / 1e6:,.1f} MB)",
            "run `fleet ingest`; what then stays unread is named by it",
        )


def _of_counting(found: Diagnosis) -> Iterator[Problem]:
    if found.sources is not None:
        outcome = quarantine_is_small(found.sources)
        if not outcome.passed:
            yield Problem(
                f"many lines were left out: {outcome.says}",
                "look for a newer version of fleet_pipeline: this one does not know the format",
                True,
            )
    for part in found.usage:
        if part.output_final_share < _FEW_ARE_FINAL:
            yield Problem(
                f"{part.client} on {part.host}: {part.output_final_share:.0%} of its requests"
                " have their final output; the others count as logged",
                "read its output as 'at least'; newer clients log it in full",
            )
    newer = [each for each in found.versions if not each.measured]
    for client, measured in MEASURED.items():
        versions = [str(each.version) for each in newer if each.client == client]
        if versions:
            yield Problem(
                f"{client} {_listed(versions)}: the counting was measured up to {measured}",
                "hold a day of the page against what the client itself says",
            )
    silent = [each for each in found.unfamiliar if each.kind == "reply_without_usage"]
    for each in silent:
        yield Problem(
            f"{each.client} {each.name}: {each.lines:,} replies say nothing of usage, and do not"
            " count",
            "hold a day of the page against what the client itself says; look for a newer version"
            " of fleet_pipeline",
        )
    strange = [f"{each.client} {each.name}" for each in found.unfamiliar if each not in silent]
    if strange:
        yield Problem(
            f"this version does not know: {_listed(strange)}",
            "look for a newer version of fleet_pipeline; until then hold a day of the page against"
            " what the client itself says",
        )
    for client, files in found.transcripts.files.items():
        all_read = files and not found.transcripts.unread and not found.home.damaged
        if all_read and client not in {part.client for part in found.usage}:
            yield Problem(
                f"no request in {counted(files, 'transcript')} of {client}",
                "nothing if the client is older than 2026: early versions logged no usage",
            )


def _of_hosts(found: Diagnosis) -> Iterator[Problem]:
    hosts = {part.host for part in found.usage}
    if hosts == {DEMO_HOST}:
        yield Problem("only the demo fleet was read", "it goes with your first transcript")
    for host in found.hosts if len(found.hosts) > 1 else ():
        if is_quiet(host) and host["host"] != DEMO_HOST:
            yield Problem(f"host {told(host)}", "see that its transcripts still arrive")


def _of_publication(found: Diagnosis) -> Iterator[Problem]:
    if found.prices.unpriced_candidates:
        yield Problem(
            f"no price is known for {_listed(found.prices.unpriced_candidates)}:"
            " no page can be published",
            "correct price_id in models.yaml",
        )
    if found.prices.unpriced_models:
        yield Problem(
            f"no list price is known for {_listed(found.prices.unpriced_models)}",
            "read what the subscription would have cost as 'at least'",
        )
    if found.published and found.published < found.latest_close.isoformat():
        yield Problem(
            f"the newest page is of {found.published}, the latest week closed {found.latest_close}",
            "run `fleet refresh`",
        )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5:,} more" if len(names) > 5 else shown


def _days(age: timedelta) -> str:
    return counted(age.days, "day")


def counted(count: int, noun: str) -> str:
    """Return a number of things in words: ``1 file``, ``2,000 files``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
