"""Sending the probes that are due, through the packet runner and all of its guards.

Belongs here: from what is due to kept results. An answer is graded and dropped; its digest stays.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from fleet_pipeline.guarded_http import Bounds
from fleet_pipeline.home import Home
from fleet_pipeline.org import Org
from fleet_pipeline.org.lanes import Lane
from fleet_pipeline.packets import Client, QuotaLedger, Run, guard_of, lanes_of, opened, run
from fleet_pipeline.packets.client import LIMITS
from fleet_pipeline.packets.outcome import OutcomeKind
from fleet_pipeline.packets.runner import Asks
from fleet_pipeline.probes import results
from fleet_pipeline.probes.grading import grade, require_tools
from fleet_pipeline.probes.items import items
from fleet_pipeline.probes.plan import Due, still_due, timetable, within_quotas
from fleet_pipeline.probes.results import UNAVAILABLE, Outcome

_FAILED: Final[dict[OutcomeKind, Outcome]] = {
    "schema_violation": "schema_fail",
    "empty": "schema_fail",
    "refused": "refused",
    "too_long": "truncated",
}


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """What one run of probes did."""

    at: datetime
    due: Sequence[Due]
    """What was due on lanes that can be asked, within the free tiers."""
    rows: pl.DataFrame
    """What was sent, in the schema of ``results``."""
    not_asked: dict[str, str]
    """Why a model was not asked, by model."""

    def record(self) -> dict[str, object]:
        """Return the run as JSON says it."""
        counted = self.rows.group_by("model", "outcome").len().sort("model", "outcome")
        return {
            "at": self.at.isoformat(),
            "due": len(self.due),
            "sent": self.rows.height,
            "outcomes": counted.rename({"len": "probes"}).to_dicts(),
            "not_asked": self.not_asked,
        }

    def lines(self) -> list[str]:
        """Return the run as lines for a person."""
        told = [f"{len(self.due)} probes due, {self.rows.height} sent"]
        told += [
            f"{model}: {outcome} {count}"
            for model, outcome, count in self.rows.group_by("model", "outcome")
            .len()
            .sort("model", "outcome")
            .iter_rows()
        ]
        return told + [f"{model}: not asked, {why}" for model, why in self.not_asked.items()]


def probe(
    home: Home,
    org: Org,
    environment: Mapping[str, str],
    clock: Callable[[], datetime],
    *,
    models: Sequence[str] = (),
    dry_run: bool = False,
    limits: Bounds = LIMITS,
) -> ProbeRun:
    """Send what is due now to ``models`` (all candidates without any) and keep the results.

    A candidate is asked through its first lane that can be asked. Nothing is sent in a dry run, nor
    where no lane, key or permission is. The lock is the caller's. Raises SourceError for a damaged
    file of results, ConfigurationError where answers cannot be graded, OSError where nothing can be
    written.
    """
    now = clock()
    guard, client = guard_of(org, environment), Client(lanes_of(org), environment, limits)
    wanted = [model.id for model in org.models if not models or model.id in models]
    lanes, not_asked = _lanes(org, wanted, client)
    known = results.read(home)
    planned = timetable(items(), list(lanes), now.date())
    today = known.filter(pl.col("started_at").dt.date() == now.date())
    allowances = {lane.name: lane.allowance for lane in lanes_of(org)}
    used = Counter(allowances[lane] for lane in today["lane"] if lane in allowances)
    due = within_quotas(
        still_due(planned, known, now.date()),
        {model: lane.allowance for model, lane in lanes.items()},
        {lane.allowance: lane.limits.requests_per_day for lane in lanes.values()},
        used,
    )
    rows: list[dict[str, object]] = []
    if due and not dry_run:
        require_tools()
        agent = next(iter(org.may_leave.agents), org.agents[0].name if org.agents else "")
        run_id = hashlib.sha256(now.isoformat().encode()).hexdigest()[:12]
        with opened(home) as connection:
            ledger = QuotaLedger(connection)
            try:
                for each in due:
                    lane, began = lanes[each.model], clock()
                    packet = each.item.packet(agent)
                    made = run(packet, [lane], guard=guard, ledger=ledger, client=client, now=clock)
                    if made.calls:
                        rows.append({"probe_run_id": run_id, **_row(each, lane, began, made)})
                    else:
                        not_asked[each.model] = made.passed_over.get(lane.name, "nothing was sent")
            finally:
                # What was paid for is kept, also where the next packet broke something.
                results.add(home, _frame(rows))
    return ProbeRun(now, due, _frame(rows), not_asked)


def _lanes(org: Org, models: Sequence[str], client: Asks) -> tuple[dict[str, Lane], dict[str, str]]:
    found: dict[str, Lane] = {}
    not_asked: dict[str, str] = {}
    for model in models:
        own = [lane for lane in lanes_of(org) if lane.candidate == model]
        whys = [client.unready(lane) for lane in own]
        ready = [lane for lane, why in zip(own, whys, strict=True) if not why]
        if ready:
            found[model] = ready[0]
        else:
            not_asked[model] = whys[0] if whys else "no lane of lanes.yaml names it as candidate"
    return found, not_asked


def _frame(rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=results.SCHEMA, orient="row")


def _row(due: Due, lane: Lane, began: datetime, made: Run) -> dict[str, object]:
    last = made.calls[-1].outcome
    outcome, says = _graded(due, made)
    answer = json.dumps(made.answer, sort_keys=True) if made.state == "answered" else None
    return {
        "item_id": due.item.id,
        "item_version": due.item.version,
        "work_type": due.item.work_type,
        "is_anchor": due.item.is_anchor,
        "model": due.model,
        "repeat": due.repeat,
        "due_on": due.day,
        "started_at": began.astimezone(UTC),
        "lane": lane.name,
        "fingerprint": last.served_model,
        "outcome": outcome,
        "says": says,
        "attempts": len(made.calls),
        "input_tokens": last.usage.prompt_tokens,
        "output_tokens": last.usage.output_tokens,
        "total_ms": round(1000 * sum(call.outcome.latency_seconds for call in made.calls)),
        "answer_sha256": hashlib.sha256(answer.encode()).hexdigest() if answer else None,
    }


def _graded(due: Due, made: Run) -> tuple[Outcome, str]:
    if made.state == "answered":
        return grade(due.item, made.answer)
    last = made.calls[-1].outcome
    return _FAILED.get(last.kind, UNAVAILABLE), last.says
