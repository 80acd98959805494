"""Texts that must never be seen again, in every place where a client keeps text.

What the lake may hold (folder, model, agent type) stands beside them, as the control that a search
for them works.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl
import zstandard

from ..transcripts.claude_fixtures.lines import (
    START,
    cost_state,
    encoded,
    finished_agent,
    reply,
    rewritten,
    stamp,
    transcript,
    usage,
)
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage

KEPT = (b"/work/kept-folder", b"kept-model", b"kept-agent")
"""What a lake may hold."""


class Canaries:
    """Texts that must never be seen again."""

    def __init__(self) -> None:
        self.planted: list[str] = []

    def __call__(self) -> str:
        self.planted.append(f"canary{len(self.planted):02d}bird")
        return self.planted[-1]

    def __format__(self, _: str) -> str:
        return self()


def claude_lines(canary: Canaries) -> Iterator[dict | bytes]:
    """Return lines of every kind with a canary wherever text may stand."""
    about = {"timestamp": stamp(START), "sessionId": "s1", "cwd": "/work/kept-folder"}
    result = {"stdout": canary(), "stderr": canary(), "filePath": f"/home/{canary}", canary(): 1}
    image = {"type": "image", "source": {"type": "base64", "data": canary() * 30}}
    yield {"type": "user", "message": {"role": "user", "content": canary()}} | about
    yield {"type": "user", "message": {"content": [image, {"text": canary()}]}} | about
    yield {"type": "user", "toolUseResult": result, "gitBranch": canary(), "slug": canary()} | about
    yield {"type": "user", "toolUseResult": canary()} | about
    yield {"type": "user", "toolUseResult": [canary()], "todos": [{"content": canary()}]} | about
    yield {"type": "summary", "summary": canary(), "leafUuid": "1"}
    yield {"type": "system", "content": canary(), "error": {"message": canary()}} | about
    yield {"type": "attachment", "attachment": {"email": f"{canary}@example.org"}} | about
    yield {"type": "file-history-snapshot", "snapshot": {f"/src/{canary}.py": {"v": canary()}}}
    yield {"type": "queue-operation", "content": canary()} | about
    yield {"type": "ai-title", "title": canary()} | about
    yield {"type": "progress", "data": {"message": reply("echo", content=canary())}} | about
    yield reply(
        "msg_1",
        usage(notes=canary(), **{canary(): canary()}),
        content=[
            {"type": "thinking", "thinking": canary(), "signature": canary()},
            {"type": "text", "text": canary()},
            {"type": "tool_use", "name": "Bash", "input": {"command": canary(), canary(): 1}},
        ],
        gitBranch=canary(),
        errorDetails=canary(),
        cwd="/work/kept-folder",
        model="kept-model",
        attributionAgent="kept-agent",
    )
    yield cost_state({"kept-model": {"inputTokens": 1, canary(): canary()}}, note=canary())
    yield cost_state({f"what {canary} said": {"inputTokens": canary()}})
    yield cost_state({f"what {canary} said": {"inputTokens": 1}})
    yield reply("msg_2", model="<synthetic>", content=canary(), error=canary())
    yield reply("msg_3", usage(-5), content=canary())
    yield reply("msg_4", timestamp=canary(), content=canary())
    yield reply("msg_5", usage(1, canary()))
    yield finished_agent("a1", usage(1, 9), prompt=canary(), content=canary(), description=canary())
    whole = encoded(reply("msg_6", content=canary(), gitBranch=canary()))
    yield whole[:-20]
    yield whole + whole
    yield f"panic: {canary}".encode()
    yield b"\0\xff" + canary().encode() + b"\xfe"
    yield encoded(reply("msg_7", content=canary())).replace(b"end_turn", b"\xff\\ud83d")
    yield encoded({"type": "user", "text": canary() * 2000})
    yield {"type": f"unknown-{len(canary.planted)}", "payload": {canary(): [canary()]}} | about


def codex_lines(canary: Canaries) -> Iterator[bytes]:
    """Return a rollout with a canary wherever text may stand."""
    git = {"branch": canary(), "repository_url": canary(), "commit_hash": canary()}
    rollout = Rollout(git=git, instructions=canary(), base_instructions={"text": canary()})
    rollout.own_turn().event("user_message", message=canary(), images=[canary()])
    rollout.event("agent_message", message=canary()).event("task_complete", last=canary())
    rollout.say("response_item", type="message", content=[{"text": canary()}])
    rollout.say("response_item", type="function_call", name="shell", arguments=canary())
    rollout.say("response_item", type="function_call_output", output=canary())
    rollout.say("response_item", type="reasoning", encrypted_content=canary(), summary=[canary()])
    rollout.say("response_item", type="custom_tool_call", input=canary())
    rollout.say("compacted", message=canary(), replacement_history=[canary()])
    rollout.say(
        "turn_context",
        model="kept-model",
        cwd="/work/kept-folder",
        summary=canary(),
        user_instructions=canary(),
        sandbox_policy={canary(): canary()},
    )
    rollout.request(codex_usage(100)).say("unknown", text=canary(), **{canary(): 1})
    yield from rollout_lines(rollout)
    yield f'{{"type":"event_msg","payload":{{"type":"token_count","info":"{canary}"}}}}'.encode()
    yield f'{{"type":"event_msg","payload":"{canary}'.encode()
    yield f"panic: {canary}".encode()


def plant(canary: Canaries, claude: Path, codex: Path) -> None:
    """Write transcripts full of canaries, some of them under names that are canaries too.

    ``claude`` is a folder of projects, ``codex`` one of sessions.
    """
    slug = f"-home-{canary}-work"
    write(claude / f"{slug}/{canary}.jsonl", transcript(*claude_lines(canary)))
    agent = claude / f"{slug}/{canary}/subagents/agent-{canary}.jsonl"
    write(agent, transcript(reply("msg_8", agentId="a1"), f"{canary}".encode()))
    note = f'{{"agentType":"kept-agent","description":"{canary}","name":"{canary}"}}'
    agent.with_suffix(".meta.json").write_text(note)
    data = b"\n".join(codex_lines(canary)) + b"\n"
    write(codex / f"2026/06/01/rollout-{canary}.jsonl", data)
    write(codex / f"rollout-{canary}.jsonl.zst", zstandard.compress(data))
    lost_head = b"{" + f"{canary}\n".encode() + data
    write(codex / f"rollout-{rewritten('thread')}.jsonl", lost_head)
    damaged = zstandard.compress(canary().encode() * 9)[:-4] + b"\xff" * 9
    write(codex / f"rollout-{canary}.jsonl.zst", damaged)
    (claude / f"{slug}/{canary}.jsonl").symlink_to(agent)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def everything(folder: Path) -> bytes:
    """Return every byte under a folder, names too, and all that its tables hold, unpacked."""
    pieces = []
    for path in sorted(folder.rglob("*")):
        pieces.append(path.relative_to(folder).as_posix().encode())
        data = path.read_bytes() if path.is_file() else b""
        pieces.append(data)
        if data.startswith(b"PAR1"):
            for column in pl.read_parquet(BytesIO(data)).iter_columns():
                if column.dtype in (pl.String, pl.Binary):
                    pieces += column.drop_nulls().cast(pl.Binary).to_list()
    return b"\n".join(pieces)
