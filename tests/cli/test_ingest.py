"""``fleet ingest``: what is read, what is counted, what is printed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

USAGE_KEYS = {
    "requests", "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
    "cache_read_tokens", "output_tokens", "full_input_tokens", "cache_read_share",
    "context_p50", "context_p90", "output_final_share",
}  # fmt: skip


def requests(result: Result, client: str = "claude") -> int:
    count = json.loads(result.stdout)["usage"][client]["requests"]
    assert isinstance(count, int)
    return count


def test_the_totals_of_the_whole_ledger_are_one_json_document(
    fleet: Run, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript
) -> None:
    claude_transcript(2)
    codex_transcript()
    result = fleet("ingest", "--json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert set(printed) == {"usage", "sources"}
    claude, codex = printed["usage"]["claude"], printed["usage"]["codex"]
    assert set(claude) >= USAGE_KEYS
    assert set(codex) >= USAGE_KEYS
    assert {name: claude[name] for name in USAGE_KEYS} == {
        "requests": 2,
        "input_tokens": 20,
        "cache_write_5m_tokens": 300,
        "cache_write_1h_tokens": 100,
        "cache_read_tokens": 6000,
        "output_tokens": 80,
        "full_input_tokens": 6420,
        "cache_read_share": 6000 / 6420,
        "context_p50": 3210.0,
        "context_p90": 3210.0,
        "output_final_share": 1.0,
    }
    assert (codex["input_tokens"], codex["cache_read_tokens"], codex["output_tokens"]) == (
        300,
        600,
        70,
    )
    assert (printed["sources"]["files"], printed["sources"]["lines"]) == (2, 5)


def test_without_json_nothing_is_on_stdout(fleet: Run, claude_transcript: WriteTranscript) -> None:
    path = claude_transcript()
    result = fleet("ingest")
    assert (result.exit_code, result.stdout) == (0, "")
    megabytes = path.stat().st_size / 1e6
    assert f"transcripts: 1 found, 1 read ({megabytes:,.1f} MB)" in result.stderr


def test_no_organisation_is_needed(fleet: Run, claude_transcript: WriteTranscript) -> None:
    claude_transcript(3)
    assert requests(fleet("ingest", "--json")) == 3


def test_an_empty_machine_has_a_ledger_of_zeros(fleet: Run) -> None:
    result = fleet("ingest", "--json")
    assert result.exit_code == 0
    assert (requests(result), requests(result, "codex")) == (0, 0)
    assert json.loads(result.stdout)["usage"]["claude"]["cache_read_share"] is None
    assert "`fleet doctor`" in result.stderr


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("CLAUDE_CONFIG_DIR", "elsewhere"), ("XDG_CONFIG_HOME", "config/claude")],
)
def test_the_folders_that_the_clients_use_by_themselves_are_found(
    fleet: Run,
    claude_transcript: WriteTranscript,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    folder: str,
) -> None:
    claude_transcript(folder=Path(folder))
    monkeypatch.setenv(variable, folder.split("/")[0])
    assert requests(fleet("ingest", "--json")) == 1


@pytest.mark.parametrize("inside", ["", "projects"])
def test_as_soon_as_a_folder_is_named_no_other_is_read(
    fleet: Run, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript, inside: str
) -> None:
    claude_transcript(5)
    codex_transcript()
    claude_transcript(2, folder=Path("named"), name="other")
    result = fleet("ingest", "--json", "--claude", Path("named") / inside)
    assert (requests(result), requests(result, "codex")) == (2, 0)


def test_several_folders_may_be_named(fleet: Run, claude_transcript: WriteTranscript) -> None:
    for number in (1, 2):
        claude_transcript(number, folder=Path(f"named{number}"), name=f"session{number}")
    result = fleet("ingest", "--json", "--claude", "named1", "--claude", "named2")
    assert requests(result) == 3


def test_codex_alone_may_be_named(
    fleet: Run, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript
) -> None:
    claude_transcript()
    codex_transcript(folder=Path("named"))
    result = fleet("ingest", "--json", "--codex", "named/sessions")
    assert (requests(result), requests(result, "codex")) == (0, 1)


def test_a_second_run_reads_nothing_and_changes_nothing(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(4)
    first = fleet("ingest", "--json")
    second = fleet("ingest", "--json")
    assert "1 found, none of them new" in second.stderr
    assert second.stdout == first.stdout


def test_full_reads_everything_again_and_counts_the_same(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(4)
    first = fleet("ingest", "--json")
    second = fleet("ingest", "--json", "--full")
    assert "1 found, 1 read" in second.stderr
    assert second.stdout == first.stdout


def test_a_deleted_transcript_takes_nothing_from_the_ledger(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    path = claude_transcript(4)
    fleet("ingest")
    path.unlink()
    assert requests(fleet("ingest", "--json")) == 4


def test_what_is_passed_over_is_told_by_reason(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    path = claude_transcript()
    path.with_name("linked.jsonl").symlink_to(path)
    assert "1 found, 1 read (0.0 MB), 1 not a regular file\n" in fleet("ingest").stderr


def test_the_home_is_the_one_that_is_named_before_the_one_of_the_environment(
    fleet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_HOME", "from-environment")
    fleet("ingest", "--home", "named")
    assert Path("named/lake").is_dir()
    assert not Path("from-environment").exists()
    fleet("ingest")
    assert Path("from-environment/lake").is_dir()


def test_a_home_that_cannot_be_made_is_a_mistake_in_the_configuration(fleet: Run) -> None:
    Path("file").write_text("")
    result = fleet("ingest", "--home", "file/home")
    assert result.exit_code == 2
    assert "--home" in result.stderr


def test_a_day_is_checked_though_the_ledger_holds_all(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    assert requests(fleet("ingest", "--json", "--as-of", "2026-01-07")) == 1
    assert fleet("ingest", "--as-of", "2026-01-08").exit_code == 2


def test_a_listed_host_that_is_gone_is_told_loudly_and_stops_no_other(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2, folder=org / "here")
    file = org / "fleet.yaml"
    listed = "sources: [{host: box, claude: [mounted]}, {host: desk, claude: [here]}]"
    file.write_text(file.read_text().replace("sources: []", listed))
    result = fleet("ingest", "--json")
    assert result.exit_code == 0
    assert requests(result) == 2
    reason = f"{org / 'mounted'}: there is no such folder"
    assert json.loads(result.stdout)["hosts_not_read"] == {"box": [reason]}
    assert f"WARNING: host box was not read, or not all of it: {reason}" in result.stderr


def test_when_no_listed_host_can_be_read_the_exit_status_says_so(fleet: Run, org: Path) -> None:
    file = org / "fleet.yaml"
    listed = "sources:\n  - host: box\n    claude: [mounted/.claude]\n"
    file.write_text(file.read_text().replace("sources: []", listed))
    result = fleet("ingest")
    assert result.exit_code == 1
    assert str(org / "mounted/.claude") in result.stderr


def test_a_source_of_the_organisation_keeps_the_name_of_its_host(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(9)
    claude_transcript(2, folder=org / "mounted", name="other")
    file = org / "fleet.yaml"
    listed = "sources:\n  - host: box\n    claude: [mounted]\n"
    file.write_text(file.read_text().replace("sources: []", listed))
    result = fleet("ingest", "--json")
    assert requests(result) == 2
    assert [host["host"] for host in json.loads(result.stdout)["sources"]["hosts"]] == ["box"]
