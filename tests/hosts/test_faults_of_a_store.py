"""Whatever a store or the way to it does, no total is wrong and no other host waits."""

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from html import escape

import pytest
import zstandard

from fleet_pipeline.errors import StoreError
from fleet_pipeline.s3 import Address
from fleet_pipeline.s3 import bucket as buckets
from fleet_pipeline.transcripts.discover import Places

from ..ledger.machine import Machine
from ..ledger.test_privacy import everything
from ..ledger.test_reading_only_what_is_new import STORY, story_of_codex, told
from ..local_server import serving
from ..transcripts.claude_fixtures.lines import encoded, reply, transcript, usage
from .fleet import Fleet

SESSION = "claude/projects/p/s.jsonl"
ROLLOUT = "codex/sessions/2026/06/01/rollout-1.jsonl.zst"


def large(letter: str) -> bytes:
    lines = (reply(f"{letter}{n}", usage(n, n), content="x" * 2000) for n in range(400))
    return transcript(*lines)


LARGE = large("m")


@pytest.fixture
def new_client():
    """Let the product make its client anew, and again after the test."""
    buckets._client.cache_clear()
    yield
    buckets._client.cache_clear()


@pytest.mark.parametrize("how", ["a page to sign in on", "nothing", "no ETags", "elsewhere"])
def test_what_is_no_store_is_told_and_never_taken_for_an_empty_one(new_client, how):
    """A web interface's address for that of the store, or a proxy that wants a login."""
    listing = (
        b"<ListBucketResult><Name>logs</Name><Contents><Key>k</Key><Size>5</Size>"
        b"<LastModified>2026-06-17T00:00:00Z</LastModified></Contents></ListBucketResult>"
    )
    bodies = {"a page to sign in on": b"<html><p>Sign in</p></html>", "no ETags": listing}
    there = buckets.Listed("k", 5, "etag", datetime(2026, 6, 17, tzinfo=UTC))
    with serving(bodies.get(how, b""), "") as server:
        if how == "elsewhere":
            server.status, server.headers = [307], {"Location": "https://login.example.org/"}
        bucket = buckets.Bucket(Address("logs", "box/", server.url, "us-east-1"))
        with pytest.raises(StoreError, match="is no S3"):
            list(bucket.listed())
        server.bodies = [b"12345"]
        with pytest.raises(StoreError, match="is no S3"):
            bucket.piece(there, 0, 5)


@pytest.mark.parametrize("year", ["0001", "1970", "9999"])
def test_a_time_that_no_store_can_mean_makes_nothing_in_an_object_untrue(
    tmp_path, new_client, year
):
    """A line from after its file was written is not believed; of stores that know no time, all."""
    lines = transcript(reply("m1", usage(5, 6)))
    listing = (
        "<ListBucketResult><Name>logs</Name><Contents><Key>claude/projects/p/s.jsonl</Key>"
        f"<Size>{len(lines)}</Size><LastModified>{year}-01-01T00:00:00Z</LastModified>"
        "<ETag>x</ETag></Contents></ListBucketResult>"
    )
    with serving(listing.encode(), "") as server:
        server.bodies, server.headers = [listing.encode(), lines], {"ETag": "x"}
        address = Address("logs", "", server.url, "us-east-1")
        machine = Fleet(tmp_path, None)
        report = machine.ingest(also=[Places(host="box", s3=address, expected=True)])
    assert report.failures == {}
    assert machine.billed() == {"m1": (5, 0, 0, 0, 6)}


@pytest.mark.parametrize(
    ("code", "told"),
    [("Odd.Code-7", "answered Odd.Code-7"), ("<p>see /srv/x</p>", "an error that has no name")],
)
def test_an_error_of_a_store_is_repeated_where_it_is_a_word(new_client, code, told):
    """It ends up on a terminal, and in what is told of a failure."""
    with serving(f"<Error><Code>{escape(code)}</Code></Error>".encode(), "") as server:
        server.status = [400]
        with pytest.raises(StoreError) as caught:
            list(buckets.Bucket(Address("logs", "", server.url, "us-east-1")).listed())
    assert told in str(caught.value)
    assert "srv" not in str(caught.value)


def test_a_store_that_goes_away_while_it_copies_has_not_copied(new_client):
    client = buckets._client("http://127.0.0.1:1", "us-east-1", os.getpid())
    upload = buckets.Upload(client, {"Bucket": "logs", "Key": "k", "UploadId": "1"})
    assert not upload.copy("etag", 5)


@pytest.mark.parametrize(
    ("how", "after"),
    [
        *((how, after) for how in ("reset", "short") for after in (0, 1, 70_000, 500_000)),
        *((how, 0) for how in ("500", "503", "refused")),
    ],
)
def test_a_fault_in_the_middle_is_overcome(fleet, how, after):
    """What had come before it is not asked for again."""
    fleet.put("laptop", SESSION, LARGE)
    fleet.store.proxy.break_objects(how, times=1, after=after)
    report = fleet.ingest("laptop")
    assert (report.passed_over, report.failures) == ({}, {})
    assert fleet.billed() == {f"m{n}": (n, 0, 0, 0, n) for n in range(400)}
    assert len(fleet.store.proxy.objects_got()) == 2
    assert fleet.store.proxy.bytes_out < len(LARGE) + 200_000


def test_several_breaks_in_one_object_are_overcome(fleet):
    fleet.put("laptop", SESSION, LARGE)
    fleet.store.proxy.break_objects("reset", times=3, after=100_000)
    fleet.ingest("laptop")
    assert len(fleet.billed()) == 400


def test_a_fault_in_a_compressed_object_is_overcome(fleet):
    data = told(story_of_codex())
    fleet.put("laptop", ROLLOUT, zstandard.compress(data))
    fleet.ingest("laptop")
    before = fleet.billed()
    fleet.store.proxy.break_objects("short", times=2, after=100)
    fleet.ingest("laptop", full=True)
    assert fleet.billed() == before


def test_a_store_that_stops_in_the_middle_is_not_waited_for_forever(fleet, new_client, monkeypatch):
    monkeypatch.setattr(buckets, "_READ_SECONDS", 0.5)
    fleet.put("laptop", SESSION, LARGE)
    fleet.store.proxy.break_objects("stalled", times=1, after=300_000)
    fleet.ingest("laptop")
    assert len(fleet.billed()) == 400


@pytest.mark.parametrize("how", ["reset", "500"])
def test_an_object_that_cannot_be_had_is_passed_over_and_read_the_next_time(fleet, how):
    for name in ("1", "2", "3"):
        fleet.put("laptop", f"claude/projects/p/{name}.jsonl", transcript(reply(f"m{name}")))
    fleet.store.proxy.break_objects(how, times=99, name="2.jsonl")
    report = fleet.ingest("laptop")
    assert set(fleet.billed()) == {"m1", "m3"}
    [(reason, count)] = report.passed_over.items()
    assert count == 1 and "store" in reason
    fleet.store.proxy.faults.clear()
    assert fleet.ingest("laptop").passed_over == {}
    assert set(fleet.billed()) == {"m1", "m2", "m3"}


def test_a_store_that_fails_again_and_again_is_left_alone_and_told(fleet):
    for number in range(9):
        fleet.put("laptop", f"claude/projects/p/{number}.jsonl", transcript(reply(f"m{number}")))
    fleet.store.proxy.break_objects("503", times=999)
    report = fleet.ingest("laptop")
    assert len(fleet.store.proxy.objects_got()) < 9
    assert report.failures == {
        "laptop": ["given up after several faults in a row: the store answered 503"]
    }
    fleet.store.proxy.faults.clear()
    fleet.ingest("laptop")
    assert len(fleet.billed()) == 9


def test_an_object_that_changes_while_it_is_read_is_read_the_next_time(tmp_path, any_store):
    fleet = Fleet(tmp_path, any_store)
    fleet.put("laptop", SESSION, transcript(reply("old"), reply("both")))
    new = transcript(reply("both"), reply("new"))

    def replaced(method: str, path: str) -> None:
        if method == "GET" and "list-type" not in path:
            fleet.store.proxy.before.clear()
            fleet.put("laptop", SESSION, new)

    fleet.store.proxy.before.append(replaced)
    report = fleet.ingest("laptop")
    assert report.passed_over == {"changed while it was read": 1}
    assert fleet.billed() == {}
    fleet.ingest("laptop")
    assert set(fleet.billed()) == {"both", "new"}


def test_no_mixture_of_two_versions_is_read_when_an_object_changes_at_a_break(fleet):
    fleet.put("laptop", SESSION, LARGE)
    changed = large("n")

    def replaced(method: str, path: str) -> None:
        if "list-type" not in path and len(fleet.store.proxy.objects_got()) == 2:
            fleet.put("laptop", SESSION, changed)

    fleet.store.proxy.before.append(replaced)
    fleet.store.proxy.break_objects("reset", times=1, after=300_000)
    report = fleet.ingest("laptop")
    assert report.passed_over == {"changed while it was read": 1}
    fleet.store.proxy.before.clear()
    fleet.ingest("laptop")
    assert set(fleet.billed()) == {f"n{n}" for n in range(400)}


def test_an_object_that_vanishes_after_the_listing_is_passed_over(fleet):
    fleet.put("laptop", SESSION, transcript(reply("a")))
    fleet.store.proxy.before.append(
        lambda _, path: "list-type" in path or fleet.store.delete(f"logs/laptop/{SESSION}")
    )
    assert fleet.ingest("laptop").passed_over == {"vanished": 1}


def test_a_damaged_compressed_object_is_passed_over(fleet):
    data = bytearray(zstandard.compress(told(story_of_codex())))
    data[8:] = b"\xff" * (len(data) - 8)
    fleet.put("laptop", ROLLOUT, bytes(data))
    fleet.put("laptop", SESSION, transcript(reply("a")))
    assert fleet.ingest("laptop").passed_over == {"damaged Zstandard file": 1}
    assert set(fleet.billed()) == {"a"}


def places_that_fail(fleet: Fleet) -> dict[str, tuple[Places, str]]:
    url = fleet.store.proxy.url
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
    return {
        "away": (Places(s3=Address("fleet", "", closed)), "cannot be reached"),
        "no bucket": (Places(s3=Address("no-such-bucket", "", url)), "there is no such bucket"),
        "no S3": (Places(s3=Address("fleet", "", f"{url}/%zz")), ""),
        "no folder": (Places((fleet.home.root / "gone",)), "there is no such folder"),
    }


@pytest.mark.parametrize("which", ["away", "no bucket", "no folder"])
def test_a_host_that_cannot_be_read_stops_no_other(tmp_path, fleet, which):
    places, reason = places_that_fail(fleet)[which]
    gone = Places(places.claude, places.codex, "gone", places.s3, expected=True)
    machine = Machine(tmp_path, "desk")
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("here")))
    fleet.put("laptop", SESSION, transcript(reply("there")))
    report = fleet.ingest("laptop", also=[gone, *machine.places()])
    assert set(fleet.billed()) == {"here", "there"}
    [(host, [failure])] = report.failures.items()
    assert host == "gone" and reason in failure


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "the secret does not fit the access key"),
        ({"AWS_ACCESS_KEY_ID": "SOMEBODYELSE"}, "the store does not know this access key"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no usable credentials"),
        ({"AWS_PROFILE": "nobody"}, "no usable credentials"),
    ],
)
def test_credentials_that_do_not_fit_are_told_with_what_to_do(
    tmp_path, before_rclone, new_client, monkeypatch, environment, reason
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
        if not value:
            monkeypatch.delenv(name)
    address = Address("fleet", "logs/", before_rclone.anew().url)
    fleet = Fleet(tmp_path, None)
    report = fleet.ingest(also=[Places(host="box", s3=address, expected=True)])
    [[failure]] = report.failures.values()
    assert reason in failure
    assert "wrong" not in failure and "SOMEBODYELSE" not in failure


def test_no_name_of_an_object_is_kept_or_told(fleet, capfd):
    bird = "canarybird"
    fleet.put("laptop", f"claude/projects/-home-{bird}/{bird}.jsonl", STORY)
    fleet.put("laptop", f"claude/projects/{bird}/broken-{bird}.jsonl", b"{broken\n")
    damaged = zstandard.compress(bird.encode() * 9)[:-4] + b"\xff" * 9
    fleet.put("laptop", f"codex/sessions/{bird}/rollout-{bird}.jsonl.zst", damaged)
    fleet.store.proxy.break_objects("500", times=99, name="broken")
    report = fleet.ingest("laptop")
    assert len(report.passed_over) == 2
    said = capfd.readouterr()
    kept = everything(fleet.home.root)
    assert b"/work" in kept, "the search does not find what is there"
    assert bird.encode() not in kept
    assert bird not in f"{report} {said.out} {said.err}"


READING = """
import re, sys
from pathlib import Path
from fleet_pipeline.home import Home
from fleet_pipeline.ledger import ingest
from fleet_pipeline.s3 import Address
from fleet_pipeline.transcripts.discover import Places
address = Address(sys.argv[2], sys.argv[3], sys.argv[4])
report = ingest(Home(Path(sys.argv[1])), [Places(host="laptop", s3=address)])
assert report.files_read == 1, report
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
def test_an_object_of_any_size_is_never_in_memory_as_a_whole(tmp_path, fleet):
    peaks = []
    for megabytes in (1, 150):
        user = encoded({"type": "user", "message": {"content": "x" * 10**5}}) + b"\n"
        data = transcript(reply("a")) + user * (megabytes * 10) + transcript(reply("b"))
        fleet.put(f"host-{megabytes}", SESSION, data)
        done = subprocess.run(
            [sys.executable, "-c", READING, str(tmp_path / f"{megabytes}"), fleet.store.bucket,
             f"logs/host-{megabytes}/", fleet.store.proxy.url],
            capture_output=True, text=True, check=True, env=os.environ,
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 20_000, peaks
