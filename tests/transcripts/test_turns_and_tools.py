"""Who asked for a request, in which turn, and which tools it called: kept without what was said."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.transcripts.claude import ClaudeState, OfAgent
from fleet_pipeline.transcripts.claude_lines import decode_line, lines_to_decode
from fleet_pipeline.transcripts.codex import read_rollout
from fleet_pipeline.transcripts.tools import COMMON_COMMANDS, command_head, tool_call

from .claude_fixtures.lines import (
    WRITTEN,
    after,
    call,
    encoded,
    finished_agent,
    prompt,
    read,
    reply,
    transcript,
    usage,
)
from .codex_fixtures.rollouts import Rollout
from .codex_fixtures.rollouts import encoded as rollout_lines
from .codex_fixtures.rollouts import usage as codex_usage


def requests(*lines, **options):
    """Return the events of a transcript by message id."""
    return {event.message_id: event for event in read(lines, **options).events}


def names(event) -> list[str]:
    """Return the calls of an event without their ids."""
    return sorted(kept.split("#")[0] for kept in (event.tools or "").split())


def tool_result(prompt_id: str) -> dict[str, object]:
    answer = {"tool_use_id": "t1", "type": "tool_result", "content": "x" * 600}
    return prompt(prompt_id, [answer], toolUseResult={"stdout": "x"})


# Turns


def test_a_request_belongs_to_what_was_asked_last():
    events = requests(
        prompt("p1", origin={"kind": "human"}, promptSource="typed"),
        reply("m1"),
        prompt("p2", origin={"kind": "task-notification"}, promptSource="system"),
        reply("m2", at=after(minutes=1)),
    )
    turns = {key: (e.turn_id, e.asked_by, e.prompt_source) for key, e in events.items()}
    assert turns == {"m1": ("p1", "human", "typed"), "m2": ("p2", "task-notification", "system")}


@pytest.mark.parametrize(
    "line",
    [
        tool_result("p9"),
        prompt("p9", isMeta=True),
        prompt("p9", isCompactSummary=True),
        finished_agent("a1", usage(1, 1)),
    ],
    ids=["a tool's answer", "what the client adds", "a summary", "a subagent's answer"],
)
def test_what_nobody_asked_for_begins_no_turn(line):
    assert requests(prompt("p1"), line, reply("m1"))["m1"].turn_id == "p1"


@pytest.mark.parametrize(
    "quoted", ['what is "tool_choice"?', '{"tool_name": "Bash"} is what I get']
)
def test_what_somebody_asked_about_tools_is_not_taken_for_the_answer_of_one(quoted):
    lines = bytearray(transcript(prompt("p1", f"{quoted} {'x' * 600}"), tool_result("p1")))
    [(begin, end)], _ = lines_to_decode(notes=True)(lines, 0, len(lines))
    assert lines[begin:end].decode().count(json.dumps(quoted)[1:-1]) == 1


def test_before_turns_had_ids_the_line_that_began_one_lends_its_own():
    assert requests(prompt(None, uuid="line-7"), reply("m1"))["m1"].turn_id == "line-7"


def test_what_a_sidechain_was_asked_for_is_not_what_its_parent_was():
    events = requests(
        prompt("p1"),
        prompt("p2", isSidechain=True),
        reply("m1", isSidechain=True),
        reply("m2", at=after(minutes=1)),
    )
    assert (events["m1"].turn_id, events["m2"].turn_id) == ("p2", "p1")


def test_reading_on_goes_on_in_the_same_turn():
    first = read([prompt("p1", origin={"kind": "peer"})])
    [event] = read([reply("m1")], state=first.state).events
    assert (event.turn_id, event.asked_by) == ("p1", "peer")
    assert read([reply("m1")], state=ClaudeState()).events[0].turn_id is None


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_only_a_clients_own_words_say_who_asked(said):
    line = prompt("p1", origin={"kind": said}, promptSource="Please, my password is X")
    event = requests(line, reply("m1"))["m1"]
    assert event.prompt_source is None
    assert event.asked_by is None or event.asked_by.replace("-", "").replace("_", "").islower()


def test_the_depth_of_a_subagent_comes_from_beside_its_file():
    assert requests(reply("m1"))["m1"].subagent_depth == 0
    assert requests(reply("m1", isSidechain=True))["m1"].subagent_depth == 1
    assert requests(reply("m1"), agent=OfAgent("Explore", 2))["m1"].subagent_depth == 2


def test_an_error_in_the_place_of_an_answer_is_kept_as_one_and_is_no_request():
    line = reply("s1", usage(0, 0), model="<synthetic>", isApiErrorMessage=True, error="rate_limit")
    file = read([prompt("p1"), line])
    [event] = file.events
    assert (event.kind, event.stop_reason, event.turn_id) == ("error", "rate_limit", "p1")
    assert file.request_lines == 0
    assert read([line | {"error": "see https://example.com/?key=X"}]).events == []


# Tools


def test_calls_on_several_lines_of_a_request_are_put_together():
    lines = [reply("m1", content=[call(name, f"t{i}")], stop=None) for i, name in enumerate("RRE")]
    event = requests(*lines, lines[0], reply("m1"))["m1"]
    assert names(event) == ["E", "R", "R"]


def test_a_request_without_calls_has_none():
    assert requests(reply("m1", content=[{"type": "text", "text": "hi"}]))["m1"].tools is None


ODD = [
    "text",
    7,
    None,
    {"type": "tool_use"},
    {"type": 7, "name": []},
    {"type": "tool_use", "id": 1, "name": {"a": 1}, "input": 3},
    {"type": "tool_use", "id": "x", "name": "Bash", "input": {"command": ["ls"]}},
    {"type": "tool_use", "id": "y", "name": "Bash", "input": [1]},
]


@pytest.mark.parametrize("content", [*([part] for part in ODD), ODD, "words", 5, {"a": 1}])
def test_no_content_however_odd_costs_a_request_its_tokens(content):
    line = reply("m1", usage(7, 3), content=content)
    assert requests(line)["m1"].input_tokens == 7


@pytest.mark.parametrize("breaks", [b"\xff", b"\x01", rb"\ud83d"])
def test_a_command_in_bad_text_still_names_its_program(breaks):
    line = encoded(reply("m1", content=[call("Bash", "t1", command="git log @")]))
    assert names(requests(line.replace(b"@", breaks))["m1"]) == ["Bash/git"]


@pytest.mark.parametrize(
    ("command", "head"),
    [
        ("git status", "git"),
        ("cd /srv/acme && npm test", "npm"),
        ("cd 'my folder'; make", "make"),
        ('PGPASSWORD="hunter2" psql -h db', "psql"),
        ("A=1 B='two words' sudo docker ps", "docker"),
        ("(cd x && pytest -q) | tail", "pytest"),
        ("git\nls", "git"),
        ("ls;pwd", "ls"),
        ("./deploy-acme.sh", "other"),
        ("/usr/bin/python3 x.py", "other"),
        ("hunter2", "other"),
        ("gitsecret", "other"),
        ("TOKEN=abc", "other"),
        ("", "other"),
        ("$(cat /etc/passwd)", "other"),
    ],
)
def test_the_head_of_a_command_is_the_program_that_it_runs(command, head):
    assert command_head(command) == head


@given(st.text())
def test_nothing_else_of_a_command_is_ever_kept(command):
    assert command_head(command) in COMMON_COMMANDS | {"other"}


@pytest.mark.parametrize("prefix", ["A=" * 200_000, "cd " * 200_000, "(" * 400_000, " " * 400_000])
def test_a_long_prefix_is_not_looked_at_for_long(prefix):
    assert command_head(prefix + "git") == "other"


@given(st.text() | st.integers() | st.none(), st.text() | st.none())
def test_a_kept_call_has_no_space_and_one_id(name, identity):
    kept = tool_call(name, identity, "git log")
    assert " " not in kept
    assert kept.count("#") == 1
    assert kept == tool_call(name, identity, "git log")


# The commands of Codex


def codex_calls(item: dict[str, object]) -> list[str | None]:
    """Return the tools of two requests: the first one calls, the second one does not."""
    rollout = Rollout().own_turn().say("response_item", **item)
    rollout.request(codex_usage(1)).request(codex_usage(2))
    lines = enumerate(rollout_lines(rollout))
    return [event.tools for event in read_rollout(lines, file_id=1, written=WRITTEN).events]


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        (("exec_command", {"cmd": "git log"}), "exec_command/git"),
        (("shell", {"command": ["bash", "-lc", "cd x && npm test"]}), "shell/npm"),
        (("shell", {"command": ["git", "log"]}), "shell/git"),
        (("shell", {"command": 7}), "shell"),
        (("apply_patch", {"input": "*** Begin"}), "apply_patch"),
    ],
)
def test_a_call_of_codex_belongs_to_the_request_that_is_counted_next(item, kept):
    name, arguments = item
    first, second = codex_calls(
        {"type": "function_call", "name": name, "call_id": "c1", "arguments": json.dumps(arguments)}
    )
    assert first.split("#")[0] == kept
    assert second is None


def test_arguments_that_are_no_json_are_nobodys_business():
    first, _ = codex_calls({"type": "function_call", "name": "shell", "arguments": "{git"})
    assert first.split("#")[0] == "shell"


def test_the_strict_decoder_reads_calls_and_prompts_without_help():
    line = decode_line(memoryview(encoded(reply("m1", content=[call("Bash", "t", command="ls")]))))
    assert line.message.content[0].input.command == "ls"
