"""An answer is unverified until its verify step has passed, and what runs it can do little."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.packets import (
    Client,
    Guard,
    QuotaLedger,
    Verify,
    opened,
    sandbox,
    verification,
)
from fleet_pipeline.packets.desk import Desk
from fleet_pipeline.packets.queue import Queue
from fleet_pipeline.packets.sandbox import Fence, has_no_network
from fleet_pipeline.packets.verification import verify

from ..local_server import LocalServer
from .conftest import NOW, PATIENT, RULES, lane, packet

ANSWER = {"label": "bug"}


def python(code: str) -> Verify:
    return Verify(command=(sys.executable, "-c", code))


def state(how: Verify | None, answer: object = ANSWER) -> str:
    return verify(packet(verify=how), answer).state


def test_without_a_verify_step_nothing_is_verified() -> None:
    assert state(None) == "unverified"


def test_a_command_reads_the_answer_and_decides_by_its_status() -> None:
    code = "import json, sys; sys.exit(json.load(sys.stdin) != {'label': 'bug'})"
    assert state(python(code)) == "verified"
    assert state(python(code), {"label": "feature"}) == "rejected"


def test_a_command_that_is_not_there_verifies_nothing() -> None:
    verdict = verify(packet(verify=Verify(command=("no-such-checker",))), ANSWER)
    assert (verdict.state, verdict.says) == (
        "unverified",
        "there is no command no-such-checker here",
    )


@pytest.mark.parametrize("command", [("./check",), ("sh", "-c", "no-such-checker")])
def test_a_command_that_cannot_be_run_rejects_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "check").write_text("#!/bin/sh\n")
    (tmp_path / "check").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    verdict = verify(packet(verify=Verify(command=command)), ANSWER)
    assert verdict.state == "unverified"
    assert "write whole paths" in verdict.says


def test_a_stricter_schema_verifies() -> None:
    assert state(Verify(json_schema={"properties": {"label": {"const": "bug"}}})) == "verified"
    assert state(Verify(json_schema={"properties": {"label": {"const": "x"}}})) == "rejected"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cat > given; grep -q 'Label the issue' given && echo fine && echo VERIFIED", "verified"),
        ("echo REJECTED", "rejected"),
        ("echo VERIFIED, or so I think", "unverified"),
        ("echo VERIFIED; exit 3", "unverified"),
        ("true", "unverified"),
    ],
)
def test_a_reviewer_has_to_say_one_word_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, expected: str
) -> None:
    reviewer = tmp_path / "codex"
    reviewer.write_text(f"#!/bin/sh\n{script}\n")
    reviewer.chmod(0o755)
    monkeypatch.setitem(verification.REVIEWERS, "codex", (str(reviewer),))
    assert state(Verify(review="codex")) == expected


def test_a_reviewer_that_is_not_installed_verifies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(verification.REVIEWERS, "claude", ("no-such-client",))
    assert state(Verify(review="claude")) == "unverified"


def test_a_reviewer_that_may_not_be_run_verifies_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "claude").write_text("")
    monkeypatch.setitem(verification.REVIEWERS, "claude", (str(tmp_path / "claude"),))
    verdict = verify(packet(verify=Verify(review="claude")), ANSWER)
    assert (verdict.state, "cannot be run" in verdict.says) == ("unverified", True)


def test_what_may_touch_patients_is_shown_to_no_reviewer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Home, server: LocalServer
) -> None:
    """A lane that takes patient data stands in the house; a reviewer's provider does not."""
    reviewer, seen = tmp_path / "codex", tmp_path / "seen"
    reviewer.write_text(f"#!/bin/sh\ncat >> {seen}; echo VERIFIED\n")
    reviewer.chmod(0o755)
    monkeypatch.setitem(verification.REVIEWERS, "codex", (str(reviewer),))
    there = lane(server, free=False, privacy=("public", "phi"))
    owner = {"/srv/ward": "hippocrates"}.get
    review: dict[str, Any] = {"verify": Verify(review="codex")}
    with opened(home) as database:
        desk = Desk(
            [there], Guard(RULES, owner, frozenset()), Client([there], {}, PATIENT),
            QuotaLedger(database), Queue(database), lambda *_: None, lambda: NOW,
        )  # fmt: skip
        for private in ({"privacy": "phi"}, {"agent": "hippocrates"}, {"folders": ("/srv/ward",)}):
            made, verdict = desk.run(packet(**private, **review), [there])
            assert made.state == "answered"
            assert verdict is not None and verdict.state == "unverified"
        assert not seen.exists()
        _, verdict = desk.run(packet(**review), [there])
    assert verdict is not None and verdict.state == "verified"


def ran(code: str, **fence: Any) -> sandbox.Ran:
    return sandbox.run([sys.executable, "-c", code], fence=Fence(**fence))


def test_a_command_that_never_ends_is_ended_with_all_that_it_started() -> None:
    began = time.monotonic()
    left = ran(
        "import subprocess, time; p = subprocess.Popen(['sleep', '60']);"
        " print(p.pid, flush=True); time.sleep(60)",
        seconds=1.5,
    )
    assert (left.status, time.monotonic() - began < 20) == (None, True)
    stat = Path(f"/proc/{left.output.strip()}/stat")
    deadline = time.monotonic() + 5
    while stat.exists() and stat.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_a_command_gets_no_more_than_its_share() -> None:
    assert not ran("x = bytearray(3 << 30)").passed
    assert not ran("open('big', 'wb').write(b'x' * (20 << 20))").passed
    assert len(ran("print('x' * (1 << 20))").output) == 64 << 10


def test_a_command_that_is_to_stay_alone_starts_nothing_unless_root_runs_it() -> None:
    assert ran("import os; os.fork()", starts_processes=False).passed == (os.geteuid() == 0)


def test_a_command_sees_no_key_and_starts_in_an_empty_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "very-secret")
    seen = ran("import os; print(dict(os.environ), [n for n in os.listdir() if n[0] != '.'])")
    assert seen.passed
    assert "very-secret" not in seen.output
    assert seen.output.strip().endswith("[]")


def test_files_that_are_given_lie_in_its_folder() -> None:
    done = sandbox.run(["cat", "a.txt"], files={"a.txt": b"hello"})
    assert (done.passed, done.output) == (True, "hello")


def test_a_command_reaches_nobody_where_the_system_allows_to_cut_it_off() -> None:
    code = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(s.getsockname(), 2)"
    )
    assert ran(code).passed == (not has_no_network())
