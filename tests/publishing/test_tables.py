"""The published CSV and Parquet."""

import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.tables import csv_bytes, parquet_bytes


def cells(*values: object) -> list[str]:
    frame = pl.DataFrame({"first": values, "last": ["end"] * len(values)}, strict=False)
    parsed = list(csv.reader(io.StringIO(csv_bytes("t", frame).decode(), newline="")))
    assert {len(row) for row in parsed} == {2}
    return [row[0] for row in parsed[1:]]


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://e")', "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "--", "-a", "=1"]
)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert cells(text) == ["'" + text]


@pytest.mark.parametrize("text", ["-", "-5", "+5", "-1.5e-3", "5", "a=b", "n/a", "'x", ""])
def test_numbers_and_a_lone_dash_stay_as_they_are(text: str) -> None:
    assert cells(text) == [text]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_text_comes_back_but_for_the_apostrophe(texts: list[str]) -> None:
    for text, cell in zip(texts, cells(*texts), strict=True):
        assert cell.removeprefix("'") == text.removeprefix("'")


def test_a_price_is_written_without_an_exponent() -> None:
    prices = pl.DataFrame({"usd": ["0", "0.0000005", "1.4"]}).cast(pl.Decimal(18, 9))
    assert csv_bytes("x", prices).decode().split() == [
        "usd", "0.000000000", "0.000000500", "1.400000000",
    ]  # fmt: skip


def test_times_are_utc_and_unknown_is_empty() -> None:
    zone = timezone(timedelta(hours=2))
    frame = pl.DataFrame(
        {
            "at": [datetime(2026, 6, 17, 2, 10, tzinfo=UTC).astimezone(zone), None],
            "day": [date(2026, 6, 17), None],
            "share": [0.5, None],
            "final": [True, None],
            "tokens": [-1, None],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )
    assert csv_bytes("t", frame) == (
        b"at,day,share,final,tokens\n2026-06-17T02:10:00Z,2026-06-17,0.5,true,-1\n,,,,\n"
    )


def test_a_nested_column_is_refused_by_name() -> None:
    with pytest.raises(PublicationError, match="tools"):
        csv_bytes("t", pl.DataFrame({"tools": [["a"]]}))


def test_parquet_has_the_same_bytes_twice_and_reads_back() -> None:
    frame = pl.DataFrame({"agent": ["a", "b"] * 5000, "tokens": range(10_000)})
    first = parquet_bytes(frame)
    assert first == parquet_bytes(frame.clone())
    assert pl.read_parquet(io.BytesIO(first)).equals(frame)
