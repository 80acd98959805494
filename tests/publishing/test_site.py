"""The site: whole weeks, a pointer that only moves on, and failures that change nothing."""

import errno
import hashlib
import json
import os
import re
import stat
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing import durable, site
from fleet_pipeline.publishing.figures import canonical_bytes, resolve
from fleet_pipeline.publishing.site import publish

from .outline import Outline
from .reference_page import changed, reference_page

Tables = dict[str, pl.DataFrame]


def tree(root: Path) -> dict[str, bytes]:
    """Return every file under a folder, hidden ones and the targets of links included."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in [*names, *(n for n in folders if (Path(folder) / n).is_symlink())]:
            path = Path(folder) / name
            link = path.is_symlink()
            content = str(path.readlink()).encode() if link else path.read_bytes()
            found[path.relative_to(root).as_posix()] = content
    return found


def week(as_of: str, **fields: object) -> dict[str, object]:
    return changed(as_of=as_of, **fields)


def test_a_week_holds_the_files_of_the_contract(tmp_path: Path, tables: Tables) -> None:
    published = publish(tmp_path, reference_page(), tables)
    folder = tmp_path / "weeks" / "2026-06-17"
    assert published.folder == folder
    assert set(tree(folder)) == set(published.files) == {
        "index.html", "page.json", "cheap-model-offload-ranking.md", "SHA256SUMS",
        "routing.json", "claude-code-router.json", "litellm-router.yaml",
        "evidence.html", "quality.html",
        "tables/usage_totals.csv", "tables/usage_totals.parquet",
        "tables/agent_usage.csv", "tables/agent_usage.parquet",
        "tables/usage_totals.sql", "tables/agent_usage.sql", "tables/dictionary.json",
    }  # fmt: skip
    assert (folder / "page.json").read_bytes() == canonical_bytes(reference_page())
    assert json.loads((tmp_path / "latest" / "page.json").read_text()) == reference_page()
    assert (tmp_path / "latest").readlink() == Path("weeks/2026-06-17")


def test_the_sums_name_every_other_file(tmp_path: Path, tables: Tables) -> None:
    folder = publish(tmp_path, reference_page(), tables).folder
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    named = [line.split("  ", 1)[1] for line in lines]
    assert named == sorted(set(tree(folder)) - {"SHA256SUMS"})
    for line in lines:
        digest, name = line.split("  ", 1)
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_readers_may_read_whatever_the_mask(tmp_path: Path, tables: Tables) -> None:
    before = os.umask(0o077)
    try:
        publish(tmp_path / "site", reference_page(), tables, [tmp_path / "shared" / "ranking.md"])
    finally:
        os.umask(before)
    for folder, folders, names in os.walk(tmp_path / "site"):
        for name in folders:
            assert stat.S_IMODE((Path(folder) / name).stat().st_mode) == 0o755
        for name in names:
            assert stat.S_IMODE((Path(folder) / name).stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "shared" / "ranking.md").stat().st_mode) == 0o644


def test_publishing_again_changes_nothing(tmp_path: Path, tables: Tables) -> None:
    assert publish(tmp_path, reference_page(), tables).changed
    before = tree(tmp_path)
    touched = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert not publish(tmp_path, reference_page(), tables).changed
    assert tree(tmp_path) == before
    files = {path: time for path, time in touched.items() if path.is_file()}
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_two_sites_of_the_same_data_are_equal(tmp_path: Path, tables: Tables) -> None:
    publish(tmp_path / "a", reference_page(), tables)
    publish(tmp_path / "b", reference_page(), dict(reversed(tables.items())))
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_new_figures_replace_the_week_and_leave_nothing_behind(
    tmp_path: Path, tables: Tables
) -> None:
    publish(tmp_path, reference_page(), tables)
    smaller = {"usage_totals": tables["usage_totals"]}
    publish(tmp_path, changed(owner="Somebody else"), smaller)
    assert "Somebody else" in (tmp_path / "latest" / "index.html").read_text()
    assert not (tmp_path / "latest" / "tables" / "agent_usage.csv").exists()
    assert sorted(path.name for path in (tmp_path / "weeks").iterdir()) == ["2026-06-17"]


def test_a_file_edited_by_hand_is_put_right(tmp_path: Path, tables: Tables) -> None:
    folder = publish(tmp_path, reference_page(), tables).folder
    before = tree(tmp_path)
    (folder / "index.html").write_text("edited")
    (folder / "note.txt").write_text("left here")
    assert publish(tmp_path, reference_page(), tables).changed
    assert tree(tmp_path) == before


def test_latest_follows_the_greatest_week_and_never_moves_back(
    tmp_path: Path, tables: Tables
) -> None:
    assert publish(tmp_path, week("2026-06-17"), tables).is_latest
    assert not publish(tmp_path, week("2026-06-10"), tables).is_latest
    assert (tmp_path / "latest").readlink() == Path("weeks/2026-06-17")
    assert publish(tmp_path, week("2026-06-24"), tables).is_latest
    assert (tmp_path / "latest").readlink() == Path("weeks/2026-06-24")
    assert sorted(path.name for path in (tmp_path / "weeks").iterdir()) == [
        "2026-06-10", "2026-06-17", "2026-06-24",
    ]  # fmt: skip


def test_the_ranking_is_copied_to_further_places(tmp_path: Path, tables: Tables) -> None:
    places = [tmp_path / "org" / "shared" / "ranking.md", tmp_path / "other.md"]
    folder = publish(tmp_path / "site", reference_page(), tables, places).folder
    for place in places:
        assert place.read_bytes() == (folder / "cheap-model-offload-ranking.md").read_bytes()
    assert [path.name for path in (tmp_path / "org" / "shared").iterdir()] == ["ranking.md"]


def test_a_place_that_cannot_be_written_is_named_and_the_old_page_stays(
    tmp_path: Path, tables: Tables
) -> None:
    publish(tmp_path / "site", reference_page(), tables)
    (tmp_path / "file").write_text("no folder")
    before = tree(tmp_path)
    blocked = tmp_path / "file" / "ranking.md"
    with pytest.raises(PublicationError, match=r"ranking\.md"):
        publish(tmp_path / "site", changed(owner="New"), tables, [tmp_path / "ok.md", blocked])
    assert tree(tmp_path) == before


def test_a_page_that_may_not_be_published_touches_nothing(tmp_path: Path, tables: Tables) -> None:
    with pytest.raises(PublicationError, match="absolute path"):
        publish(tmp_path / "site", changed(owner="/home/zach"), tables)
    with pytest.raises(PublicationError, match="as_of"):
        publish(tmp_path / "site", changed(as_of="../../etc"), tables)
    with pytest.raises(PublicationError, match="not the name of a table"):
        publish(tmp_path / "site", reference_page(), {"../x": tables["usage_totals"]})
    assert not (tmp_path / "site").exists()


CALLS = (
    "open", "write", "fsync", "fchmod", "replace", "mkdir", "chmod", "symlink", "exchange"
)  # fmt: skip


def fail_call(patch: pytest.MonkeyPatch, name: str, turn: int) -> Callable[[], bool]:
    """Let the ``turn``-th use of a system call fail; the answer says whether it came to that."""
    count = 0

    def step() -> bool:
        nonlocal count
        count += 1
        return count == turn

    if name == "exchange":
        real_exchange = durable.exchange_folders

        def exchange(new: Path, current: Path) -> None:
            if step():
                raise OSError(errno.EIO, "injected")
            real_exchange(new, current)

        patch.setattr(durable, "exchange_folders", exchange)
    else:
        real = getattr(os, name)

        def failing(*arguments: object, **options: object) -> object:
            if step():
                raise OSError(errno.ENOSPC, "injected")
            return real(*arguments, **options)

        patch.setattr(os, name, failing)
    return lambda: count >= turn


SMALL = {"usage_totals": pl.DataFrame({"requests": [1]})}
"""The tables of a week whose publication fails; few, as each of their files is a place to fail."""


@cache
def files_of(as_of: str, **fields: str) -> dict[str, bytes]:
    """Return a small week's files, made once: these tests only write them."""
    return site.week_files(week(as_of, **fields), SMALL)


@pytest.mark.parametrize(
    ("name", "atomic"), [*((name, True) for name in CALLS), ("replace", False), ("fsync", False)]
)
@pytest.mark.parametrize("new_week", ["2026-06-17", "2026-06-24"])
def test_whichever_call_fails_the_old_page_is_whole(
    name: str, atomic: bool, new_week: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not atomic:
        monkeypatch.setattr(durable, "_renameat2", lambda: None)
    place = tmp_path / "shared" / "ranking.md"
    old = week("2026-06-17")
    publish(tmp_path / "site", old, SMALL, [place], files_of("2026-06-17"))
    before = tree(tmp_path)
    new = week(new_week, owner="New owner")
    files = files_of(new_week, owner="New owner")
    for turn in range(1, 200):
        with monkeypatch.context() as patch:
            reached = fail_call(patch, name, turn)
            try:
                publish(tmp_path / "site", new, SMALL, [place], files)
            except PublicationError as error:
                assert "unchanged" in str(error)
                failed = True
            else:
                failed = False
        if not failed:
            break
        assert reached()
        assert tree(tmp_path) == before
    assert not failed
    assert turn > 1 or name in {"mkdir", "chmod", "symlink", "exchange"}
    assert "New owner" in (tmp_path / "site" / "weeks" / new_week / "index.html").read_text()
    assert (tmp_path / "site" / "latest").readlink() == Path(f"weeks/{new_week}")
    publish(tmp_path / "site", new, SMALL, [place], files)  # a temp that would not go goes now
    assert not [path for path in tmp_path.rglob(".*")]


def test_a_crash_in_a_half_exchange_is_healed_by_the_next_publish(
    tmp_path: Path, tables: Tables
) -> None:
    publish(tmp_path, reference_page(), tables)
    publish(tmp_path, week("2026-06-24"), tables)
    before = tree(tmp_path)
    weeks = tmp_path / "weeks"
    (weeks / "2026-06-17").rename(weeks / ".2026-06-17.outgoing")
    (weeks / ".2026-06-03.incoming").mkdir()
    (weeks / ".2026-06-03.incoming" / "index.html").write_text("half a page")
    (tmp_path / ".latest.incoming").symlink_to("weeks/2026-06-17")
    publish(tmp_path, week("2026-06-24"), tables)
    assert tree(tmp_path) == before


def test_a_reader_never_finds_the_week_missing_or_mixed(tmp_path: Path, tables: Tables) -> None:
    pages = [changed(owner=f"Owner {number}") for number in (1, 2)]
    publish(tmp_path, pages[0], tables)
    known = {canonical_bytes(page) for page in pages}
    seen: list[bytes] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.append((tmp_path / "latest" / "page.json").read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for number in range(1, 5):
            publish(tmp_path, pages[number % 2], tables)
    finally:
        stop.set()
        reader.join()
    assert len(seen) > 4
    assert set(seen) <= known


def test_the_index_lists_every_week_newest_first_for_people_and_programs(
    tmp_path: Path, tables: Tables
) -> None:
    for as_of in ("2026-06-17", "2026-06-24", "2026-06-10"):
        publish(tmp_path, week(as_of, title="<script>alert(1)</script>"), tables)
    told = json.loads((tmp_path / "weeks.json").read_text())
    assert told["latest"] == "2026-06-24"
    assert [each["path"] for each in told["weeks"]] == [
        "weeks/2026-06-24/", "weeks/2026-06-17/", "weeks/2026-06-10/",
    ]  # fmt: skip
    html = (tmp_path / "index.html").read_text()
    assert html.index("weeks/2026-06-24/index.html") < html.index("weeks/2026-06-10/index.html")
    assert "<script>" not in html and "&lt;script&gt;" in html
    for each in told["weeks"]:
        assert (tmp_path / each["path"] / "index.html").exists()


def test_every_figure_of_the_index_is_one_of_its_week(tmp_path: Path, tables: Tables) -> None:
    """Each row says of which page.json it is, each figure where it stands there."""
    publish(tmp_path, week("2026-06-17"), tables)
    publish(tmp_path, week("2026-06-24", checks__passed=77, since_last_week__changes=5), tables)
    html = (tmp_path / "index.html").read_text()
    outline = Outline(html)
    assert outline.faults == []
    assert not re.search(r"\d", " ".join(outline.untraced))
    rows = re.findall(r'<tr data-page="(.*?)">(.*?)</tr>', html, re.DOTALL)
    assert [place for place, _ in rows] == [
        "weeks/2026-06-24/page.json", "weeks/2026-06-17/page.json",
    ]  # fmt: skip
    for place, row in rows:
        page = json.loads((tmp_path / place).read_bytes())
        figures = Outline(row).figures
        assert len(figures) == 7
        assert figures == [(address, str(resolve(page, address))) for address, _ in figures]


@pytest.mark.parametrize("content", ["", "{}", '{"as_of": "2026-06-10"}', '{"as_of": 7}', "[]"])
def test_a_week_whose_page_is_no_page_holds_nothing_up(
    content: str, tmp_path: Path, tables: Tables
) -> None:
    odd = tmp_path / "weeks" / "2026-06-10"
    odd.mkdir(parents=True)
    (odd / "page.json").write_text(content)
    assert publish(tmp_path, reference_page(), tables).is_latest
    listed = json.loads((tmp_path / "weeks.json").read_text())["weeks"]
    assert [each["as_of"] for each in listed] == ["2026-06-17"]


def test_a_latest_that_is_no_link_is_named_and_left_as_it_is(
    tmp_path: Path, tables: Tables
) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "index.html").write_text("of a backup")
    before = tree(tmp_path)
    with pytest.raises(PublicationError, match="latest is no link"):
        publish(tmp_path, reference_page(), tables)
    assert tree(tmp_path) == before
