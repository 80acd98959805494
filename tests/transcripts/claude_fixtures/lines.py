"""Claude Code lines built field by field: only what says something, invented values.

Clients before 2.1 wrote the flat fields first, later ones the message first; both orders are here.
"""

import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from fleet_pipeline.transcripts.claude import ClaudeFile, ClaudeState, OfAgent, read_transcript
from fleet_pipeline.transcripts.lines import Lines

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
WRITTEN = datetime(2026, 6, 10, tzinfo=UTC)
SESSION = "5e551011-0000-4000-8000-000000000001"

Record = dict[str, object]

_OLD_ORDER = (
    "parentUuid", "isSidechain", "userType", "cwd", "sessionId", "version", "gitBranch", "agentId",
    "message", "requestId", "type", "uuid", "timestamp", "toolUseResult",
)  # fmt: skip


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def after(**interval: float) -> datetime:
    """Return the moment that long after the first line of every test."""
    return START + timedelta(**interval)


def rewritten(message_id: str) -> str:
    """Return the UUID that a teleported session writes in the place of a message id."""
    return str(uuid5(NAMESPACE_OID, message_id))


def usage(
    fresh: int = 10,
    output: int = 5,
    *,
    read: int = 0,
    write_5m: int = 0,
    write_1h: int = 0,
    unsplit: int = 0,
    **more: object,
) -> Record:
    """Return one request's counters; ``unsplit`` is cache write that the split does not name."""
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": write_5m + write_1h + unsplit,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": write_5m,
            "ephemeral_1h_input_tokens": write_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
    } | more


def reply(
    message_id: str | None = "msg_01",
    counters: object = None,
    *,
    at: datetime = START,
    request_id: str | None = None,
    stop: str | None = "end_turn",
    model: object = "claude-opus-4-8",
    content: object = None,
    **fields: object,
) -> Record:
    """Return an assistant line as 2.1 writes it; a field given as None is left out."""
    message = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "done"}] if content is None else content,
        "stop_reason": stop,
        "usage": usage() if counters is None else counters,
    }
    if message_id is None:
        del message["id"]
    record = {
        "parentUuid": None,
        "isSidechain": False,
        "message": message,
        "requestId": request_id,
        "type": "assistant",
        "uuid": rewritten(f"{message_id} {request_id} {at}"),
        "timestamp": stamp(at),
        "cwd": "/work/forge",
        "sessionId": SESSION,
        "version": "2.1.169",
    } | fields
    return {name: value for name, value in record.items() if value is not None}


def finished_agent(
    agent_id: str, counters: Record, *, at: datetime = START, **result: object
) -> Record:
    """Return the user line in which a parent notes how its subagent ended."""
    answer = [{"type": "tool_result", "tool_use_id": "toolu_01", "content": "done"}]
    return {
        "parentUuid": None,
        "isSidechain": False,
        "type": "user",
        "message": {"role": "user", "content": answer},
        "uuid": rewritten(f"{agent_id} {at}"),
        "timestamp": stamp(at),
        "toolUseResult": {
            "status": "completed",
            "prompt": "look around",
            "agentId": agent_id,
            "agentType": "Explore",
            "content": [{"type": "text", "text": "done"}],
            "totalTokens": 99,
            "usage": counters,
        }
        | result,
        "cwd": "/work/forge",
        "sessionId": SESSION,
    }


def call(name: str, identity: str, **arguments: object) -> Record:
    """Return the part of a reply that calls a tool."""
    return {"type": "tool_use", "id": identity, "name": name, "input": arguments}


def prompt(
    prompt_id: str | None = None,
    content: object = "please",
    *,
    at: datetime = START,
    **more: object,
) -> Record:
    """Return a line with what somebody asked for, as 2.1 writes it."""
    line = {
        "parentUuid": None,
        "isSidechain": False,
        "promptId": prompt_id,
        "type": "user",
        "message": {"role": "user", "content": content},
        "uuid": f"asked-{prompt_id}",
        "timestamp": stamp(at),
        "sessionId": SESSION,
    } | more
    return {name: value for name, value in line.items() if value is not None}


def cost_state(models: dict[str, Record], *, at: datetime = START, **fields: object) -> Record:
    """Return the line in which the client sums up a session that it began ``at`` that moment."""
    return {
        "type": "cost-state",
        "sessionId": SESSION,
        "totalCostUSD": 0.5,
        "startTime": round(at.timestamp() * 1000),
        "modelUsage": models,
        "hasUnknownModelCost": False,
    } | fields


def in_old_order(record: Record) -> Record:
    """Return the record as a client of before 2.1 orders it: the message near the end."""
    places = {name: place for place, name in enumerate(_OLD_ORDER)}
    return dict(sorted(record.items(), key=lambda item: places.get(item[0], len(places))))


def encoded(record: object, *, spaced: bool = False) -> bytes:
    """Return the line without its newline."""
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps(record, separators=separators, ensure_ascii=False).encode()


def transcript(*lines: Record | bytes) -> bytes:
    """Return a file of whole lines; bytes are taken as they are."""
    return b"".join((line if isinstance(line, bytes) else encoded(line)) + b"\n" for line in lines)


def read(
    data: bytes | Iterable[Record | bytes],
    *,
    written: datetime = WRITTEN,
    agent: OfAgent | None = None,
    state: ClaudeState | None = None,
) -> ClaudeFile:
    """Read every line of a transcript."""
    content = data if isinstance(data, bytes) else transcript(*data)
    return read_transcript(
        Lines(io.BytesIO(content)),
        file_id=1,
        written=written,
        agent=agent,
        state=state,
    )


def billed(*lines: Record | bytes) -> dict[str | None, tuple[int, int, int, int, int]]:
    """Return (fresh, write 5m, write 1h, cache read, output) by message id of believed requests."""
    return {
        event.message_id: (
            event.input_tokens,
            event.cache_write_5m_tokens,
            event.cache_write_1h_tokens,
            event.cache_read_tokens,
            event.output_tokens,
        )
        for event in read(lines).events
        if event.kind == "request"
    }


def reasons(*lines: Record | bytes) -> list[str]:
    """Return why lines were not believed, in their order."""
    return [rejected.reason for rejected in read(lines).rejected]
