"""Nothing that people or models wrote leaves a transcript: not to the lake, not to a log.

A canary is planted in every place where a client keeps text; what the lake may hold (folder, model,
agent type) is the control that the search works.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import zstandard

from fleet_pipeline.errors import FleetError
from fleet_pipeline.transcripts import lines as reading

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
from .machine import Machine


class Canaries:
    """Texts that must never be seen again."""

    def __init__(self) -> None:
        self.planted: list[str] = []

    def __call__(self) -> str:
        self.planted.append(f"canary{len(self.planted):02d}bird")
        return self.planted[-1]

    def __format__(self, _: str) -> str:
        return self()


@pytest.fixture
def canary():
    return Canaries()


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
    rollout.say("turn_context", model="kept-model", cwd="/work/kept-folder", summary=canary(),
                user_instructions=canary(), sandbox_policy={canary(): canary()})  # fmt: skip
    rollout.request(codex_usage(100)).say("unknown", text=canary(), **{canary(): 1})
    yield from rollout_lines(rollout)
    yield f'{{"type":"event_msg","payload":{{"type":"token_count","info":"{canary}"}}}}'.encode()
    yield f'{{"type":"event_msg","payload":"{canary}'.encode()
    yield f"panic: {canary}".encode()


@pytest.fixture
def taken_in(machine, canary, monkeypatch, capfd, caplog):
    """Take in transcripts full of canaries, some of them under names that are canaries too."""
    monkeypatch.setattr(reading, "_BUFFER", 1024)
    monkeypatch.setattr(reading, "LINE_LIMIT", 16 * 1024)
    slug = f"-home-{canary}-work"
    machine.write(machine.claude(f"{slug}/{canary}.jsonl"), transcript(*claude_lines(canary)))
    agent = machine.claude(f"{slug}/{canary}/subagents/agent-{canary}.jsonl")
    machine.write(agent, transcript(reply("msg_8", agentId="a1"), f"{canary}".encode()))
    note = f'{{"agentType":"kept-agent","description":"{canary}","name":"{canary}"}}'
    agent.with_suffix(".meta.json").write_text(note)
    data = b"\n".join(codex_lines(canary)) + b"\n"
    machine.write(machine.codex(f"2026/06/01/rollout-{canary}.jsonl"), data)
    machine.write(machine.codex(f"rollout-{canary}.jsonl.zst"), zstandard.compress(data))
    lost_head = b"{" + f"{canary}\n".encode() + data
    machine.write(machine.codex(f"rollout-{rewritten('thread')}.jsonl"), lost_head)
    damaged = zstandard.compress(canary().encode() * 9)[:-4] + b"\xff" * 9
    machine.write(machine.codex(f"rollout-{canary}.jsonl.zst"), damaged)
    machine.claude(f"{slug}/{canary}.jsonl").symlink_to(agent)
    for _ in range(2):
        machine.ingest()
    machine.ingest(full=True)
    said = capfd.readouterr()
    return machine, said.out + said.err + caplog.text


def everything(home: Path) -> bytes:
    """Return every byte under a home, and all that its tables hold once they are unpacked."""
    pieces = []
    for path in sorted(home.rglob("*")):
        pieces.append(path.relative_to(home).as_posix().encode())
        if path.is_file():
            pieces.append(path.read_bytes())
        if path.suffix == ".parquet":
            for column in pl.read_parquet(path).iter_columns():
                if column.dtype in (pl.String, pl.Binary):
                    pieces += column.drop_nulls().cast(pl.Binary).to_list()
    return b"\n".join(pieces)


def test_no_text_of_any_transcript_is_found_in_the_home_or_in_what_was_said(taken_in, canary):
    machine, said = taken_in
    assert len(canary.planted) > 80
    assert machine.rows().height == 4
    kept = everything(machine.home.root)
    for control in (b"/work/kept-folder", b"kept-model", b"kept-agent", b"a1"):
        assert control in kept, "the search does not find what is there"
    assert [bird for bird in canary.planted if bird.encode() in kept] == []
    assert "canary" not in said


def test_what_was_not_believed_is_counted_under_every_reason_that_was_planted(taken_in):
    machine, _ = taken_in
    assert set(machine.sources()["quarantined"]) == {
        "bad_counter", "timestamp_missing", "too_long", "unreadable"
    }  # fmt: skip


def test_the_file_of_a_thread_that_lost_its_head_gives_no_name_away(machine, canary):
    """Only a thread's id may be taken from a file's name, and only if it is one."""
    rollout = Rollout().own_turn().request(codex_usage(100))
    lines = [b"{broken", *rollout_lines(rollout)[1:]]
    name = f"rollout-{canary}-a-name-that-people-gave-to-their-own-file.jsonl"
    machine.write(machine.codex(name), b"\n".join(lines) + b"\n")
    machine.ingest()
    assert machine.rows().height == 1
    kept = everything(machine.home.root)
    assert b"canary" not in kept
    assert b"people" not in kept


def test_no_error_repeats_what_a_transcript_says(tmp_path, canary, monkeypatch):
    """Whatever goes wrong while a line is at hand, the text of the line is not in the message."""
    machine = Machine(tmp_path)
    machine.write(machine.claude("p/s.jsonl"), transcript(*claude_lines(canary)))

    def fail(path, data, **_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("fleet_pipeline.ledger.store.write_whole", fail)
    with pytest.raises(OSError) as caught:
        machine.ingest()
    chain, error = [], caught.value
    while error is not None:
        chain.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    assert "canary" not in " ".join(chain)


def test_an_error_about_a_source_names_what_is_wrong_and_not_what_it_says(tmp_path):
    path = tmp_path / "sessions" / "rollout-1.jsonl.zst"
    path.parent.mkdir()
    path.write_bytes(zstandard.compress(b"canary" * 99)[:-4] + b"\xff" * 9)
    descriptor = reading.open_regular(path)
    with pytest.raises(FleetError, match="damaged") as caught:
        source = reading.PlainBytes(descriptor, 0, path.stat().st_size)
        list(reading.Lines(reading.CompressedBytes(source)))
    assert "canary" not in str(caught.value)
