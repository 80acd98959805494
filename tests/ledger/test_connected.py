"""Which evidence is counted together: against a search that looks at every row again and again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_pipeline.ledger import evidence
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


def written(folder: Path, rows: list[Row]) -> ClaudeEvidence:
    """Keep ``rows`` as evidence, each with its place among them as its offset."""
    for number in {day for day, *_ in rows}:
        day = FIRST + timedelta(days=number)
        path = folder / "host=h" / "client=claude" / f"date={day}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        of_day = [
            dict(zip(TIES, ids, strict=True))
            | {"ts": datetime(day.year, day.month, day.day, 12, tzinfo=UTC), "offset": place}
            for place, (at, *ids) in enumerate(rows)
            if at == number
        ]
        pl.DataFrame(of_day, schema=evidence.CLAUDE).write_parquet(path)
    return ClaudeEvidence(folder)


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
    with TemporaryDirectory() as folder:
        together = written(Path(folder), rows).tied_to({FIRST + timedelta(days=n) for n in days})
    assert sorted(together["offset"]) == sorted(tied(rows, days))


def test_chunks_hold_every_day_that_was_asked_for_once_and_in_order(tmp_path):
    known = written(tmp_path, [(day, "a", None, None) for day in range(5)])
    days = [FIRST + timedelta(days=n) for n in range(5)]
    size = (tmp_path / f"host=h/client=claude/date={FIRST}.parquet").stat().st_size
    assert known.days == set(days)
    assert list(known.chunks([*days[1:], date(2020, 1, 1)], 2 * size)) == [
        set(days[1:3]),
        set(days[3:]),
    ]
    assert list(known.chunks(days[:3], 2 * size)) == [set(days[:2]), {days[2]}]
    assert list(known.chunks(days[:2], size + 1)) == [set(days[:2])]
    assert list(known.chunks(days[:2], 1)) == [{days[0]}, {days[1]}]
    assert list(known.chunks([], 1)) == []
