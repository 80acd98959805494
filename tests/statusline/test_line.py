"""The line that Claude Code shows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.statusline.line import status_line
from fleet_pipeline.statusline.payload import read_status

from .claude_code import NOW, Document, status


def line(told: Document, now: float = NOW) -> str:
    return status_line(read_status(json.dumps(told).encode()), now)


def test_it_tells_model_context_and_limits_with_the_time_until_they_are_reset() -> None:
    told = status(five_hour=42.9, seven_day=17, reset=NOW + 2 * 3600 + 10 * 60)
    assert line(told) == (
        "Opus 5.5 | context 14% | 5h 42%, resets in 2h10m | week 17%, resets in 4d15h"
    )


def test_with_an_api_key_the_limits_are_unknown_and_not_zero() -> None:
    assert line(status()) == "Opus 5.5 | context 14% | limits unknown"


def test_before_the_first_reply_the_context_is_left_out() -> None:
    assert line(status(context_window={"used_percentage": None})) == "Opus 5.5 | limits unknown"


def test_the_level_of_a_window_that_was_reset_is_not_told() -> None:
    assert line(status(five_hour=42, reset=NOW)).endswith("| 5h reset")


@pytest.mark.parametrize(
    ("left", "shown"), [(59, "0m"), (3_540, "59m"), (3_600, "1h00m"), (86_400, "1d0h")]
)
def test_times_are_as_long_as_they_need_be(left: int, shown: str) -> None:
    assert line(status(five_hour=1, reset=NOW + left)).endswith(f"resets in {shown}")


def test_a_models_own_week_and_windows_yet_to_come_are_shown_by_name() -> None:
    limits = {"seven_day_opus": {"used_percentage": 5}, "thirty_day": {"used_percentage": 6}}
    assert line(status(rate_limits=limits)).endswith("| week opus 5% | thirty day 6%")


def test_a_model_without_a_display_name_goes_by_its_id() -> None:
    assert line(status(model={"id": "claude-opus-5-5"})).startswith("claude-opus-5-5 |")


def test_a_terminal_is_never_told_what_to_do() -> None:
    name = "Opus\x1b[31m\r\n\u202e\u2028" + "x" * 500
    shown = line(status(model={"display_name": name}))
    assert shown.isprintable()
    assert len(shown) < 100


@pytest.mark.parametrize("used", [True, -1, "42", None, [1], 1e300, 10**400, float("nan")])
def test_a_level_that_makes_no_sense_is_no_level(used: object) -> None:
    limits = {"five_hour": {"used_percentage": used, "resets_at": NOW}}
    assert line(status(rate_limits=limits)).endswith("limits unknown")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.dictionaries(
        st.sampled_from(["five_hour", "display_name", "id", "used_percentage", "resets_at"]), inner
    ),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["model", "context_window", "rate_limits", "session_id", "version"])


@given(st.dictionaries(MEMBERS, VALUES) | VALUES)
def test_any_document_gives_one_printable_line(told: Document) -> None:
    assert line(told).isprintable()


@given(st.binary())
def test_any_bytes_give_one_printable_line(data: bytes) -> None:
    assert status_line(read_status(data), NOW).isprintable()
