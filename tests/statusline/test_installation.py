"""Claude Code's settings: one entry comes and goes, and all else stays byte for byte."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.statusline import installation as installing
from fleet_pipeline.statusline.installation import (
    BACKUP,
    SETTINGS,
    fleet_command,
    installation,
    removal,
)

COMMAND = "fleet statusline"
ENTRY = {"type": "command", "command": COMMAND}
OTHER = '{ "type":"command","command" : "~/my line.sh", "padding": 0 }'

SETTINGS_OF_A_PERSON = b"""{
    "model": "opus",
    "env": {"A": "1.0", "statusLine": "not this one"},
    "permissions": {"allow": ["Bash(ls:*)"], "deny": []},
    "numbers": [1.0, 1e3, 12345678901234567890],
    "umlaut": "\\u00fc \xc3\xbc"
}
"""


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    return tmp_path


def install(claude: Path, *, replace: bool = False) -> None:
    change = installation(claude, COMMAND, replace=replace)
    assert change is not None
    change.apply()


def undo(claude: Path) -> None:
    change = removal(claude)
    assert change is not None
    change.apply()


def settings(claude: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads((claude / SETTINGS).read_bytes())
    return told


def written(claude: Path, data: bytes) -> bytes:
    (claude / SETTINGS).write_bytes(data)
    return data


def test_the_entry_is_added_at_the_end_and_nothing_else_changes(claude: Path) -> None:
    before = written(claude, SETTINGS_OF_A_PERSON)
    install(claude)
    entry = b',\n    "statusLine": {"type": "command", "command": "fleet statusline"}'
    assert (claude / SETTINGS).read_bytes() == before[:-3] + entry + before[-3:]
    assert (claude / BACKUP).read_bytes() == before


def test_nothing_is_written_before_it_is_agreed_to(claude: Path) -> None:
    before = written(claude, SETTINGS_OF_A_PERSON)
    change = installation(claude, COMMAND)
    assert change is not None
    assert change.described() == [
        f"{claude / SETTINGS}:",
        '  + "statusLine": {"type": "command", "command": "fleet statusline"}',
    ]
    assert (claude / SETTINGS).read_bytes() == before
    assert [path.name for path in claude.iterdir()] == [SETTINGS]


@pytest.mark.parametrize("before", [SETTINGS_OF_A_PERSON, b"{}", b" { \n } ", b'{"a":1}', None])
def test_undoing_brings_back_the_very_bytes(claude: Path, before: bytes | None) -> None:
    if before is not None:
        written(claude, before)
    install(claude)
    assert settings(claude)["statusLine"] == ENTRY
    undo(claude)
    assert {path.name: path.read_bytes() for path in claude.iterdir()} == (
        {} if before is None else {SETTINGS: before}
    )


def test_what_was_changed_since_survives_the_undoing(claude: Path) -> None:
    written(claude, b'{"model": "opus"}')
    install(claude)
    changed = settings(claude) | {"model": "sonnet", "theme": "dark"}
    written(claude, json.dumps(changed).encode())
    undo(claude)
    assert settings(claude) == {"model": "sonnet", "theme": "dark"}


def test_another_status_line_is_not_replaced_unasked(claude: Path) -> None:
    before = written(claude, f'{{"statusLine": {OTHER}, "model": "opus"}}'.encode())
    with pytest.raises(ConfigurationError, match=r"my line\.sh.*--replace-statusline"):
        installation(claude, COMMAND)
    assert (claude / SETTINGS).read_bytes() == before


@pytest.mark.parametrize("changed_since", [False, True])
def test_a_replaced_status_line_comes_back(claude: Path, changed_since: bool) -> None:
    before = written(claude, f'{{"statusLine": {OTHER}, "model": "opus"}}'.encode())
    install(claude, replace=True)
    assert list(settings(claude).items()) == [("statusLine", ENTRY), ("model", "opus")]
    if changed_since:
        after = (claude / SETTINGS).read_bytes()
        before = before.replace(b"opus", b"haiku")
        written(claude, after.replace(b"opus", b"haiku"))
    undo(claude)
    assert (claude / SETTINGS).read_bytes() == before


@pytest.mark.parametrize(
    "command", [COMMAND, "/opt/my tools/fleet statusline", "~/bin/fleet  statusline"]
)
def test_what_is_installed_is_not_installed_again(claude: Path, command: str) -> None:
    words = command.replace("/opt/my tools/fleet", "'/opt/my tools/fleet'")
    written(claude, json.dumps({"statusLine": {"type": "command", "command": words}}).encode())
    assert installation(claude, COMMAND) is None


@pytest.mark.parametrize("entry", [OTHER, "null", '"fleet statusline"', '{"command": "fleet \'"}'])
def test_only_fleets_own_entry_is_taken_out(claude: Path, entry: str) -> None:
    written(claude, f'{{"statusLine": {entry}}}'.encode())
    assert removal(claude) is None


def test_where_nothing_was_installed_there_is_nothing_to_undo(claude: Path) -> None:
    assert removal(claude) is None
    written(claude, SETTINGS_OF_A_PERSON)
    assert removal(claude) is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{\n  // a comment\n  "model": "opus"\n}', "no plain JSON, line 2"),
        (b'{"model": "opus",}', "no plain JSON"),
        (b"", "no plain JSON"),
        (b"\xff", "no plain JSON"),
        (b"\xef\xbb\xbf{}", "no plain JSON"),
        (b"[" * 100_000, "no plain JSON"),
        (b"[]", "no JSON object"),
    ],
)
def test_settings_that_cannot_be_edited_safely_are_refused(
    claude: Path, data: bytes, says: str
) -> None:
    written(claude, data)
    for planned in (lambda: installation(claude, COMMAND), lambda: removal(claude)):
        with pytest.raises(ConfigurationError, match=says):
            planned()
    assert (claude / SETTINGS).read_bytes() == data


def test_a_file_that_was_changed_meanwhile_is_left_alone(claude: Path) -> None:
    written(claude, b"{}")
    change = installation(claude, COMMAND)
    assert change is not None
    written(claude, b'{"a": 1}')
    with pytest.raises(ConfigurationError, match="changed just now"):
        change.apply()
    assert settings(claude) == {"a": 1}


def test_a_link_into_a_folder_of_dotfiles_stays_one(claude: Path) -> None:
    kept = claude / "dotfiles.json"
    kept.write_bytes(SETTINGS_OF_A_PERSON)
    (claude / SETTINGS).symlink_to(kept)
    install(claude)
    assert (claude / SETTINGS).is_symlink()
    assert json.loads(kept.read_bytes())["statusLine"] == ENTRY
    undo(claude)
    assert kept.read_bytes() == SETTINGS_OF_A_PERSON


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_permissions_stay_and_the_backup_is_private(claude: Path, mode: int) -> None:
    written(claude, SETTINGS_OF_A_PERSON)
    (claude / SETTINGS).chmod(mode)
    install(claude)
    assert stat.S_IMODE((claude / SETTINGS).stat().st_mode) == mode
    assert stat.S_IMODE((claude / BACKUP).stat().st_mode) == 0o600


def test_a_disk_that_refuses_leaves_the_settings_as_they_were(
    claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(claude, SETTINGS_OF_A_PERSON)

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        install(claude)
    assert {path.name: path.read_bytes() for path in claude.iterdir()} == {
        SETTINGS: SETTINGS_OF_A_PERSON
    }


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.just(json.loads(OTHER)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(
    told=st.dictionaries(st.text(max_size=9) | st.just("statusLine"), VALUES),
    indent=st.sampled_from([None, 0, 2, "\t"]),
    separators=st.sampled_from([None, (",", ":"), (" ,\n", " : ")]),
)
def test_any_settings_keep_all_but_the_entry(
    tmp_path_factory: pytest.TempPathFactory,
    told: dict[str, object],
    indent: int | str | None,
    separators: tuple[str, str] | None,
) -> None:
    claude = tmp_path_factory.mktemp("claude")
    before = written(claude, json.dumps(told, indent=indent, separators=separators).encode())
    install(claude, replace=True)
    after = settings(claude)
    assert after == told | {"statusLine": ENTRY}
    assert list(after) == [*told, *({"statusLine"} - told.keys())]
    undo(claude)
    assert (claude / SETTINGS).read_bytes() == before


def test_the_command_is_fleet_where_that_is_this_one_and_else_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = tmp_path / "my tools" / "bin"
    environment.mkdir(parents=True)
    for name in ("python", "fleet"):
        (environment / name).write_text("")
        (environment / name).chmod(0o755)
    monkeypatch.setattr(installing.sys, "executable", str(environment / "python"))
    full = f"'{environment / 'fleet'}' statusline"
    elsewhere = tmp_path / "bin"
    elsewhere.mkdir()
    assert fleet_command({"PATH": str(elsewhere)}) == full
    (elsewhere / "fleet").symlink_to(environment / "fleet")
    assert fleet_command({"PATH": str(elsewhere)}) == "fleet statusline"
    active = {"PATH": str(environment), "VIRTUAL_ENV": str(environment.parent)}
    assert fleet_command(active) == full
