"""One writer at a time, whole files or none, and nothing that others may read."""

import errno
import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import count
from threading import Thread, Timer

import pytest

from fleet_pipeline.errors import BusyError, ConfigurationError
from fleet_pipeline.home import LONGEST_WAIT, Home, write_whole

HOLDER = """
import sys
from pathlib import Path
from fleet_pipeline.home import Home
with Home(Path(sys.argv[1])).lock("fleet ingest"):
    print("held", flush=True)
    sys.stdin.read(1)
"""


@pytest.fixture
def home(tmp_path):
    before = os.umask(0o022)
    home = Home(tmp_path / "home")
    home.prepare()
    yield home
    os.umask(before)


@contextmanager
def other_process(home):
    """Let another process hold the lock, until it is told or killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


# The lock


def test_a_second_writer_is_told_who_holds_the_home(home):
    with other_process(home) as holder:
        with pytest.raises(BusyError) as caught, home.lock("fleet refresh", wait=0.2):
            pass
        says = str(caught.value)
    assert str(home.root) in says
    assert f"process {holder.pid} (fleet ingest)" in says
    assert "\n" not in says


def test_a_second_writer_waits_for_the_first(home):
    with other_process(home) as holder:
        started = time.monotonic()
        Timer(0.4, holder.terminate).start()
        with home.lock("fleet refresh", wait=20):
            waited = time.monotonic() - started
    assert 0.3 < waited < 10


def test_a_second_writer_waits_a_minute_at_most():
    assert LONGEST_WAIT == 60


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_goes_with_the_process_that_held_it(home, end):
    with other_process(home) as holder:
        holder.send_signal(end)
        holder.wait()
        with home.lock("fleet refresh", wait=0):
            pass


def test_the_lock_is_free_again_after_an_error(home):
    with pytest.raises(ZeroDivisionError), home.lock("fleet ingest"):
        raise ZeroDivisionError
    with other_process(home):
        pass


def test_the_holder_may_take_the_lock_again_and_keeps_it(home):
    with home.lock("fleet refresh"):
        with home.lock("fleet ingest", wait=0):
            pass
        outsider = subprocess.run(
            [sys.executable, "-c", HOLDER.replace('")', '", wait=0)'), str(home.root)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert "BusyError" in outsider.stderr
    assert f"process {os.getpid()} (fleet refresh)" in outsider.stderr


def test_the_holder_may_call_its_home_by_another_path(home, monkeypatch):
    monkeypatch.chdir(home.root.parent)
    with (
        home.lock("fleet refresh"),
        Home(home.root.relative_to(home.root.parent)).lock("x", wait=0),
    ):
        pass


# Whole files


def fail_at(monkeypatch, number, error=None):
    """Let the ``number``-th call that makes, syncs or renames a file fail."""
    calls = count(1)

    def failing(call):
        def attempt(*args, **options):
            reads = call is real["open"] and not (args[1] & (os.O_WRONLY | os.O_RDWR))
            if not reads and next(calls) == number:
                raise error or OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*args, **options)

        return attempt

    real = {name: getattr(os, name) for name in ("open", "fdopen", "fsync", "replace", "rename")}
    for name, call in real.items():
        monkeypatch.setattr(os, name, failing(call))


@pytest.mark.parametrize("old", [b"the old content", None])
@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_a_write_that_fails_at_any_call_leaves_the_old_content(tmp_path, old, error):
    """As SQLite tests its own: fail the first call, the second, and so on until it passes."""
    path = tmp_path / "register.parquet"
    for number in count(1):
        if old is not None:
            path.write_bytes(old)
        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, number, error)
            try:
                changed = write_whole(path, b"the new content")
            except (OSError, KeyboardInterrupt):
                changed = None
        if changed:
            break
        assert (path.read_bytes() if path.exists() else None) == old
        assert [left for left in tmp_path.iterdir() if left != path] == []
    assert path.read_bytes() == b"the new content"
    assert number > 3, "no call failed"


@pytest.mark.parametrize("old", [b"the old content", None])
def test_a_disk_that_takes_only_a_part_leaves_the_old_content(tmp_path, old):
    path = tmp_path / "events.parquet"
    if old is not None:
        path.write_bytes(old)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError):
            write_whole(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (path.read_bytes() if path.exists() else None) == old


def test_content_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    """Or a power cut could leave an empty file under the name of a good one."""
    done, sync, rename = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda *args: (done.append("synced"), sync(*args)))
    monkeypatch.setattr(os, "replace", lambda *args: (done.append("named"), rename(*args)))
    write_whole(tmp_path / "x.parquet", b"x")
    assert done[:2] == ["synced", "named"]


def test_what_a_killed_process_left_behind_is_overwritten(tmp_path):
    killed = """
import os, sys
from pathlib import Path
from fleet_pipeline.home import write_whole
os.replace = os.rename = lambda *names: os.kill(os.getpid(), 9)
write_whole(Path(sys.argv[1]), b"never finished, and rather long")
"""
    path = tmp_path / "date=2026-06-01.parquet"
    done = subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    assert len(list(tmp_path.iterdir())) == 1
    write_whole(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_writer_of_one_file_waits_for_the_first(tmp_path, monkeypatch):
    """Not every file is written under the lock: two shipments from cron may overlap."""
    path, sync = tmp_path / "sent.json", os.fsync
    second = Thread(target=write_whole, args=(path, b"the second"))

    def slow(descriptor):
        if second.ident is None:
            second.start()
            second.join(0.2)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    assert write_whole(path, b"the first, which is longer")
    second.join()
    assert path.read_bytes() == b"the second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_locks_is_written_all_the_same(tmp_path, monkeypatch):
    """A result that goes to another disk, or settings in a home folder on NFS."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert write_whole(tmp_path / "out.csv", b"x")
    assert (tmp_path / "out.csv").read_bytes() == b"x"


def test_a_link_that_lies_in_the_way_is_not_followed(tmp_path):
    """Whoever can guess the name of a file could have another one overwritten."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"somebody's")
    (tmp_path / ".x.csv.part").symlink_to(elsewhere)
    with pytest.raises(OSError, match=r"x\.csv"):
        write_whole(tmp_path / "x.csv", b"x")
    assert elsewhere.read_bytes() == b"somebody's"


def test_a_file_that_would_not_change_is_not_written(tmp_path):
    path = tmp_path / "usage.parquet"
    assert write_whole(path, b"same")
    before = path.stat()
    assert not write_whole(path, b"same")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write_whole(path, b"different")
    assert write_whole(path, b"")
    assert path.read_bytes() == b""


def test_missing_folders_are_made(tmp_path):
    assert write_whole(tmp_path / "host=a" / "b" / "c.parquet", b"x")


# Privacy


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_for_their_owner_alone_whatever_the_umask_was(tmp_path):
    before = os.umask(0)
    try:
        path = tmp_path / "x.parquet"
        write_whole(path, b"x")
        assert mode(path) == 0o600
        path.chmod(0o644)
        write_whole(path, b"y")
        assert mode(path) == 0o600
        write_whole(tmp_path / "index.html", b"x", mode=0o644)
        assert mode(tmp_path / "index.html") == 0o644
    finally:
        os.umask(before)


def test_folders_of_a_home_are_for_their_owner_alone(home):
    write_whole(home.lake / "events" / "host=a" / "x.parquet", b"x")
    with home.lock("x"):
        pass
    folders = [path for path in (home.root, *home.root.rglob("*")) if path.is_dir()]
    files = [path for path in home.root.rglob("*") if path.is_file()]
    assert len(folders) > 4
    assert len(files) == 2
    assert {mode(path) for path in folders} == {0o700}
    assert {mode(path) for path in files} == {0o600}


@pytest.mark.parametrize("name", ["file", "file/inside"])
def test_a_home_that_cannot_be_is_an_error_that_says_what_to_do(tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    before = os.umask(0o022)
    try:
        with pytest.raises(ConfigurationError, match="--home") as caught:
            Home(tmp_path / name).prepare()
    finally:
        os.umask(before)
    assert str(tmp_path / name) in str(caught.value)
