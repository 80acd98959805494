"""Which evidence is counted together: against a search that looks at every row again and again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_pipeline.ledger import connected, evidence, store
from fleet_pipeline.ledger.connected import ClaudeEvidence

TIES = ("message_id", "request_id", "agent_id")
FIRST = date(2026, 6, 1)
ID = st.none() | st.sampled_from(["a", "b", "c", "d", "e"])
ROWS = st.lists(st.tuples(st.integers(0, 4), ID, ID, ID), max_size=12)
CHAIN = [
    (0, "a", None, None),
    (1, "a", "b", None),
    (1, "e", "d", None),
    (2, None, "b", "c"),
    (3, None, None, "c"),
    (3, "d", None, None),
    (4, None, None, None),
]
"""A request of the first day is tied to the second, that to the third, and so on."""

Row = tuple[int, str | None, str | None, str | None]


def written(folder: Path, rows: list[Row], changed: set[int] | None = None) -> ClaudeEvidence:
    """Keep ``rows`` as evidence, each with its place among them as its offset.

    Where ``changed`` days are given, only they are written, and told of as changed.
    """
    for number in {day for day, *_ in rows} if changed is None else changed:
        day = FIRST + timedelta(days=number)
        path = folder / "events" / "host=h" / "client=claude" / f"date={day}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        of_day = [
            dict(zip(TIES, ids, strict=True))
            | {"ts": datetime(day.year, day.month, day.day, 12, tzinfo=UTC), "offset": place}
            for place, (at, *ids) in enumerate(rows)
            if at == number
        ]
        pl.DataFrame(of_day, schema=evidence.CLAUDE).write_parquet(path)
    return ClaudeEvidence(folder, {FIRST + timedelta(days=day) for day in changed or ()})


def tied(rows: list[Row], days: set[int]) -> set[int]:
    """Return the places of all rows that ``days`` have to be counted with."""
    found = {place for place, (day, *_) in enumerate(rows) if day in days}
    before = -1
    while before < len(found):
        before = len(found)
        ids = {known for place in found for known in rows[place][1:]} - {None}
        found |= {place for place, (_, *others) in enumerate(rows) if ids.intersection(others)}
    return found


@settings(max_examples=50)
@given(ROWS, st.sets(st.integers(0, 4), min_size=1))
@example(CHAIN, {0})
@example(CHAIN, {3})
@example([(0, "a", None, None), (1, "a", "b", None), (1, "c", "b", None)], {0})
@example([(0, "x", "b", None), (1, "a", "b", None), (1, "a", None, None)], {0})
def test_days_come_with_all_that_is_tied_to_them_and_nothing_else(rows, days):
    """However few ids are looked at together, so that those of two days are never parted."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(connected, "_IDS_AT_A_TIME", 1)
        together = written(Path(folder), rows).tied_to({FIRST + timedelta(days=n) for n in days})
    assert sorted(together["offset"]) == sorted(tied(rows, days))


def test_chunks_hold_every_day_that_was_asked_for_once_and_in_order(tmp_path):
    known = written(tmp_path, [(day, "a", None, None) for day in range(5)])
    days = [FIRST + timedelta(days=n) for n in range(5)]
    size = (tmp_path / f"events/host=h/client=claude/date={FIRST}.parquet").stat().st_size
    assert known.days == set(days)
    assert list(known.chunks([*days[1:], date(2020, 1, 1)], 2 * size)) == [
        set(days[1:3]),
        set(days[3:]),
    ]
    assert list(known.chunks(days[:3], 2 * size)) == [set(days[:2]), {days[2]}]
    assert list(known.chunks(days[:2], size + 1)) == [set(days[:2])]
    assert list(known.chunks(days[:2], 1)) == [{days[0]}, {days[1]}]
    assert list(known.chunks([], 1)) == []


@settings(max_examples=50)
@given(ROWS, ROWS, st.sets(st.integers(0, 4), min_size=1))
def test_ids_remembered_are_those_that_all_of_history_holds(before, after, days):
    changed = {day for day, *_ in after}
    rows = [row for row in before if row[0] not in changed] + after
    with TemporaryDirectory() as grown, TemporaryDirectory() as whole:
        written(Path(grown), before)
        together = written(Path(grown), rows, changed)
        anew = written(Path(whole), rows)
        asked = {FIRST + timedelta(days=n) for n in days}
        tied_to = [each.tied_to(asked).drop("offset") for each in (together, anew)]
        assert tied_to[0].equals(tied_to[1])
        assert remembered(grown) == remembered(whole)


def remembered(folder: str | Path) -> bytes:
    return (Path(folder) / "ids.parquet").read_bytes()


def test_only_what_changed_is_read_for_its_ids(tmp_path, monkeypatch):
    rows: list[Row] = [(0, "a", None, None), (1, "a", None, None), (2, "b", None, None)]
    written(tmp_path, rows)
    read = []
    original = store.read_files
    monkeypatch.setattr(
        store, "read_files", lambda paths, *args: read.extend(paths) or original(paths, *args)
    )
    written(tmp_path, rows, {1})
    assert [path.stem for path in read] == [f"date={FIRST + timedelta(days=1)}"]


def test_a_day_that_is_gone_is_forgotten(tmp_path):
    rows: list[Row] = [(0, "a", None, None), (1, "a", None, None)]
    written(tmp_path, rows)
    (tmp_path / f"events/host=h/client=claude/date={FIRST}.parquet").unlink()
    written(tmp_path, rows, set())
    kept = remembered(tmp_path)
    (tmp_path / "ids.parquet").unlink()
    written(tmp_path, rows, set())
    assert remembered(tmp_path) == kept


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1 damaged", store.parquet_bytes(pl.DataFrame({"id_and_day_1": [7]}))],
    ids=["empty", "damaged", "of another machine"],
)
def test_numbers_that_cannot_be_relied_on_are_made_anew(tmp_path, content):
    rows: list[Row] = [(0, "a", None, None), (1, "a", None, None)]
    written(tmp_path, rows)
    whole = remembered(tmp_path)
    (tmp_path / "ids.parquet").write_bytes(content)
    together = written(tmp_path, rows, set()).tied_to({FIRST})
    assert sorted(together["offset"]) == [0, 1]
    assert remembered(tmp_path) == whole
