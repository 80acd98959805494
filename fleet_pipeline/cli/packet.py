"""``fleet packet``: send one-shot packets to cheap models, now or from the queue."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.failures import BAD_USAGE, REFUSED
from fleet_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from fleet_pipeline.org import Lane
    from fleet_pipeline.packets import Packet, Run
    from fleet_pipeline.packets.desk import Preview
    from fleet_pipeline.packets.queue import Entry
    from fleet_pipeline.packets.verification import Verdict
    from fleet_pipeline.settings import Settings

MUST_NOT_LEAVE: Final = 4
WAITING: Final = 5

_lanes = click.option(
    "--lane", "names", multiple=True, metavar="NAME", help="A lane of lanes.yaml [all, in order]."
)


@click.group()
def packet() -> None:
    """Send one-shot packets to cheap models; hold back the rest."""


@packet.command()
@click.argument("file", type=click.Path(path_type=Path))
@_lanes
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and what forbids it.")
@click.option("--queue", "keep", is_flag=True, help="Keep it for later if no lane can take it now.")
@options.with_home
@options.as_json
def run(
    settings: "Settings",
    file: Path,
    names: tuple[str, ...],
    dry_run: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Run the packet of FILE (YAML or JSON) on the first lane that may have it and can answer.

    At most two calls are made. The answer goes to stdout; it is unverified until the packet's
    verify step has passed. Exit status: 0 answered; 1 the models failed, or verifying rejected the
    answer; 2 bad usage or configuration, a missing key among it; 4 the packet must not leave; 5 no
    lane can take it now.
    """
    from fleet_pipeline import packets
    from fleet_pipeline.packets.desk import desk

    org = settings.organisation()
    lanes = packets.lanes_called(org, names)
    asked = packets.load(file)
    if dry_run:
        _preview(settings, asked, lanes, as_json)
        return
    with desk(settings.home, org, settings.environment, options.now) as made_here:
        made, verdict = made_here.run(asked, lanes)
        kept = made.state == "waiting" and keep
        if kept:
            made_here.keep(asked, lanes, made.not_before)
    if as_json:
        output.document({**_record(asked, made, verdict), "kept_in_queue": kept})
    else:
        _tell(asked, made, verdict, kept)
    if made.state == "waiting" and not kept:
        _require_a_lane(settings, lanes, made)
    click.get_current_context().exit(_status(made, verdict))


@packet.command()
@_lanes
@options.with_home
@options.as_json
def lanes(settings: "Settings", names: tuple[str, ...], as_json: bool) -> None:
    """Show the lanes: where they lead, what they take, and what keeps them from being asked."""
    from fleet_pipeline import packets

    org = settings.organisation()
    listed = packets.lanes_called(org, names)
    client = packets.Client(listed, settings.environment)
    rows = [
        {
            "lane": lane.name,
            "host": lane.host,
            "model": lane.model,
            "free": lane.free,
            "privacy": lane.privacy,
            "allowance": lane.allowance,
            "limits": lane.limits.model_dump(exclude_none=True),
            "says": client.unready(lane) or "ready",
        }
        for lane in listed
    ]
    if as_json:
        output.document(rows)
        return
    from fleet_pipeline.reports.text_table import TextTable, plain

    columns = ("lane", "host", "model", "says")
    cells = [tuple(str(row[column]) for column in columns) for row in rows]
    output.result("\n".join(plain(TextTable(columns, cells, (False,) * len(columns)))))


@packet.group()
def queue() -> None:
    """Packets that wait for a lane, and answers of those that found one."""


@queue.command("list")
@options.with_home
@options.as_json
def list_(settings: "Settings", as_json: bool) -> None:
    """Show what is in the queue; never what is in a packet."""
    entries = _entries(settings)
    if as_json:
        output.document([_entry(entry) for entry in entries])
        return
    from fleet_pipeline.reports.text_table import TextTable, plain

    columns = ("packet", "id", "state", "runs", "not before", "lane", "verified")
    cells = [
        (
            entry.packet_sha256[:12],
            entry.packet_id,
            entry.state,
            str(entry.runs),
            f"{entry.not_before:%Y-%m-%d %H:%M}" if entry.state == "waiting" else "",
            entry.lane or "",
            ("yes" if entry.verified else "no") if entry.state == "done" else "",
        )
        for entry in entries
    ]
    table = TextTable(columns, cells, (False, False, False, True, False, False, False))
    output.result("\n".join(plain(table)) if cells else "the queue is empty")


@queue.command("run")
@options.with_home
@options.as_json
def run_queue(settings: "Settings", as_json: bool) -> None:
    """Run every packet that may be run now, each once.

    Exit status: 0, whatever became of them; `fleet packet queue list` tells.
    """
    from fleet_pipeline.packets.desk import desk

    org = settings.organisation()
    records = []
    with desk(settings.home, org, settings.environment, options.now) as made_here:
        for held, made, verdict in made_here.work():
            records.append(_record(held.packet, made, verdict))
            if not as_json:
                output.result(f"{held.packet.id}: {_summary(made, verdict)}")
    if as_json:
        output.document(records)
    elif not records:
        output.result("nothing may be run now")


@queue.command()
@click.argument("packet_id")
@options.with_home
def show(settings: "Settings", packet_id: str) -> None:
    """Print the answer of a packet that is done, by its id or the beginning of its digest."""
    from fleet_pipeline.packets import opened
    from fleet_pipeline.packets.queue import Queue

    entry = _one(settings, packet_id)
    with opened(settings.home) as database:
        answer = Queue(database).answer(entry.packet_sha256)
    output.document({**_entry(entry), "answer": answer})


@queue.command()
@click.argument("packet_id")
@options.with_home
def remove(settings: "Settings", packet_id: str) -> None:
    """Forget a packet and its answer."""
    from fleet_pipeline.packets import opened
    from fleet_pipeline.packets.queue import Queue

    entry = _one(settings, packet_id)
    with opened(settings.home) as database:
        gone = Queue(database).remove(entry.packet_sha256)
    if not gone:
        raise ConfigurationError(f"{packet_id} is being run; try again when it is done")
    output.result(f"removed {entry.packet_id}")


def _preview(
    settings: "Settings", asked: "Packet", lanes: "tuple[Lane, ...]", as_json: bool
) -> None:
    """Tell what would be sent; ends with the status that a run would have for sure."""
    from fleet_pipeline.packets import Client, guard_of
    from fleet_pipeline.packets.desk import previews

    guard = guard_of(settings.organisation(), settings.environment)
    shown = previews(asked, lanes, guard, Client(lanes, settings.environment))
    if as_json:
        output.document(
            {
                "packet": asked.id,
                "packet_sha256": asked.sha256,
                "messages": shown[0].messages,
                "max_tokens": asked.max_output_tokens,
                "lanes": [
                    {
                        "lane": one.lane.name,
                        "host": one.lane.host,
                        "may_be_sent": not one.refused,
                        "refused": one.refused,
                        "unready": one.unready or None,
                        "reserved_tokens": one.reserved_tokens,
                    }
                    for one in shown
                ],
            }
        )
    else:
        for message in shown[0].messages:
            output.result(f"--- {message['role']}\n{message['content']}")
        output.result("---")
        for one in shown:
            output.result(f"{one.lane.name} ({one.lane.host}): {_may(one)}")
    if all(one.refused for one in shown):
        click.get_current_context().exit(MUST_NOT_LEAVE)


def _may(one: "Preview") -> str:
    if one.refused:
        return f"must not be sent: {'; '.join(one.refused)}"
    told = f"would be sent, about {one.reserved_tokens} tokens in and out"
    return f"{told}; but {one.unready}" if one.unready else told


def _record(asked: "Packet", made: "Run", verdict: "Verdict | None") -> dict[str, object]:
    return {
        "packet": asked.id,
        "packet_sha256": asked.sha256,
        "state": made.state,
        "verified": verdict is not None and verdict.state == "verified",
        "verification": verdict and {"state": verdict.state, "says": verdict.says},
        "lane": made.lane,
        "answer": made.answer,
        "calls": [
            {
                "lane": call.lane,
                "outcome": call.outcome.kind,
                "says": call.outcome.says,
                "status": call.outcome.status,
                "prompt_tokens": call.outcome.usage.prompt_tokens,
                "cached_tokens": call.outcome.usage.cached_tokens,
                "output_tokens": call.outcome.usage.output_tokens,
                "latency_ms": round(call.outcome.latency_seconds * 1000),
                "request_id": call.outcome.request_id,
            }
            for call in made.calls
        ],
        "passed_over": dict(made.passed_over),
        "not_before": made.not_before,
    }


def _tell(asked: "Packet", made: "Run", verdict: "Verdict | None", kept: bool) -> None:
    if made.state == "answered":
        output.document(made.answer)
    for call in made.calls:
        output.note(f"{call.lane}: {call.outcome.says}")
    for lane, why in made.passed_over.items():
        output.note(f"{lane}: not asked: {why}")
    output.note(f"{asked.id}: {_summary(made, verdict)}{', kept in the queue' if kept else ''}")


def _summary(made: "Run", verdict: "Verdict | None") -> str:
    match made.state:
        case "answered":
            assert verdict is not None
            mark = {"verified": "verified", "rejected": "REJECTED"}.get(verdict.state, "UNVERIFIED")
            return f"answered by {made.lane}, {mark} ({verdict.says})"
        case "failed":
            return "no model gave an answer of use: give it to Codex or Claude"
        case "refused":
            return "must not leave for any of these lanes"
        case "waiting":
            return f"no lane can take it now{_from(made.not_before)}"


def _from(not_before: datetime | None) -> str:
    return f", one may from {not_before:%Y-%m-%d %H:%M} UTC" if not_before else ""


def _status(made: "Run", verdict: "Verdict | None") -> int:
    if made.state == "answered":
        return REFUSED if verdict is not None and verdict.state == "rejected" else 0
    return {"failed": REFUSED, "refused": MUST_NOT_LEAVE, "waiting": WAITING}[made.state]


def _require_a_lane(settings: "Settings", lanes: "tuple[Lane, ...]", made: "Run") -> None:
    """End with the status of a configuration that cannot work where no lane has its key."""
    from fleet_pipeline.packets import Client

    client = Client(lanes, settings.environment)
    if not made.calls and made.not_before is None and all(client.unready(lane) for lane in lanes):
        click.get_current_context().exit(BAD_USAGE)


def _entries(settings: "Settings") -> "list[Entry]":
    from fleet_pipeline.packets import opened
    from fleet_pipeline.packets.queue import Queue

    with opened(settings.home) as database:
        return Queue(database).entries()


def _one(settings: "Settings", packet_id: str) -> "Entry":
    found = [
        entry
        for entry in _entries(settings)
        if entry.packet_id == packet_id or entry.packet_sha256.startswith(packet_id)
    ]
    if len(found) == 1:
        return found[0]
    how = "is in the queue more than once; name its digest" if found else "is not in the queue"
    raise ConfigurationError(f"{packet_id} {how}: see `fleet packet queue list`")


def _entry(entry: "Entry") -> dict[str, object]:
    return {
        "packet": entry.packet_id,
        "packet_sha256": entry.packet_sha256,
        "state": entry.state,
        "lanes": entry.lanes,
        "added_at": entry.added_at,
        "not_before": entry.not_before,
        "runs": entry.runs,
        "says": entry.says,
        "lane": entry.lane,
        "verified": entry.verified,
    }
