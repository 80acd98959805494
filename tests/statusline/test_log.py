"""The log of limits: a line for each change, whole, private, and not longer than it need be."""

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from fleet_pipeline.statusline import log

from .claude_code import LATER, NOW, SOON, levels, logged, status, tell

SECRETS = ("secret", "sage", "361f72ca-b80a")


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    return tmp_path


def test_a_line_holds_the_windows_and_nothing_that_names_person_place_or_session(
    claude: Path,
) -> None:
    told = status(five_hour=42.5, seven_day=17)
    tell(claude, told | {"prompt_id": "secret", "session_name": "secret"}, NOW + 0.25)
    [line] = logged(claude)
    session = line.pop("session")
    assert line == {
        "ts": "2026-11-22T23:26:40.250Z",
        "five_hour": {"used_percentage": 42.5, "resets_at": SOON},
        "seven_day": {"used_percentage": 17.0, "resets_at": NOW + 400_000},
        "version": "2.1.330",
        "model": "claude-opus-5-5",
    }
    assert isinstance(session, str)
    assert len(session) == 16
    assert not [word for word in SECRETS if word in json.dumps(line) + session]


@pytest.mark.parametrize("text", ["see /srv/secret", "secret\n", "x" * 81, "für", {"a": 1}])
def test_what_is_no_version_and_no_id_is_not_logged(claude: Path, text: object) -> None:
    tell(claude, status(five_hour=1, version=text, model={"id": text}))
    [line] = logged(claude)
    assert (line["version"], line["model"]) == (None, None)


def test_log_and_folder_are_private(claude: Path) -> None:
    mask = os.umask(0)
    try:
        tell(claude, status(five_hour=1))
    finally:
        os.umask(mask)
    folder = claude / log.FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / log.LOG).stat().st_mode) == 0o600


def test_unknown_limits_leave_no_line_and_no_folder(claude: Path) -> None:
    tell(claude, status())
    tell(claude, status(rate_limits={"five_hour": {"used_percentage": None}}))
    assert list(claude.iterdir()) == []


def test_what_has_not_changed_is_not_said_again(claude: Path) -> None:
    for now in range(3):
        tell(claude, status(five_hour=10, seven_day=5), NOW + now)
    tell(claude, status(five_hour=10, seven_day=5, session="another"))
    tell(claude, status(five_hour=10.001, seven_day=5, reset=SOON + 2))
    assert levels(claude) == [10]


@pytest.mark.parametrize(
    "change", [{"five_hour": 11}, {"seven_day": 6}, {"reset": LATER}, {"five_hour": 0}]
)
def test_every_change_that_a_session_sees_is_said(claude: Path, change: dict[str, int]) -> None:
    for given in ({}, change, change):
        tell(claude, status(**{"five_hour": 10, "seven_day": 5} | given))
    assert len(logged(claude)) == 2


def test_a_session_that_lags_behind_says_nothing_new(claude: Path) -> None:
    for _ in range(3):
        tell(claude, status(five_hour=41, session="busy"))
        tell(claude, status(five_hour=40, session="idle"))
        tell(claude, status(five_hour=99, reset=SOON - 18_000, session="since yesterday"))
    assert levels(claude) == [41]


def test_the_session_that_is_ahead_is_heard_whichever_it_is(claude: Path) -> None:
    for used, session in ((40, "a"), (41, "b"), (42, "a"), (1, "b")):
        tell(claude, status(five_hour=used, session=session))
    tell(claude, status(five_hour=3, reset=LATER, session="c"))
    assert levels(claude) == [40, 41, 42, 3]


def test_any_window_is_logged_under_its_name(claude: Path) -> None:
    limits = {
        "seven_day_opus": {"used_percentage": 5, "resets_at": None},
        "extra_usage": {"is_enabled": False},
        "ts": {"used_percentage": 1},
        "Secret/Name": {"used_percentage": 1},
    }
    tell(claude, status(rate_limits=limits))
    [line] = logged(claude)
    assert line["seven_day_opus"] == {"used_percentage": 5.0, "resets_at": None}
    assert line.keys() == {"ts", "seven_day_opus", "session", "version", "model"}


def test_a_line_is_short_enough_to_be_written_at_once(claude: Path) -> None:
    limits = {
        f"{place:0>40}": {"used_percentage": 999_999.99, "resets_at": LATER} for place in range(99)
    }
    tell(claude, status(rate_limits=limits, version="1" * 80, model={"id": "m" * 80}))
    assert (claude / log.FOLDER / log.LOG).stat().st_size < 4096
    tell(claude, status(rate_limits=limits))
    assert len(logged(claude)) == 1


def test_a_line_that_was_cut_short_spoils_no_other(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    path = claude / log.FOLDER / log.LOG
    path.write_bytes(path.read_bytes() + b'{"ts":"2026-')
    tell(claude, status(five_hour=2))
    first, cut, last = path.read_bytes().splitlines()
    assert cut == b'{"ts":"2026-'
    assert [json.loads(line)["five_hour"]["used_percentage"] for line in (first, last)] == [1, 2]


def test_a_line_that_cannot_be_understood_is_no_reason_to_be_silent(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    path = claude / log.FOLDER / log.LOG
    path.write_bytes(b"\x00\xff[1]\n")
    tell(claude, status(five_hour=1))
    assert len(path.read_bytes().splitlines()) == 2


def test_a_full_log_goes_on_under_another_name_and_loses_nothing(
    claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "FULL", 1000)
    for used in range(7):
        tell(claude, status(five_hour=used))
    lines = [*logged(claude, log.FULL_LOG), *logged(claude)]
    assert [line["five_hour"]["used_percentage"] for line in lines] == list(range(7))
    for path in (claude / log.FOLDER).iterdir():
        assert path.stat().st_size <= 1000
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_another_session_set_aside_is_not_replaced(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    path = claude / log.FOLDER / log.LOG
    descriptor = os.open(path, os.O_RDWR)
    path.rename(path.with_name(log.FULL_LOG))
    tell(claude, status(five_hour=2))
    assert log._set_aside(descriptor, str(path)) is True
    os.close(descriptor)
    assert [len(logged(claude, name)) for name in (log.FULL_LOG, log.LOG)] == [1, 1]


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_file_is_not_written_to(claude: Path, kind: str) -> None:
    (claude / log.FOLDER).mkdir()
    path, elsewhere = claude / log.FOLDER / log.LOG, claude / "elsewhere"
    {
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to(elsewhere),
        "folder": path.mkdir,
    }[kind]()
    try:
        tell(claude, status(five_hour=1))
    except OSError:
        assert kind != "pipe"
    assert not elsewhere.exists()


def _tell_of_a_window_of_its_own(claude: Path, worker: int, full: int) -> None:
    log.FULL = full
    for used in range(200):
        tell(claude, status(rate_limits={f"window_{worker}": {"used_percentage": used}}))


@pytest.mark.parametrize("full", [log.FULL, 150_000])
def test_sessions_that_write_at_once_leave_every_line_whole(claude: Path, full: int) -> None:
    start = multiprocessing.get_context("fork").Process
    workers = [
        start(target=_tell_of_a_window_of_its_own, args=(claude, worker, full))
        for worker in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert {worker.exitcode for worker in workers} == {0}
    lines = [line for name in log.LOGS for line in logged(claude, name)]
    said = sorted(
        (name, window["used_percentage"])
        for line in lines
        for name, window in line.items()
        if isinstance(window, dict)
    )
    assert said == sorted((f"window_{worker}", used) for worker in range(8) for used in range(200))
    assert (claude / log.FOLDER / log.FULL_LOG).exists() == (full < log.FULL)
