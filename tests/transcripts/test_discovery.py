"""Which files are transcripts: every layout that clients have used, and nothing that hangs."""

import os
import socket
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.transcripts.discover import Places, default_places, find, named_places

SLUG = "projects/-work-forge"


@pytest.fixture
def claude(tmp_path):
    return tmp_path / ".claude"


@pytest.fixture
def codex(tmp_path):
    return tmp_path / ".codex"


def leave(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}\n")


def found(folder: Path, claude=(), codex=()) -> list[str]:
    """Return the names of the transcripts, relative to ``folder``."""
    files = find(Places(tuple(claude), tuple(codex))).files
    return [Path(file.path).relative_to(folder.resolve()).as_posix() for file in files]


# Layouts


def test_claude_code_keeps_sessions_and_subagents_in_three_layouts(claude):
    names = [
        f"{SLUG}/5e55.jsonl",
        f"{SLUG}/5e55/subagents/agent-a1.jsonl",
        f"{SLUG}/5e55/subagents/workflows/wf_1/agent-a2.jsonl",
        f"{SLUG}/agent-0123abcd.jsonl",
        "projects/-other/agent-acompact-1.jsonl",
    ]
    leave(claude, *names)
    assert found(claude, claude=[claude]) == sorted(names)


def test_what_lies_beside_claude_codes_transcripts_is_left_alone(claude):
    leave(
        claude,
        "history.jsonl",
        "stats-cache.json",
        "sessions/1.json",
        "todos/1.jsonl",
        f"{SLUG}/5e55/tool-results/1.txt",
        f"{SLUG}/memory/notes.md",
        f"{SLUG}/sessions-index.json",
        f"{SLUG}/5e55/subagents/agent-a1.meta.json",
        f"{SLUG}/5e55/journal.jsonl",
        f"{SLUG}/5e55/subagents/workflows/wf_1/journal.jsonl",
        f"{SLUG}/5e55.jsonl.bak",
        f"{SLUG}/5e55.jsonl",
    )
    assert found(claude, claude=[claude]) == [f"{SLUG}/5e55.jsonl"]


@pytest.mark.parametrize("inside", ["", "projects", SLUG])
def test_the_folder_named_may_be_claude_codes_own_or_any_below(claude, inside):
    leave(claude, f"{SLUG}/5e55.jsonl")
    assert found(claude, claude=[claude / inside]) == [f"{SLUG}/5e55.jsonl"]


def test_codex_keeps_rollouts_by_day_compressed_and_archived(codex):
    names = [
        "archived_sessions/rollout-1.jsonl",
        "archived_sessions/rollout-2.jsonl.zst",
        "sessions/2026/06/01/rollout-3.jsonl",
        "sessions/2026/06/01/rollout-4.jsonl.zst",
        "sessions/rollout-5.jsonl",
    ]
    leave(codex, *names)
    assert found(codex, codex=[codex]) == sorted(names)


def test_what_lies_beside_codexs_rollouts_is_left_alone(codex):
    leave(
        codex,
        "history.jsonl",
        "session_index.jsonl",
        "log/codex.jsonl",
        "sessions/notes.jsonl",
        "sessions/rollout-1.json",
        "sessions/rollout-1.jsonl.tmp",
        "sessions/rollout-2.jsonl",
    )
    assert found(codex, codex=[codex]) == ["sessions/rollout-2.jsonl"]


@pytest.mark.parametrize("inside", ["", "sessions", "sessions/2026"])
def test_the_folder_named_may_be_codexs_own_or_its_sessions(codex, inside):
    leave(codex, "sessions/2026/06/01/rollout-1.jsonl")
    assert found(codex, codex=[codex / inside]) == ["sessions/2026/06/01/rollout-1.jsonl"]


def test_a_file_is_known_by_client_path_size_and_time(claude):
    leave(claude, f"{SLUG}/5e55.jsonl")
    path = claude.resolve() / SLUG / "5e55.jsonl"
    os.utime(path, ns=(0, 1_780_304_400_123_456_789))
    [file] = find(Places(claude=(claude,))).files
    assert (file.client, file.path, file.size) == ("claude", str(path), 3)
    assert (file.modified_ns, file.inode) == (1_780_304_400_123_456_789, path.stat().st_ino)


def test_files_come_in_the_same_order_whatever_the_file_system_says(claude, codex):
    leave(claude, *(f"projects/-p{n}/{name}.jsonl" for n in (2, 1) for name in "zaZ"))
    leave(codex, "sessions/rollout-1.jsonl")
    files = find(Places((claude,), (codex,))).files
    assert [(file.client, file.path) for file in files] == sorted(
        (file.client, file.path) for file in files
    )
    assert [file.client for file in files] == ["claude"] * 6 + ["codex"]


# Places


def test_by_default_both_places_of_claude_code_are_read_and_codexs(tmp_path):
    places = default_places({}, tmp_path)
    assert places.claude == (tmp_path / ".claude", tmp_path / ".config" / "claude")
    assert places.codex == (tmp_path / ".codex",)


def test_the_clients_own_variables_say_where_else_they_write(tmp_path):
    environment = {
        "CLAUDE_CONFIG_DIR": f"{tmp_path}/one, {tmp_path}/two/projects ,,",
        "XDG_CONFIG_HOME": "/ignored",
        "CODEX_HOME": f"{tmp_path}/codex",
    }
    places = default_places(environment, tmp_path)
    assert places.claude == (tmp_path / "one", tmp_path / "two" / "projects")
    assert places.codex == (tmp_path / "codex",)
    assert default_places({"XDG_CONFIG_HOME": "/x"}, tmp_path).claude[1] == Path("/x/claude")
    for variable in environment:
        assert default_places({variable: ""}, tmp_path) == default_places({}, tmp_path)


def test_all_folders_of_a_list_are_read(tmp_path):
    leave(tmp_path, f"one/{SLUG}/1.jsonl", "two/projects/-p/2.jsonl")
    listed = {"CLAUDE_CONFIG_DIR": f"{tmp_path}/one,{tmp_path}/two/projects,{tmp_path}/none"}
    places = default_places(listed, tmp_path)
    assert found(tmp_path, places.claude) == [f"one/{SLUG}/1.jsonl", "two/projects/-p/2.jsonl"]


def test_a_default_place_that_does_not_exist_holds_nothing(tmp_path):
    nothing = find(default_places({}, tmp_path))
    assert (nothing.files, nothing.passed_over) == ([], {})


def test_a_folder_that_the_operator_named_must_exist(tmp_path):
    leave(tmp_path, "file")
    for missing in (tmp_path / "none", tmp_path / "file"):
        for clients in (([missing], []), ([tmp_path], [missing])):
            with pytest.raises(ConfigurationError, match=str(missing)):
                named_places(*clients)
    assert named_places([tmp_path], [], "laptop") == Places((tmp_path,), (), "laptop")


def test_two_places_that_are_the_same_folder_are_read_once(tmp_path, claude):
    leave(claude, f"{SLUG}/5e55.jsonl")
    (tmp_path / "link").symlink_to(claude)
    same = [claude, claude / "projects", tmp_path / "link", claude / ".." / ".claude"]
    assert found(claude, claude=same) == [f"{SLUG}/5e55.jsonl"]


def test_a_place_inside_another_is_read_once(claude):
    leave(claude, f"{SLUG}/5e55.jsonl")
    assert found(claude, claude=[claude, claude / SLUG]) == [f"{SLUG}/5e55.jsonl"]


def test_projects_may_be_a_link_to_another_disk(tmp_path, claude):
    leave(tmp_path / "disk", "-work-forge/5e55.jsonl")
    claude.mkdir()
    (claude / "projects").symlink_to(tmp_path / "disk")
    assert found(tmp_path, claude=[claude]) == ["disk/-work-forge/5e55.jsonl"]


# What is no file to read


def hostile(claude: Path) -> dict[str, int]:
    """Leave one of everything beside a transcript; return what is passed over."""
    leave(claude, f"{SLUG}/5e55.jsonl")
    folder = claude / SLUG
    os.mkfifo(folder / "pipe.jsonl")
    with socket.socket(socket.AF_UNIX) as end, working_in(folder):
        end.bind("socket.jsonl")
    (folder / "link.jsonl").symlink_to("5e55.jsonl")
    (folder / "dangling.jsonl").symlink_to("nothing")
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    (folder / "folder.jsonl").mkdir()
    return {"not a regular file": 5}


@contextmanager
def working_in(folder: Path):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_pipes_sockets_and_links_are_counted_and_never_opened(claude):
    expected = hostile(claude)
    result = find(Places(claude=(claude,)))
    assert [file.name for file in result.files] == ["5e55.jsonl"]
    assert result.passed_over == expected


def test_a_loop_of_folders_ends(claude):
    leave(claude, f"{SLUG}/5e55.jsonl")
    (claude / SLUG / "again").symlink_to("..")
    (claude / SLUG / "self").symlink_to("self")
    result = find(Places(claude=(claude,)))
    assert [file.name for file in result.files] == ["5e55.jsonl"]


def test_a_linked_folder_is_not_followed_and_counted(tmp_path, claude):
    leave(claude, f"{SLUG}/5e55.jsonl")
    leave(tmp_path / "elsewhere", "6e55.jsonl")
    (claude / "projects" / "-elsewhere").symlink_to(tmp_path / "elsewhere")
    result = find(Places(claude=(claude,)))
    assert [file.name for file in result.files] == ["5e55.jsonl"]
    assert sum(result.passed_over.values()) == 1


def test_names_may_hold_anything_that_a_file_system_allows(claude):
    names = ["Zoë & 日本語.jsonl", "new\nline.jsonl", "  .jsonl", "quote'\".jsonl", ".jsonl"]
    leave(claude, *(f"{SLUG}/{name}" for name in names))
    broken = os.fsencode(claude / SLUG) + b"/\xff\xfe.jsonl"
    Path(os.fsdecode(broken)).write_bytes(b"{}\n")
    files = find(Places(claude=(claude,))).files
    assert len(files) == len(names) + 1
    assert len({file.id for file in files}) == len(files)


@contextmanager
def as_somebody_else():
    """Give up root's right to read everything, if the tests have it; yield a folder to work in."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        if os.geteuid() != 0:
            yield folder
            return
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)


def test_an_unreadable_folder_is_counted_and_the_others_are_read():
    with as_somebody_else() as folder:
        leave(folder, f"{SLUG}/5e55.jsonl", "projects/-secret/1.jsonl")
        secret = folder / "projects" / "-secret"
        secret.chmod(0)
        result = find(Places(claude=(folder,)))
        secret.chmod(0o700)
    assert [file.name for file in result.files] == ["5e55.jsonl"]
    assert result.passed_over == {"folder not readable": 1}


def test_an_unreadable_place_is_counted_and_the_others_are_read():
    with as_somebody_else() as folder:
        leave(folder, f"open/{SLUG}/5e55.jsonl", f"closed/{SLUG}/1.jsonl")
        closed = folder / "closed"
        closed.chmod(0)
        try:
            result = find(Places(claude=(folder / "open", closed)))
        finally:
            closed.chmod(0o700)
    assert [file.name for file in result.files] == ["5e55.jsonl"]
    assert sum(result.passed_over.values()) == 1


def test_where_a_file_system_only_tells_types_after_a_look_that_fails_nothing_stops(
    claude, monkeypatch
):
    """Some network file systems do not say what an entry is; the look is refused like a reading."""
    leave(claude, f"{SLUG}/5e55.jsonl", f"{SLUG}/deeper/5e56.jsonl")

    class Untold:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self.path = entry.name, entry.path
            self.stat, self.is_symlink = entry.stat, entry.is_symlink
            self.is_dir = entry.is_dir if entry.name == "-work-forge" else self.refuse

        def refuse(self, **_: object) -> bool:
            raise PermissionError

    @contextmanager
    def scandir(folder):
        with scan(folder) as entries:
            yield map(Untold, entries)

    scan = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    assert found(claude, claude=[claude]) == [f"{SLUG}/5e55.jsonl"]
