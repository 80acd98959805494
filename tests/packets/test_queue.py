"""The queue loses nothing and doubles nothing, whoever dies when."""

import json
import random
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_pipeline.home import Home
from fleet_pipeline.packets import Outcome, Run, opened
from fleet_pipeline.packets.queue import LEASE, MOST_RUNS, Queue
from fleet_pipeline.packets.runner import Call
from fleet_pipeline.packets.store import database

from ..local_server import LocalServer
from .conftest import NOW, packet

ANSWERED = Run("answered", (Call("local", Outcome("answered", "answered", answer={"n": 1})),))
WAITING = Run("waiting")
FAILED = Run("failed", (Call("local", Outcome("refused", "the model refused")),))


@pytest.fixture
def queue(home: Home) -> Iterator[Queue]:
    with opened(home) as connection:
        yield Queue(connection)


def test_a_packet_is_in_it_once(queue: Queue) -> None:
    assert queue.add(packet(), ["local"], NOW)
    assert not queue.add(packet(), ["local"], NOW)
    assert len(queue.entries()) == 1


def test_what_is_done_is_done_once_and_keeps_its_answer(queue: Queue) -> None:
    queue.add(packet(), ["local"], NOW)
    held = queue.take(NOW)
    assert held is not None
    assert (held.packet, held.lanes) == (packet(), ("local",))
    assert queue.take(NOW) is None
    assert queue.finish(held, ANSWERED, None, NOW)
    assert queue.answer(packet().sha256) == {"n": 1}
    assert [entry.state for entry in queue.entries()] == ["done"]
    assert queue.take(NOW + timedelta(days=9)) is None


def test_a_lease_that_ran_out_lets_another_run_it_and_only_that_one_may_end_it(
    queue: Queue,
) -> None:
    queue.add(packet(), ["local"], NOW)
    died = queue.take(NOW)
    assert queue.take(NOW + LEASE - timedelta(seconds=1)) is None
    other = queue.take(NOW + LEASE)
    assert died is not None and other is not None
    assert not queue.finish(died, FAILED, None, NOW + LEASE)
    assert queue.finish(other, ANSWERED, None, NOW + LEASE)
    assert [entry.state for entry in queue.entries()] == ["done"]


def test_a_packet_that_ends_every_run_of_it_is_given_up(queue: Queue) -> None:
    """Whatever it is that kills the process: the packet is not sent, and paid for, for ever."""
    queue.add(packet(), ["local"], NOW)
    for runs in range(MOST_RUNS):
        assert queue.take(NOW + runs * LEASE) is not None
    assert queue.take(NOW + MOST_RUNS * LEASE) is None
    [entry] = queue.entries()
    assert (entry.state, entry.runs) == ("failed", MOST_RUNS)
    assert "none of 5 runs came to an end" in entry.says


def test_a_packet_of_another_version_keeps_no_other_waiting(home: Home, queue: Queue) -> None:
    for number in range(2):
        queue.add(packet(id=f"p{number}"), ["local"], NOW + timedelta(seconds=number))
    with sqlite3.connect(database(home)) as connection:
        connection.execute(
            "update queue set packet = json_set(packet, '$.urgency', 'high') where packet_id = 'p0'"
        )
    held = queue.take(NOW + timedelta(minutes=1))
    assert held is not None
    assert held.packet.id == "p1"
    assert [entry.state for entry in queue.entries()] == ["failed", "running"]
    assert "another version" in queue.entries()[0].says


def test_a_database_that_is_damaged_is_told_by_name(home: Home) -> None:
    database(home).parent.mkdir(parents=True)
    database(home).write_bytes(b"this was a database once" * 100)
    with pytest.raises(OSError, match="cannot be used") as caught, opened(home):
        pass
    assert caught.value.filename == str(database(home))


def test_a_full_disk_is_told_as_such_and_leaves_what_was_there(home: Home) -> None:
    with opened(home) as connection:
        Queue(connection).add(packet(), ["local"], NOW)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(OSError, match="cannot be used") as caught, opened(home) as connection:
        resource.setrlimit(resource.RLIMIT_FSIZE, (database(home).stat().st_size, limits[1]))
        try:
            Queue(connection).add(packet(inputs={"log": "x" * 100_000}), ["local"], NOW)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "rollback" not in str(caught.value)
    with opened(home) as connection:
        assert [entry.packet_id for entry in Queue(connection).entries()] == [packet().id]


def test_what_waits_is_not_run_before_its_time_and_is_given_up_in_the_end(queue: Queue) -> None:
    queue.add(packet(), ["local"], NOW)
    at = NOW
    for runs in range(1, MOST_RUNS + 1):
        held = queue.take(at)
        assert held is not None
        queue.finish(held, WAITING, None, at)
        [entry] = queue.entries()
        assert entry.runs == runs
        assert queue.take(at) is None
        at = max(entry.not_before, at)
    assert entry.state == "failed"


def test_a_packet_can_be_forgotten_unless_it_is_being_run(queue: Queue) -> None:
    queue.add(packet(), ["local"], NOW)
    queue.take(NOW)
    assert not queue.remove(packet().sha256)
    held = queue.take(NOW + LEASE)
    assert held is not None
    queue.finish(held, ANSWERED, None, NOW)
    assert queue.remove(packet().sha256)
    assert queue.entries() == []


STEPS = st.lists(
    st.sampled_from(["add", "take", "done", "fail", "wait", "die", "later"]), max_size=40
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happens_every_packet_is_there_and_ends_at_most_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    with opened(Home(tmp_path_factory.mktemp("home"))) as connection:
        queue, at, added, ended, held = Queue(connection), NOW, 0, set[str](), []
        for step in steps:
            match step:
                case "add":
                    added += queue.add(packet(id=f"p{added}"), ["local"], at)
                case "take":
                    if taken := queue.take(at):
                        assert taken.packet.id not in ended
                        held.append(taken)
                case "later":
                    at += LEASE
                case "die":
                    held = held[1:]
                case _ if held:
                    made = {"done": ANSWERED, "fail": FAILED, "wait": WAITING}[step]
                    one = held.pop(0)
                    if queue.finish(one, made, None, at) and step != "wait":
                        assert one.packet.id not in ended
                        ended.add(one.packet.id)
        entries = queue.entries()
        assert len(entries) == added
        assert {entry.packet_id for entry in entries} == {f"p{n}" for n in range(added)}
        assert ended <= {entry.packet_id for entry in entries if entry.state in ("done", "failed")}


@pytest.mark.parametrize("made", [ANSWERED, FAILED, None])
def test_no_text_of_a_packet_stays_once_nothing_of_it_is_sent_any_more(
    home: Home, queue: Queue, made: Run | None
) -> None:
    queue.add(packet(instructions="a canary sings " * 1000), ["local"], NOW)
    assert b"a canary sings" in database(home).read_bytes()
    held = queue.take(NOW)
    assert held is not None
    queue.finish(held, made or WAITING, None, NOW)
    if made is None:
        assert queue.remove(held.packet.sha256)
    assert b"a canary sings" not in database(home).read_bytes()


def test_the_database_is_private(home: Home, queue: Queue) -> None:
    queue.add(packet(), ["local"], NOW)
    folder = database(home).parent
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


WORKER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from fleet_pipeline.guarded_http import Bounds
from fleet_pipeline.home import Home
from fleet_pipeline.org import Lane
from fleet_pipeline.packets import Client, Guard, QuotaLedger, Rules, opened, queue, run
from fleet_pipeline.packets.queue import Queue

queue.LEASE, queue.MOST_RUNS = timedelta(seconds=0), 1000
there = Lane(name="local", base_url=sys.argv[2], model="small", free=True)
rules = Rules({"forge": "internal"}, frozenset({"forge"}), ())
with opened(Home(Path(sys.argv[1]))) as database:
    waiting = Queue(database)
    print("ready", flush=True)
    while held := waiting.take(datetime.now(UTC)):
        made = run(
            held.packet, [there], guard=Guard(rules, lambda folder: None, frozenset()),
            ledger=QuotaLedger(database), client=Client([there], {}, Bounds(10, 30, 1 << 20)),
            now=lambda: datetime.now(UTC),
        )
        waiting.finish(held, made, None, datetime.now(UTC))
"""


@pytest.mark.slow
def test_the_ledger_knows_every_call_and_the_queue_every_packet_after_any_kill(
    home: Home, server: LocalServer
) -> None:
    """Workers are killed at random moments; then one is let finish."""
    packets = [packet(id=f"p{n}") for n in range(40)]
    with opened(home) as connection:
        for one in packets:
            Queue(connection).add(one, ["local"], NOW)
    server.pause_before = 0.01
    moments, kills = random.Random(26), 0
    command = [sys.executable, "-c", WORKER, str(home.root), server.url]
    while True:
        worker = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        if kills < 25:
            time.sleep(moments.uniform(0, 0.06))
            worker.send_signal(signal.SIGKILL)
            kills += worker.wait() == -signal.SIGKILL
            worker.stdout.close()
            with sqlite3.connect(database(home)) as connection:
                attempts = connection.execute("select count(*) from attempts").fetchone()[0]
            assert attempts >= len(server.asked)
            if worker.returncode == 0:
                break
        else:
            assert worker.wait(60) == 0
            worker.stdout.close()
            break
    assert kills > 5
    with opened(home) as connection:
        entries = Queue(connection).entries()
        attempts, unsettled = connection.execute(
            "select count(*), sum(settled_ms is null) from attempts"
        ).fetchone()
    assert [entry.state for entry in entries] == ["done"] * len(packets)
    assert len(server.asked) <= attempts <= len(packets) + kills
    assert unsettled <= kills
    asked = [json.dumps(sent) for sent in server.asked]
    assert len(asked) <= len(packets) + kills
