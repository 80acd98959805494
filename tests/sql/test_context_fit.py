import polars as pl
import pytest

from fleet_pipeline import tables

LIMITS = {
    "place": pl.Int64,
    "model": pl.String,
    "context_tokens": pl.Int64,
    "prompt_limit_tokens": pl.Int64,
    "max_output_tokens": pl.Int64,
}

Limit = tuple[str, int | None, int | None]


def fit(*limits: Limit, requests: pl.DataFrame) -> list[dict[str, object]]:
    rows = [
        (place, model, None if prompt is None else 2 * prompt, prompt, output)
        for place, (model, prompt, output) in enumerate(limits)
    ]
    frame = pl.DataFrame(rows, schema=LIMITS, orient="row")
    return tables.run("context_fit", requests=requests, limits=frame).to_dicts()


@pytest.fixture
def work() -> pl.DataFrame:
    """A short turn, and a long one whose last request is larger than all others."""
    rows = [
        ("claude", "s", 0, 100, 5),
        ("claude", "s", 1, 200, 5),
        ("claude", "s", 1, 900, 50),
        ("claude", "t", 2, 300, 5),
        ("codex", "u", 3, 10**6, 5),
    ]
    columns = ["client", "session_id", "turn", "full_input_tokens", "output_tokens"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(host=pl.lit("laptop"))


def test_a_turn_and_a_session_fit_when_all_of_their_requests_do(work: pl.DataFrame) -> None:
    [row] = fit(("small", 300, None), requests=work)
    assert (row["requests"], row["requests_fit"]) == (4, 3)
    assert (row["turns"], row["turns_fit"]) == (3, 2)
    assert (row["sessions"], row["sessions_fit"]) == (2, 1)
    assert (row["full_input_tokens"], row["full_input_tokens_fit"]) == (1_500, 600)


def test_a_larger_window_never_fits_less(work: pl.DataFrame) -> None:
    limits = [(str(n), n, None) for n in (0, 99, 100, 250, 899, 900, 10**7)]
    fits = [row["requests_fit"] for row in fit(*limits, requests=work)]
    assert fits == [0, 0, 1, 2, 3, 4, 4]


def test_an_output_above_the_cap_does_not_fit(work: pl.DataFrame) -> None:
    [row] = fit(("terse", 10**6, 49), requests=work)
    assert row["requests_fit"] == 3


def test_an_unknown_window_is_unknown_and_never_a_fit(work: pl.DataFrame) -> None:
    [row] = fit(("unknown", None, None), requests=work)
    for whole in ("requests", "turns", "sessions", "full_input_tokens"):
        assert row[f"{whole}_fit"] is None
        assert row[whole]


def test_a_week_without_claude_has_candidates_and_no_requests(work: pl.DataFrame) -> None:
    rows = fit(("one", 300, None), ("two", 900, None), requests=work.clear())
    assert [(row["model"], row["requests"], row["full_input_tokens"]) for row in rows] == [
        ("one", 0, 0),
        ("two", 0, 0),
    ]
