"""``fleet doctor``: what is there, what is wrong, what to do; and that it changes nothing."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from fleet_pipeline import pricing

from ..alerts.hooks import hooked

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

DAY = 86_400
TODAY = time.strftime("%Y-%m-%d", time.gmtime())


def everything_on_disk(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def diagnosed(result: Result) -> Any:
    assert result.exit_code in (0, 1), result.stderr
    found = json.loads(result.stdout)
    return found


def problems(result: Result, *, losing_data: bool) -> list[str]:
    found = json.loads(result.stdout)["problems"]
    return [problem["what"] for problem in found if problem["loses_data"] == losing_data]


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def test_an_empty_machine_is_no_failure_and_every_place_is_named(fleet: Run, machine: Path) -> None:
    result = fleet("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    for folder in (".claude", ".config/claude", ".codex"):
        assert f"{machine / folder}: does not exist" in result.stdout
    assert "there are no transcripts" in result.stdout
    assert "fleet init" in result.stdout


@pytest.mark.parametrize("prepared", [False, True])
def test_it_writes_nothing_and_changes_no_file(
    fleet: Run, org: Path, claude_transcript: WriteTranscript, tmp_path: Path, prepared: bool
) -> None:
    claude_transcript(day=TODAY)
    if prepared:
        fleet("ingest")
        os.umask(0o022)
    before = everything_on_disk(tmp_path)
    assert fleet("doctor").exit_code == 0
    assert fleet("doctor", "--json").exit_code == 0
    assert everything_on_disk(tmp_path) == before
    assert os.umask(0o022) == 0o022


def test_an_alert_that_could_not_be_sent_is_named_and_none_is_sent(
    fleet: Run, org: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = org / "fleet.yaml"
    channels = "[{webhook: WELL}, {slack: NOT_SET}, {webhook: NO_ADDRESS}]"
    file.write_text(file.read_text().replace("alerts: []", f"alerts: {channels}"))
    monkeypatch.setenv("NO_ADDRESS", "http://a-secret.example.org/")
    with hooked() as hook:
        monkeypatch.setenv("WELL", hook.url)
        result = fleet("doctor")
    assert "alerts        1 of 3 channels ready; none was tried" in result.stdout
    assert "by slack: NOT_SET is not set in the environment" in result.stdout
    assert "by webhook: NO_ADDRESS holds no https address" in result.stdout
    assert "a-secret" not in result.stdout
    assert (result.exit_code, hook.taken) == (0, [])


def test_it_tells_what_was_found_read_and_counted(
    fleet: Run, org: Path, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript
) -> None:
    path = claude_transcript(3)
    path.write_text(path.read_text() + '{"type":"assistant","message":{"usage":\n')
    path.with_name("linked.jsonl").symlink_to(path)
    codex_transcript()
    fleet("ingest")
    says = fleet("doctor").stdout
    for line in (
        "riles-fleet, 9 agents: ",
        f"claude on local: {path.parents[2]}: 1 file, ",
        "0 with something that was not read yet",
        "1 passed over: not a regular file",
        "2 files, last written ",
        "claude on local: 3 requests, 2026-06-10 to 2026-06-10, 100.0% with final output",
        "codex on local: 1 request, 2026-06-10 to 2026-06-10, 100.0% with final output",
        "1 line not believed: unreadable",
        "0 lines that only repeated a request",
        "known for every model",
        "claude 2.1.169: 3 requests, 2026-06-10 to 2026-06-10",
        "codex 0.140.0: 1 request, 2026-06-10 to 2026-06-10",
        "nothing yet",
    ):
        assert line in says


def test_json_is_one_document_with_the_same_findings(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2)
    fleet("ingest")
    found = diagnosed(fleet("doctor", "--json"))
    assert found["organisation"]["name"] == "riles-fleet"
    assert found["transcripts"]["files"] == {"claude": 1, "codex": 0}
    assert found["register"]["state"] == "ok"
    assert found["usage"] == [
        {
            "client": "claude",
            "host": "local",
            "requests": 2,
            "first_day": "2026-06-10",
            "last_day": "2026-06-10",
            "output_final_share": 1.0,
        }
    ]
    assert found["sources"]["duplicates"] == 0


def test_a_machine_in_daily_use_has_no_problem(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(day=TODAY)
    fleet("ingest")
    assert fleet("doctor").stdout.endswith("No problem was found.\n")


def test_transcripts_that_wait_to_be_read_are_counted(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(day=TODAY)
    result = fleet("doctor", "--json")
    assert result.exit_code == 0
    [says] = problems(result, losing_data=False)
    assert says.startswith("not read yet, or grown since: 1 transcript (")


def test_unread_transcripts_that_claude_code_soon_deletes_lose_data(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    age(claude_transcript(), days=24)
    result = fleet("doctor", "--json")
    assert result.exit_code == 1
    [says] = problems(result, losing_data=True)
    assert says == "older than 23 days and not read: 1 transcript"
    fleet("ingest")
    assert fleet("doctor").exit_code == 0


def test_folders_that_the_command_names_may_hold_old_transcripts(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    age(claude_transcript(folder=Path("archive")), days=400)
    result = fleet("doctor", "--json", "--claude", "archive")
    assert result.exit_code == 0
    assert "not read yet, or grown since" in problems(result, losing_data=False)[1]


def test_mistakes_in_the_organisation_are_told_and_the_rest_is_still_looked_at(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(day=TODAY)
    (org / "agents.yaml").write_text("agents: 3\n")
    result = fleet("doctor", "--json")
    assert result.exit_code == 1
    found = diagnosed(result)
    mistakes = found["organisation"]["mistakes"]
    assert isinstance(mistakes, list)
    assert f"{org}/agents.yaml:1: agents" in mistakes[0]
    assert found["transcripts"]["files"] == {"claude": 1, "codex": 0}
    [says] = problems(result, losing_data=True)
    assert says.endswith(f"in {org}, so nothing is read or published")


def test_a_listed_folder_that_is_gone_loses_data(fleet: Run, org: Path) -> None:
    file = org / "fleet.yaml"
    listed = "sources:\n  - host: box\n    claude: [mounted]\n"
    file.write_text(file.read_text().replace("sources: []", listed))
    result = fleet("doctor", "--json")
    assert result.exit_code == 1
    [says] = problems(result, losing_data=True)
    assert says == f"{org / 'mounted'}, listed for box, does not exist, so nothing is read"


def test_a_home_that_cannot_be_written_loses_data(fleet: Run, org: Path) -> None:
    Path("file").write_text("")
    result = fleet("doctor", "--json", "--home", "file/home")
    assert result.exit_code == 1
    assert problems(result, losing_data=True) == [
        f"{Path('file/home').absolute()} cannot be written"
    ]


def test_lines_that_were_left_out_lose_data_when_there_are_many(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    path = claude_transcript(day=TODAY)
    path.write_text(path.read_text() + '{"type":"assistant","message":{"usage":\n')
    fleet("ingest")
    result = fleet("doctor", "--json")
    assert result.exit_code == 1
    [says] = problems(result, losing_data=True)
    assert "unreadable: 1" in says


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("usage", "`fleet recount` makes it anew"),
        ("events", "from a backup and run `fleet recount`, or let `fleet ingest --full`"),
        ("transcripts", "from a backup and run `fleet recount`, or let `fleet ingest --full`"),
    ],
)
def test_a_damaged_file_of_the_lake_is_named_with_what_to_do(
    fleet: Run, org: Path, claude_transcript: WriteTranscript, name: str, remedy: str
) -> None:
    claude_transcript(day=TODAY)
    fleet("ingest")
    [path] = Path(".fleet/lake", name).rglob("*.parquet")
    data = bytearray(path.read_bytes())
    data[60:160] = b"\xff" * 100
    path.write_bytes(data)
    result = fleet("doctor")
    assert result.exit_code == 1
    assert f"LOSES DATA: damaged: {path.relative_to('.fleet')}" in result.stdout
    assert remedy in result.stdout


def test_what_is_said_to_do_about_a_damaged_ledger_mends_it(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2, day=TODAY)
    before = fleet("ingest", "--json").stdout
    [path] = Path(".fleet/lake/usage").rglob("*.parquet")
    path.write_bytes(b"")
    assert fleet("recount").exit_code == 0
    assert fleet("ingest", "--json").stdout == before
    assert fleet("doctor").exit_code == 0


def test_evidence_that_was_set_aside_is_named_until_it_is_deleted(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2, day=TODAY)
    before = fleet("ingest", "--json").stdout
    [path] = Path(".fleet/lake/events").rglob("*.parquet")
    path.write_bytes(b"")
    result = fleet("ingest", "--full", "--json")
    assert result.stdout == before
    aside = path.with_name(f"{path.name}.damaged")
    assert f"WARNING: damaged evidence was set aside: {aside.absolute()}" in result.stderr
    assert "2 requests were counted before, 2 are now" in result.stderr
    [says] = problems(fleet("doctor", "--json"), losing_data=True)
    assert says == f"damaged and set aside: {aside.relative_to('.fleet')}"
    aside.unlink()
    assert fleet("doctor").exit_code == 0


@pytest.mark.parametrize("content", [b"", b"PAR1 damaged"])
def test_a_damaged_register_loses_nothing(
    fleet: Run, org: Path, claude_transcript: WriteTranscript, content: bytes
) -> None:
    claude_transcript(day=TODAY)
    fleet("ingest")
    Path(".fleet/lake/register.parquet").write_bytes(content)
    result = fleet("doctor", "--json")
    assert result.exit_code == 0
    assert "lake/register.parquet is damaged" in problems(result, losing_data=False)
    assert fleet("ingest").exit_code == 0
    assert fleet("doctor", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("version", "is_measured"),
    [("2.1.330", True), ("1.0.17", True), ("2.1.331", False), ("2.2.0", False), ("3.0.0-b", False)],
)
def test_clients_newer_than_what_was_measured_are_named(
    fleet: Run, org: Path, claude_transcript: WriteTranscript, version: str, is_measured: bool
) -> None:
    claude_transcript(day=TODAY, version=version)
    fleet("ingest")
    result = fleet("doctor", "--json")
    assert result.exit_code == 0
    says = f"claude {version}: the counting was measured up to 2.1.330"
    assert problems(result, losing_data=False) == ([] if is_measured else [says])


def test_models_without_a_list_price_are_named(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(day=TODAY, model="claude-of-the-future")
    fleet("ingest")
    result = fleet("doctor", "--json")
    assert result.exit_code == 0
    assert problems(result, losing_data=False) == [
        "no list price is known for claude-of-the-future"
    ]


def test_candidates_without_a_price_are_named_since_no_page_can_be_published(
    fleet: Run, org: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pricing.PriceBook, "find", lambda *_: None)
    says = [
        each for each in problems(fleet("doctor", "--json"), losing_data=False) if "price" in each
    ]
    assert len(says) == 1
    assert "openrouter/z-ai/glm-5.2" in says[0] or "more" in says[0]


def test_requests_whose_output_is_not_final_are_told(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(3, name="whole", day=TODAY)
    claude_transcript(1, name="cut", day=TODAY, stop_reason=None)
    fleet("ingest")
    [says] = problems(fleet("doctor", "--json"), losing_data=False)
    assert says.startswith("claude on local: 75% of its requests have their final output")


def test_a_host_that_fell_silent_is_named(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(name="here", day=TODAY, folder=org / "here")
    claude_transcript(name="there", day="2026-06-10", folder=org / "there")
    file = org / "fleet.yaml"
    listed = "sources:\n  - {host: here, claude: [here]}\n  - {host: there, claude: [there]}\n"
    file.write_text(file.read_text().replace("sources: []", listed))
    fleet("ingest")
    result = fleet("doctor", "--json")
    [says] = problems(result, losing_data=False)
    assert says.startswith("host there: last request on 2026-06-10, quiet for ")
    hosts = diagnosed(result)["hosts"]
    assert isinstance(hosts, list)
    assert {host["host"]: host["quiet_days"] > 7 for host in hosts} == {
        "here": False,
        "there": True,
    }


def test_a_machine_that_fell_silent_is_told(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    age(claude_transcript(day="2026-06-10"), days=9.5)
    fleet("ingest")
    assert problems(fleet("doctor", "--json"), losing_data=False) == [
        "no transcript was written for 9 days"
    ]


def test_transcripts_that_log_no_usage_are_told(
    fleet: Run, org: Path, codex_transcript: WriteTranscript
) -> None:
    path = codex_transcript()
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    fleet("ingest")
    result = fleet("doctor", "--json")
    assert result.exit_code == 0
    assert problems(result, losing_data=False) == ["no request in 1 transcript of codex"]


def test_a_home_that_holds_nothing_but_the_demo_says_so(fleet: Run, org: Path) -> None:
    fleet("demo", "--out", ".fleet/demo", "--requests", 300)
    fleet("ingest")
    result = fleet("doctor", "--json")
    assert result.exit_code == 0
    assert "only the demo fleet was read" in problems(result, losing_data=False)


def test_a_page_that_is_due_is_told(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(day=TODAY)
    fleet("ingest")
    Path(".fleet/site/weeks/2026-06-17").mkdir(parents=True)
    [says] = problems(fleet("doctor", "--json"), losing_data=False)
    assert says.startswith("the newest page is of 2026-06-17, the latest week closed 20")


def test_only_the_named_folders_are_looked_at(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(day=TODAY)
    claude_transcript(name="other", day=TODAY, folder=Path("named"))
    found = diagnosed(fleet("doctor", "--json", "--claude", "named"))
    [place] = found["places"]
    assert place["folder"] == str(Path("named").absolute())
    assert found["transcripts"]["files"] == {"claude": 1, "codex": 0}


def add_lines(path: Path, *records: dict[str, object]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(record, separators=(",", ":")) + "\n" for record in records)


def total(fresh: int) -> dict[str, object]:
    """Return what the client says that the session of ``claude_transcript`` was billed."""
    models = {"claude-sonnet-4-6": {"inputTokens": fresh}}
    start = 1_781_049_600_000  # 2026-06-10 00:00 UTC
    return {"type": "cost-state", "sessionId": "session", "startTime": start, "modelUsage": models}


def test_it_tells_how_far_the_clients_own_totals_and_the_ledger_agree(
    fleet: Run, org: Path, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript
) -> None:
    add_lines(claude_transcript(2), total(1))
    claude_transcript(1, name="other")
    codex_transcript()
    fleet("ingest")
    says = fleet("doctor").stdout
    for line in (
        "claude: 1 of 2 sessions with a total of the client's own",
        "claude: 0 agree to the token; ",
        "of what was billed is in the ledger",
        "claude: 1 session with more in the ledger than the client's total says",
        "codex: 1 of 1 session with a total of the client's own",
        "codex: 1 agree to the token; 100.0% of what was billed is in the ledger",
    ):
        assert line in says
    compared = diagnosed(fleet("doctor", "--json"))["sources"]["reconciliation"]
    assert (compared["claude"]["comparable"], compared["claude"]["sessions"]) == (1, 2)


def test_it_names_what_this_version_does_not_know(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    path = claude_transcript(1)
    assert "nothing: every record type and usage field is known" in fleet("doctor").stdout
    add_lines(path, {"type": "holo-note", "text": "secret"}, {"type": "holo-note"}, {"type": "a b"})
    fleet("ingest")
    result = fleet("doctor")
    assert "claude record type holo-note: 2 lines of 1 transcript" in result.stdout
    assert "claude record type (other): 1 line of 1 transcript" in result.stdout
    assert "secret" not in result.stdout
    assert "this version does not know: claude (other), claude holo-note" in problems(
        fleet("doctor", "--json"), losing_data=False
    )
    assert result.exit_code == 0
