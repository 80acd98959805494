"""What a host sends is what a home reads: all of it, once, and nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import polars as pl
import pytest

from fleet_pipeline.errors import StoreError
from fleet_pipeline.ledger import quota, recount
from fleet_pipeline.shipping import sending
from fleet_pipeline.transcripts.discover import Places

from ..ledger.machine import WRITTEN, Machine
from ..ledger.test_reading_only_what_is_new import STORY, story_of_codex, told
from ..transcripts.claude_fixtures.lines import reply, transcript, usage
from .fleet import Fleet

LATER = WRITTEN + timedelta(hours=1)
QUOTA = (
    b'{"ts":"2026-06-01T09:00:00.000Z","five_hour":{"used_percentage":12.5,"resets_at":1780304402},'
    b'"session":"0","version":"2.1.330","model":"m"}\n'
)


@pytest.fixture
def machine(tmp_path):
    """Two hosts with sessions of their own, one that was copied, subagents, limits and rollouts."""
    machine = Machine(tmp_path / "machines", "laptop", "server")
    for number, host in enumerate(machine.hosts):
        own = transcript(*(reply(f"{host}{n}", usage(n, n)) for n in range(20)))
        machine.write(machine.claude("p/own.jsonl", host), own)
        machine.write(machine.claude("p/s.jsonl", host), STORY)
        agent = machine.claude("p/s/subagents/agent-a1.jsonl", host)
        machine.write(agent, transcript(reply(f"agent of {host}")))
        agent.with_suffix(".meta.json").write_text('{"agentType":"Explore"}')
        rollout = machine.codex(f"2026/06/0{number + 1}/rollout-1.jsonl", host)
        machine.write(rollout, told(story_of_codex()))
        log = machine.root / host / ".claude" / "fleet" / "fleet-quota.jsonl"
        machine.write(log, QUOTA)
    return machine


def everything_told(machine: Machine) -> tuple[object, ...]:
    machine.ingest()
    return machine.rows().rows(), {**machine.sources()}


def test_two_hosts_that_ship_count_as_they_do_on_their_disks(tmp_path, any_store, machine):
    fleet = Fleet(tmp_path, any_store)
    for host in machine.hosts:
        assert fleet.receive(machine, host).passed_over == {}
    fleet.ingest(*machine.hosts)
    rows, held = everything_told(machine)
    assert fleet.rows().rows() == rows
    local = {name: value for name, value in held.items() if name != "hosts"}
    assert fleet.seen()[2] == local
    assert "Explore" in set(fleet.rows()["agent_type"])
    assert fleet.seen()[1] == quota(machine.home).drop("host").rows() != []


def test_what_was_sent_is_not_sent_again(fleet, machine):
    first = fleet.receive(machine, "laptop")
    assert (first.files, first.files_sent) == (6, 6)
    fleet.store.proxy.anew()
    again = fleet.receive(machine, "laptop")
    assert (again.files, again.files_sent, again.bytes_sent) == (6, 0, 0)
    assert fleet.store.proxy.uploads() == []


def test_what_lies_there_is_not_sent_again_though_nobody_remembers_it(fleet, machine):
    fleet.receive(machine, "laptop")
    for register in machine.home.shipped.iterdir():
        register.write_bytes(b"{damaged")
    fleet.store.proxy.anew()
    assert fleet.receive(machine, "laptop").files_sent == 0
    assert fleet.store.proxy.uploads() == []


def test_what_was_lost_or_replaced_over_there_is_sent_again(fleet, machine):
    fleet.receive(machine, "laptop")
    fleet.store.delete("logs/laptop/claude/projects/p/s.jsonl")
    fleet.store.put("logs/laptop/claude/projects/p/own.jsonl", b"something else")
    assert fleet.receive(machine, "laptop").files_sent == 2
    fleet.ingest("laptop")
    assert "laptop7" in fleet.billed()


def test_only_transcripts_notes_and_limits_are_sent(fleet, machine):
    claude, codex = (machine.root / "laptop" / name for name in (".claude", ".codex"))
    for clutter in (
        ".credentials.json", "history.jsonl", "settings.json", "projects/p/notes.txt",
        "projects/p/journal.jsonl", "projects/p/s.meta.json", "projects/p/agent-x.meta.json",
        "todos/1.jsonl", "fleet/other.jsonl", "fleet/fleet-quota.jsonl.part",
    ):  # fmt: skip
        machine.write(claude / clutter, b"secret\n")
    for clutter in ("auth.json", "history.jsonl", "sessions/other.jsonl", "config.toml"):
        machine.write(codex / clutter, b"secret\n")
    (claude / "projects" / "p" / "link.jsonl").symlink_to(claude / "history.jsonl")
    (claude / "projects" / "linked").symlink_to(claude / "todos")
    os.mkfifo(claude / "projects" / "p" / "pipe.jsonl")
    fleet.receive(machine, "laptop")
    assert [key.removeprefix("logs/laptop/") for key in fleet.store.names()] == [
        "claude/fleet/fleet-quota.jsonl",
        "claude/projects/p/own.jsonl",
        "claude/projects/p/s.jsonl",
        "claude/projects/p/s/subagents/agent-a1.jsonl",
        "claude/projects/p/s/subagents/agent-a1.meta.json",
        "codex/sessions/2026/06/01/rollout-1.jsonl",
    ]


def test_several_folders_of_one_client_do_not_get_in_each_others_way(tmp_path, fleet):
    machine = Machine(tmp_path, "laptop")
    usual, other = machine.root / "laptop" / ".claude", machine.root / "elsewhere" / "work"
    machine.write(usual / "projects" / "p" / "s.jsonl", transcript(reply("usual")))
    machine.write(other / "projects" / "p" / "s.jsonl", transcript(reply("other")))
    alone = machine.root / "old"
    machine.write(alone / "p" / "s.jsonl", transcript(reply("alone")))
    machine.places = lambda: [Places((usual, other, alone), (), "laptop")]
    fleet.receive(machine)
    fleet.ingest("laptop")
    assert set(fleet.billed()) == {"usual", "other", "alone"}
    assert not any("work" in key or "elsewhere" in key for key in fleet.store.names())


def test_a_transcript_that_grew_is_sent_whole_while_it_is_small(fleet, machine):
    fleet.receive(machine, "laptop")
    path = machine.claude("p/own.jsonl")
    more = transcript(reply("more"))
    machine.write(path, path.read_bytes() + more, at=LATER)
    shipment = fleet.receive(machine, "laptop")
    assert (shipment.files_sent, shipment.bytes_sent) == (1, path.stat().st_size)
    fleet.ingest("laptop")
    assert {"laptop0", "more"} <= set(fleet.billed())


def grown(machine: Machine, fleet: Fleet) -> bytes:
    """Send a transcript of some six megabytes, then let it grow; return what came to it."""
    path = machine.claude("p/large.jsonl")
    first = transcript(*(reply(f"m{n}", content="x" * 10_000) for n in range(600)))
    machine.write(path, first)
    fleet.receive(machine, "laptop")
    more = transcript(*(reply(f"n{n}") for n in range(50)))
    with path.open("ab") as file:
        file.write(more)
    return more


def test_of_a_large_transcript_that_grew_only_the_new_bytes_are_sent(fleet, machine):
    more = grown(machine, fleet)
    fleet.store.proxy.anew()
    shipment = fleet.receive(machine, "laptop")
    assert (shipment.files_sent, shipment.bytes_sent) == (1, len(more))
    assert fleet.store.proxy.bytes_in < len(more) + 10_000
    key = "logs/laptop/claude/projects/p/large.jsonl"
    assert fleet.store.get(key) == machine.claude("p/large.jsonl").read_bytes()
    fleet.ingest("laptop")
    assert {"m599", "n49"} <= set(fleet.billed())


@pytest.mark.slow
def test_a_store_that_only_pretends_to_keep_what_it_has_gets_all_of_it(
    tmp_path, any_store, machine
):
    """rclone answers that a part was copied, and copies nothing."""
    fleet = Fleet(tmp_path, any_store)
    grown(machine, fleet)
    fleet.receive(machine, "laptop")
    key = "logs/laptop/claude/projects/p/large.jsonl"
    assert fleet.store.get(key) == machine.claude("p/large.jsonl").read_bytes()


@pytest.mark.slow
def test_a_large_transcript_that_was_rewritten_is_sent_whole(fleet, machine):
    grown(machine, fleet)
    path = machine.claude("p/large.jsonl")
    data = path.read_bytes().replace(b'"m0"', b'"o0"')
    machine.write(path, data, at=LATER)
    assert fleet.receive(machine, "laptop").bytes_sent == len(data)
    assert fleet.store.get("logs/laptop/claude/projects/p/large.jsonl") == data


def test_a_file_larger_than_a_part_arrives_whole_or_not_at_all(fleet, machine, monkeypatch):
    monkeypatch.setattr(sending, "PART", 5 * 2**20)
    data = transcript(*(reply(f"m{n}", content="x" * 10_000) for n in range(1200)))
    machine.write(machine.claude("p/large.jsonl"), data)
    fleet.receive(machine, "server")
    key = "logs/laptop/claude/projects/p/large.jsonl"
    fleet.store.proxy.faults.clear()
    fleet.store.proxy.break_parts(times=99)
    assert len(fleet.receive(machine, "laptop").passed_over) == 1
    assert key not in fleet.store.names()
    assert fleet.store.unfinished_uploads() == 0
    fleet.store.proxy.faults.clear()
    assert fleet.receive(machine, "laptop").files_sent == 1
    assert fleet.store.get(key) == data


def test_a_shipment_that_was_interrupted_goes_on_where_it_stopped(fleet, machine, monkeypatch):
    calls, put = [], sending.Bucket.put

    def interrupted(*arguments: object) -> str:
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return put(*arguments)

    monkeypatch.setattr(sending.Bucket, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fleet.receive(machine, "laptop")
    monkeypatch.undo()
    assert len(fleet.store.names()) == 3
    assert fleet.receive(machine, "laptop").files_sent == 3
    fleet.ingest("laptop")
    assert "laptop19" in fleet.billed()


SHIPPING = """
import sys
from pathlib import Path
from fleet_pipeline.home import Home
from fleet_pipeline.s3 import Address
from fleet_pipeline.s3.bucket import Bucket
from fleet_pipeline.shipping import SentRegister, ship, transcript_items
from fleet_pipeline.transcripts.discover import Places
root, address = Path(sys.argv[1]), Address(sys.argv[2], "logs/laptop/", sys.argv[3])
items, _ = transcript_items(Places((root / "laptop/.claude",), (), "laptop"), root / "laptop")
print("ready", flush=True)
ship(items, Bucket(address), SentRegister.of(Home(root / "home"), address))
"""


@pytest.mark.slow
def test_a_shipment_killed_at_any_moment_leaves_whole_objects_and_the_next_one_completes_it(
    tmp_path, any_store
):
    fleet, machine = Fleet(tmp_path, any_store), Machine(tmp_path, "laptop")
    for n in range(60):
        data = transcript(*(reply(f"m{n}-{k}", content="x" * 1000) for k in range(20 + n)))
        machine.write(machine.claude(f"p/{n}.jsonl"), data)
    killed = 0
    for number in range(8):
        arguments = [str(tmp_path), fleet.store.bucket, fleet.store.proxy.url]
        with subprocess.Popen(
            [sys.executable, "-c", SHIPPING, *arguments], stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            time.sleep(0.3 + number * 0.05)
            process.kill()
        killed += process.returncode == -signal.SIGKILL
        for name in fleet.store.names():
            local = machine.claude(name.partition("/projects/")[2]).read_bytes()
            assert fleet.store.get(name) == local
    assert killed, "every shipment was done before its end came"
    fleet.receive(machine)
    assert len(fleet.store.names()) == 60
    fleet.ingest("laptop")
    assert len(fleet.billed()) == sum(20 + n for n in range(60))


@pytest.mark.parametrize("how", ["500", "503", "refused"])
def test_an_upload_that_fails_is_tried_again(fleet, machine, how):
    fleet.store.proxy.break_uploads(how, times=1)
    shipment = fleet.receive(machine, "laptop")
    assert (shipment.files_sent, shipment.passed_over, shipment.failure) == (6, {}, None)


def test_a_store_that_fails_again_and_again_is_left_alone(fleet, machine):
    fleet.store.proxy.break_uploads("500", times=999)
    shipment = fleet.receive(machine, "laptop")
    assert shipment.files_sent == 0
    assert shipment.failure == "given up after several faults in a row: the store answered 500"
    fleet.store.proxy.faults.clear()
    assert fleet.receive(machine, "laptop").files_sent == 6


def test_a_store_that_is_away_is_told_with_its_address(fleet, machine):
    fleet.store.bucket = "no-such-bucket"
    with pytest.raises(
        StoreError, match="s3://no-such-bucket/logs/laptop: there is no such bucket"
    ):
        fleet.receive(machine, "laptop")


def test_a_transcript_that_is_cut_while_it_is_sent_is_sent_the_next_time(
    fleet, machine, monkeypatch
):
    path = machine.claude("p/own.jsonl")
    put = sending.Bucket.put

    def cut(bucket: sending.Bucket, key: str, *rest: object) -> str:
        if key.endswith("own.jsonl"):
            path.write_bytes(transcript(reply("laptop0")))
        return put(bucket, key, *rest)

    monkeypatch.setattr(sending.Bucket, "put", cut)
    shipment = fleet.receive(machine, "laptop")
    assert sum(shipment.passed_over.values()) == 1
    monkeypatch.undo()
    fleet.receive(machine, "laptop")
    assert fleet.store.get("logs/laptop/claude/projects/p/own.jsonl") == path.read_bytes()


def test_an_empty_transcript_is_sent_once(fleet, machine):
    machine.write(machine.claude("p/empty.jsonl"), b"")
    assert fleet.receive(machine, "laptop").files_sent == 7
    assert fleet.receive(machine, "laptop").files_sent == 0
    assert fleet.store.get("logs/laptop/claude/projects/p/empty.jsonl") == b""


def test_a_name_that_is_no_text_is_passed_over(fleet, machine):
    machine.write(machine.claude("p/\udcff.jsonl"), transcript(reply("a")))
    shipment = fleet.receive(machine, "laptop")
    assert shipment.passed_over == {"its name is no text": 1}
    assert shipment.files_sent == 6


def test_what_is_remembered_of_a_shipment_holds_no_name(fleet, machine):
    machine.write(machine.claude("-home-canary-work/canary.jsonl"), transcript(reply("a")))
    fleet.receive(machine, "laptop")
    kept = b"".join(path.read_bytes() for path in machine.home.shipped.iterdir())
    assert b"canary" not in kept and b"projects" not in kept and len(kept) > 100


# Evidence alone


def test_evidence_alone_gives_the_same_ledger_and_no_transcript_leaves(
    tmp_path, any_store, machine
):
    fleet = Fleet(tmp_path, any_store)
    for host in machine.hosts:
        own = alone(machine, host)
        own.ingest()
        fleet.receive_evidence(own)
    assert all("/evidence/" in key and key.endswith(".parquet") for key in fleet.store.names())
    fleet.ingest(*machine.hosts)
    rows, held = everything_told(machine)
    assert fleet.rows().rows() == rows
    assert fleet.seen()[2] == {name: value for name, value in held.items() if name != "hosts"}
    before = fleet.rows()
    recount(fleet.home, everything=True)
    assert fleet.rows().equals(before), "history can be counted again without the host"


def alone(machine: Machine, host: str) -> Machine:
    """Return one of two hosts with a home of its own."""
    own = Machine(machine.root, host)
    own.home = type(machine.home)(machine.root / f"home-of-{host}")
    return own


def test_evidence_that_was_sent_is_neither_sent_nor_asked_for_again(fleet, machine):
    own = alone(machine, "laptop")
    own.ingest()
    assert fleet.receive_evidence(own).files_sent > 3
    fleet.ingest("laptop")
    fleet.store.proxy.anew()
    own.ingest()
    assert fleet.receive_evidence(own).files_sent == 0
    assert fleet.ingest("laptop").tables_read == 0
    assert fleet.store.proxy.uploads() == []
    assert fleet.store.proxy.objects_got() == []


def test_only_days_that_changed_are_sent(fleet, machine):
    own = alone(machine, "laptop")
    own.ingest()
    fleet.receive_evidence(own)
    path = own.claude("p/own.jsonl")
    own.write(path, path.read_bytes() + transcript(reply("more")), at=LATER)
    own.ingest()
    fleet.store.proxy.anew()
    fleet.receive_evidence(own)
    sent = sorted(path.rpartition("evidence/")[2] for path in fleet.store.proxy.uploads())
    assert sent == ["claude/date%3D2026-06-01.parquet", "transcripts.parquet"]
    fleet.ingest("laptop")
    assert "more" in fleet.billed()


def test_a_host_that_changes_from_one_way_to_the_other_counts_once(fleet, machine):
    own = alone(machine, "laptop")
    own.ingest()
    fleet.receive_evidence(own)
    fleet.ingest("laptop")
    before = fleet.rows()
    fleet.receive(own)
    fleet.ingest("laptop")
    assert fleet.rows().equals(before)


def test_evidence_and_a_copy_of_its_transcripts_elsewhere_count_once(fleet, machine):
    """One host sends evidence; a session of it was copied to another, which sends transcripts."""
    own = alone(machine, "laptop")
    own.ingest()
    fleet.receive_evidence(own)
    fleet.receive(machine, "server")
    fleet.ingest("server", "laptop")
    machine.ingest()
    assert fleet.billed() == machine.billed()


def test_a_line_that_is_believed_at_last_is_in_quarantine_no_more(fleet, machine):
    own = alone(machine, "laptop")
    early = reply("early", at=WRITTEN + timedelta(days=3))
    own.write(own.claude("p/early.jsonl"), transcript(early))
    own.ingest()
    fleet.receive_evidence(own)
    fleet.ingest("laptop")
    assert fleet.seen()[2]["quarantined"]["timestamp_in_future"] == 1
    own.write(own.claude("p/early.jsonl"), transcript(early), at=WRITTEN + timedelta(days=4))
    own.ingest()
    fleet.receive_evidence(own)
    fleet.ingest("laptop")
    assert "early" in fleet.billed()
    assert "timestamp_in_future" not in fleet.seen()[2]["quarantined"]


def rewritten(fleet: Fleet, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Let a day of evidence come from another version of the product."""
    key = "logs/laptop/evidence/claude/date=2026-06-01.parquet"
    data = BytesIO()
    change(pl.read_parquet(BytesIO(fleet.store.get(key)))).write_parquet(data)
    fleet.store.put(key, data.getvalue())


def test_evidence_of_another_version_is_read_as_far_as_it_is_known(fleet, machine):
    own = alone(machine, "laptop")
    own.ingest()
    fleet.receive_evidence(own)
    rewritten(fleet, lambda rows: rows.drop("effort").with_columns(weather=pl.lit("fine")))
    assert fleet.ingest("laptop").passed_over == {}
    assert "laptop0" in fleet.billed()


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.with_columns(ts=pl.lit(None, pl.Datetime("us", "UTC"))),
        lambda rows: rows.with_columns(file_id=pl.lit("not a number")),
        lambda rows: rows.drop("file_id"),
    ],
    ids=["no time", "wrong type", "no file"],
)
def test_evidence_that_cannot_be_right_is_passed_over(fleet, machine, change):
    own = alone(machine, "laptop")
    own.ingest()
    fleet.receive_evidence(own)
    rewritten(fleet, change)
    assert fleet.ingest("laptop").passed_over == {"damaged evidence": 1}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("claude/date=2026-06-01.parquet", b"PAR1 no more", "damaged evidence"),
        ("claude/date=2026-06-01.parquet", b"", "damaged evidence"),
        ("weather.parquet", b"PAR1", "evidence of a kind that this version does not know"),
    ],
)
def test_evidence_that_is_none_is_passed_over(fleet, machine, name, data, reason):
    fleet.receive(machine, "laptop")
    fleet.put("laptop", f"evidence/{name}", data)
    assert fleet.ingest("laptop").passed_over == {reason: 1}
    assert "laptop0" in fleet.billed()
