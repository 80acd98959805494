"""A diagnosis as lines for a terminal; what the figures mean is decided elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Final

from fleet_pipeline.cli.diagnosis import Diagnosis
from fleet_pipeline.cli.problems import Problem, counted
from fleet_pipeline.hosts import told

_COLUMN: Final = 14
_DISAGREEMENTS: Final = {
    "billed_more": "billed for more than any line speaks of (titles, compaction, searches)",
    "unfinished": "whose total leaves out answers that were cut short",
    "logged_more": "with more in the ledger than the client's total says",
}


def lines(found: Diagnosis, wrong: Sequence[Problem]) -> Iterator[str]:
    """Yield what was found, one topic after the other, and what to do at the end."""
    yield from _titled("home", _home(found))
    yield from _titled("organisation", _organisation(found))
    yield from _titled("alerts", _alerts(found))
    yield from _titled("transcripts", _transcripts(found))
    yield from _titled("register", _register(found))
    yield from _titled("ledger", _ledger(found))
    yield from _titled("hosts", [told(host) for host in found.hosts] or ["none yet"])
    yield from _titled("left out", _left_out(found))
    yield from _titled("clients", _clients(found))
    yield from _titled("own totals", _own_totals(found))
    yield from _titled("unfamiliar", _unfamiliar(found))
    yield from _titled("prices", _prices(found))
    yield from _titled("published", [found.published or "nothing yet"])
    yield ""
    if not wrong:
        yield "No problem was found."
    for problem in wrong:
        yield f"{'LOSES DATA: ' if problem.loses_data else ''}{problem.what}"
        yield f"    -> {problem.do}"


def _titled(title: str, says: Iterator[str] | Sequence[str]) -> Iterator[str]:
    for place, line in enumerate(says):
        yield f"{title if place == 0 else '':{_COLUMN}}{line}"


def _home(found: Diagnosis) -> Iterator[str]:
    home = found.home
    state = "" if home.exists else " (not made yet)"
    yield f"{home.folder}{state if home.writable else ' (cannot be written)'}"


def _organisation(found: Diagnosis) -> Iterator[str]:
    org = found.organisation
    if not org.exists:
        yield f"{org.folder} (does not exist)"
    elif org.mistakes:
        yield f"{org.folder}: {counted(len(org.mistakes), 'mistake')}"
        yield from org.mistakes
    else:
        yield f"{org.name}, {counted(org.agents, 'agent')}: {org.folder}"


def _alerts(found: Diagnosis) -> Iterator[str]:
    alerts = found.alerts
    ready = alerts.channels - len(alerts.faults)
    if not alerts.channels:
        yield "nobody is told of a failure"
    else:
        yield f"{ready} of {counted(alerts.channels, 'channel')} ready; none was tried"


def _transcripts(found: Diagnosis) -> Iterator[str]:
    seen = found.transcripts
    for place in found.places:
        holds = f"{counted(place.transcripts, 'file')}, {place.bytes / 1e6:,.1f} MB"
        yield (
            f"{place.client} on {place.host}: {place.folder}:"
            f" {holds if place.exists else place.fault or 'does not exist'}"
        )
    if seen.newest:
        yield f"the last one was written {seen.newest:%Y-%m-%d %H:%M} UTC"
    yield f"{seen.unread:,} with something that was not read yet"
    for reason, count in seen.passed_over.items():
        yield f"{count:,} passed over: {reason}"


def _register(found: Diagnosis) -> Iterator[str]:
    register = found.register
    if register.written_at is None:
        yield register.state
    else:
        yield (
            f"{counted(register.files, 'file')}, last written"
            f" {register.written_at:%Y-%m-%d %H:%M} UTC"
        )


def _ledger(found: Diagnosis) -> Iterator[str]:
    if not found.usage:
        yield "empty"
    for part in found.usage:
        yield (
            f"{part.client} on {part.host}: {counted(part.requests, 'request')},"
            f" {part.first_day} to {part.last_day}, {part.output_final_share:.1%} with final output"
        )


def _left_out(found: Diagnosis) -> Iterator[str]:
    if found.sources is None:
        yield "unknown: the lake is damaged"
        return
    yield f"{counted(found.sources['duplicates'], 'line')} that only repeated a request"
    for reason, count in found.sources["quarantined"].items():
        yield f"{counted(count, 'line')} not believed: {reason}"


def _clients(found: Diagnosis) -> Iterator[str]:
    if not found.versions:
        yield "none seen"
    for each in found.versions:
        newer = "" if each.measured else " (newer than measured)"
        yield (
            f"{each.client} {each.version or '(no version)'}: {counted(each.requests, 'request')},"
            f" {each.first_day} to {each.last_day}{newer}"
        )


def _own_totals(found: Diagnosis) -> Iterator[str]:
    compared = found.sources["reconciliation"] if found.sources else {}
    for client, said in compared.items():
        if not said["sessions"]:
            continue
        yield (
            f"{client}: {said['comparable']:,} of {counted(int(said['sessions']), 'session')}"
            " with a total of the client's own"
        )
        if said["completeness_share"] is not None:
            yield (
                f"{client}: {said['agreeing']:,} agree to the token;"
                f" {said['completeness_share']:.1%} of what was billed is in the ledger"
            )
        for status, meaning in _DISAGREEMENTS.items():
            if said[status]:
                yield f"{client}: {counted(int(said[status] or 0), 'session')} {meaning}"
    if not any(said["sessions"] for said in compared.values()):
        yield "nothing to compare"


def _unfamiliar(found: Diagnosis) -> Iterator[str]:
    if not found.unfamiliar:
        yield "nothing: every record type and usage field is known"
    for each in found.unfamiliar:
        yield (
            f"{each.client} {each.kind.replace('_', ' ')} {each.name}:"
            f" {counted(each.lines, 'line')} of {counted(each.transcripts, 'transcript')}"
        )


def _prices(found: Diagnosis) -> Iterator[str]:
    prices = found.prices
    if not (prices.unpriced_models or prices.unpriced_candidates):
        yield "known for every model"
    for model in (*prices.unpriced_models, *prices.unpriced_candidates):
        yield f"unknown for {model}"
