"""``fleet ship`` on one machine, ``fleet ingest`` on another, a store in between."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_pipeline.s3 import bucket as buckets

from ..hosts.stores import KEY_ID, SECRET, Proxy, Store, moto, proxied
from .conftest import Run, WriteTranscript


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with moto() as port, proxied(port) as before:
        yield before


@pytest.fixture
def store(proxy: Proxy, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Store:
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(buckets, "_PAUSE", 0.001)
    return Store(proxy.anew(), f"cli-{abs(hash(request.node.name))}")


def listed(org: Path, sources: str) -> None:
    file = org / "fleet.yaml"
    file.write_text(file.read_text().replace("sources: []", f"sources: {sources}"))


def usage(fleet: Run) -> object:
    return json.loads(fleet("ingest", "--json").stdout)["usage"]


def test_what_one_machine_ships_another_counts(
    fleet: Run,
    org: Path,
    store: Store,
    claude_transcript: WriteTranscript,
    codex_transcript: WriteTranscript,
) -> None:
    claude_transcript(3)
    codex_transcript()
    alone = usage(fleet)
    ship = (
        "ship", "--to", f"s3://{store.bucket}/logs", "--host", "box",
        "--endpoint-url", store.proxy.url,
    )  # fmt: skip
    shipped = fleet(*ship)
    assert shipped.exit_code == 0
    assert f"shipped to s3://{store.bucket}/logs/box: 2 files, 2 sent" in shipped.stderr
    hint = f"  - host: box\n    s3: s3://{store.bucket}/logs/box\n    endpoint_url: "
    assert hint in shipped.stderr
    again = fleet(*ship, "--json")
    assert (json.loads(again.stdout)["files"], json.loads(again.stdout)["files_sent"]) == (2, 0)
    assert "fleet.yaml" not in again.stderr, "it is said once"
    listed(
        org, f"[{{host: box, s3: s3://{store.bucket}/logs/box, endpoint_url: {store.proxy.url}}}]"
    )
    result = fleet("ingest", "--json", "--home", "elsewhere")
    assert json.loads(result.stdout)["usage"] == alone
    [host] = json.loads(result.stdout)["sources"]["hosts"]
    assert host["host"] == "box"
    store.proxy.anew()
    result = fleet("ingest", "--home", "elsewhere")
    assert "2 found, none of them new" in result.stderr
    assert store.proxy.objects_got() == []


def test_with_ledger_only_no_transcript_is_sent_and_the_totals_are_the_same(
    fleet: Run, org: Path, store: Store, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(3)
    result = fleet(
        "ship",
        "--to",
        f"s3://{store.bucket}",
        "--host",
        "box",
        "--ledger-only",
        "--endpoint-url",
        store.proxy.url,
    )
    assert result.exit_code == 0
    assert store.names()
    assert all(name.startswith("box/evidence/") for name in store.names())
    assert not any(b"the secret of the transcript" in store.get(name) for name in store.names())
    listed(org, f"[{{host: box, s3: s3://{store.bucket}/box, endpoint_url: {store.proxy.url}}}]")
    result = fleet("ingest", "--json", "--home", "elsewhere")
    assert json.loads(result.stdout)["usage"]["claude"]["requests"] == 3


def test_the_folders_that_are_listed_for_a_host_are_the_ones_it_ships(
    fleet: Run, org: Path, store: Store, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(1)
    claude_transcript(1, folder=org / "work", name="listed")
    listed(org, "[{host: box, claude: [work]}, {host: other, s3: s3://some-bucket/other}]")
    options = ("--to", f"s3://{store.bucket}", "--endpoint-url", store.proxy.url)
    fleet("ship", *options, "--host", "box")
    assert [name.rpartition("/")[2] for name in store.names()] == ["listed.jsonl"]
    fleet("ship", *options, "--host", "unlisted")
    assert [name.rpartition("/")[2] for name in store.names()] == ["listed.jsonl", "session.jsonl"]


def test_a_store_that_is_away_is_told_and_the_exit_status_says_so(
    fleet: Run, org: Path, store: Store, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    result = fleet(
        "ship", "--to", "s3://no-such-bucket", "--host", "box", "--endpoint-url", store.proxy.url
    )
    assert result.exit_code == 1
    assert "fleet: s3://no-such-bucket/box: there is no such bucket" in result.stderr


def test_what_could_not_be_sent_is_told_and_the_exit_status_says_so(
    fleet: Run, org: Path, store: Store, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    store.proxy.break_uploads("500", times=9)
    result = fleet(
        "ship", "--to", f"s3://{store.bucket}", "--host", "box", "--endpoint-url", store.proxy.url
    )
    assert result.exit_code == 1
    assert "1 the store answered 500" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--to", "bucket"], "--to: it must be an address like s3://bucket/prefix"),
        (["--to", "s3://K:secret@bucket"], "--to: it holds credentials"),
        (["--to", "s3://bucket", "--endpoint-url", "store"], "--endpoint-url: it must be"),
        (["--to", "s3://bucket", "--host", "a/b"], "--host: a/b cannot name a host"),
        (["--to", "s3://bucket", "--host", "demo"], "--host: demo cannot name a host"),
        ([], "Missing option '--to'"),
    ],
)
def test_a_mistake_on_the_command_line_is_told(fleet: Run, arguments: list[str], says: str) -> None:
    result = fleet("ship", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "secret" not in result.stderr


def test_the_doctor_tells_of_a_host_in_s3_and_of_one_that_cannot_be_read(
    fleet: Run, org: Path, store: Store, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2)
    fleet(
        "ship", "--to", f"s3://{store.bucket}", "--host", "box", "--endpoint-url", store.proxy.url
    )
    url = f"endpoint_url: {store.proxy.url}"
    listed(
        org,
        f"[{{host: box, s3: s3://{store.bucket}/box, {url}}},"
        f" {{host: gone, s3: s3://no-such-bucket/x, {url}}}]",
    )
    fleet("ingest")
    result = fleet("doctor")
    assert result.exit_code == 0, "what is in a store is not lost while it is away"
    assert f"claude on box: s3://{store.bucket}/box: 1 file" in result.stdout
    assert "claude on gone: s3://no-such-bucket/x: s3://no-such-bucket/x: there" in result.stdout
    assert "host gone cannot be read: s3://no-such-bucket/x: there is no such" in result.stdout
    assert "gone: no request yet" in result.stdout
    assert "box: last request on 2026-06-10, quiet for" in result.stdout


def test_no_command_that_needs_no_store_loads_what_talks_to_one(
    org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    listed(org, "[{host: box, claude: [~/.claude]}]")
    code = (
        "import sys; from fleet_pipeline.cli import main\n"
        "try: main(['ingest'])\n"
        "except SystemExit: pass\n"
        "assert 'polars' in sys.modules and 'boto3' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
