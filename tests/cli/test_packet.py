"""``fleet packet``: what is sent, what is refused and why, and what the exit status says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..local_server import LocalServer, serving
from ..packets.completions import PATH, completion
from .conftest import Run

PACKET = """\
id: label-issue-17
privacy: public
agent: forge
work_type: Classification
instructions: Label the issue.
inputs: {issue: It crashes.}
answer_schema: {type: object, required: [label]}
max_output_tokens: 50
"""


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with serving(completion(), PATH) as model:
        yield model


@pytest.fixture
def lanes(org: Path, server: LocalServer) -> Path:
    """One free lane to a server of this machine, and one agent whose packets may leave."""
    file = org / "lanes.yaml"
    file.write_text(
        f"may_leave:\n  agents: [forge]\n  folders: [{Path.cwd()}]\nlanes:\n"
        f"  - {{name: local, base_url: '{server.url}', model: small, free: true}}\n"
        "  - {name: keyed, base_url: 'https://api.example.org/v1', model: x, free: true,"
        " key_env: NO_SUCH_KEY}\n"
    )
    return file


@pytest.fixture
def file() -> Path:
    path = Path("packet.yaml")
    path.write_text(PACKET)
    return path


def test_an_answer_is_printed_and_marked_unverified(fleet: Run, lanes: Path, file: Path) -> None:
    result = fleet("packet", "run", file, "--lane", "local")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"label": "bug"})
    assert "answered by local, UNVERIFIED (there is no verify step)" in result.stderr


def test_an_answer_that_passes_its_verify_step_is_verified(
    fleet: Run, lanes: Path, file: Path
) -> None:
    file.write_text(PACKET + "verify: {command: [grep, -q, bug]}\n")
    record = json.loads(fleet("packet", "run", file, "--lane", "local", "--json").stdout)
    assert (record["state"], record["verified"]) == ("answered", True)
    file.write_text(PACKET + "verify: {command: [grep, -q, feature]}\n")
    result = fleet("packet", "run", file, "--lane", "local", "--json")
    assert (result.exit_code, json.loads(result.stdout)["verified"]) == (1, False)


def test_a_packet_that_is_not_public_is_never_sent(
    fleet: Run, lanes: Path, file: Path, server: LocalServer
) -> None:
    file.write_text(PACKET.replace("privacy: public\n", ""))
    result = fleet("packet", "run", file)
    assert result.exit_code == 4
    assert "only packets that are declared public go to free lanes" in result.stderr
    assert server.asked == []


def test_out_of_the_box_nothing_leaves(fleet: Run, org: Path, file: Path) -> None:
    result = fleet("packet", "run", file, "--lane", "groq-gpt-oss", "--dry-run")
    assert result.exit_code == 4
    assert "forge is not listed in may_leave.agents" in result.stdout


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(
    fleet: Run, lanes: Path, file: Path, server: LocalServer
) -> None:
    result = fleet("packet", "run", file, "--dry-run")
    assert result.exit_code == 0
    assert "It crashes." in result.stdout
    assert "local (127.0.0.1): would be sent, about" in result.stdout
    assert "but its key is missing: set NO_SUCH_KEY" in result.stdout
    assert server.asked == []
    assert not Path(".fleet").exists()


def test_a_missing_key_is_named(fleet: Run, lanes: Path, file: Path) -> None:
    result = fleet("packet", "run", file, "--lane", "keyed")
    assert result.exit_code == 2
    assert "its key is missing: set NO_SUCH_KEY" in result.stderr


def test_what_no_lane_can_take_is_kept_and_run_later(
    fleet: Run, lanes: Path, file: Path, server: LocalServer
) -> None:
    server.status, server.headers = [429, 200], {"Retry-After": "0"}
    result = fleet("packet", "run", file, "--lane", "local", "--queue")
    assert result.exit_code == 5
    assert "kept in the queue" in result.stderr
    assert "waiting" in fleet("packet", "queue", "list").stdout
    assert "answered by local, UNVERIFIED" in fleet("packet", "queue", "run").stdout
    shown = json.loads(fleet("packet", "queue", "show", "label-issue-17").stdout)
    assert (shown["answer"], shown["state"], shown["verified"]) == ({"label": "bug"}, "done", False)
    assert fleet("packet", "queue", "run").stdout == "nothing may be run now\n"
    assert fleet("packet", "queue", "remove", "label-issue-17").exit_code == 0
    assert fleet("packet", "queue", "list").stdout == "the queue is empty\n"


def test_a_model_that_never_fits_the_schema_has_failed(
    fleet: Run, lanes: Path, file: Path, server: LocalServer
) -> None:
    server.bodies = [completion("no")]
    result = fleet("packet", "run", file, "--lane", "local")
    assert result.exit_code == 1
    assert "give it to Codex or Claude" in result.stderr
    assert len(server.asked) == 2


def test_no_secret_is_written_anywhere(
    fleet: Run, lanes: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = "gsk_" + "c4n4ry" * 6
    file.write_text(PACKET.replace("It crashes.", planted))
    result = fleet("packet", "run", file, "--lane", "local", "--json", "--queue")
    assert result.exit_code == 4
    written = b"".join(path.read_bytes() for path in Path(".fleet").rglob("*") if path.is_file())
    assert b"a key of Groq" in written
    assert planted.encode() not in written
    assert planted not in result.stdout + result.stderr


def test_the_lanes_are_listed_with_what_they_lack(fleet: Run, lanes: Path) -> None:
    rows = json.loads(fleet("packet", "lanes", "--json").stdout)
    assert [row["says"] for row in rows] == ["ready", "its key is missing: set NO_SUCH_KEY"]
    assert "keyed" in fleet("packet", "lanes").stdout
