"""How figures are written: the prototype's rules, and what must hold for every number."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleet_pipeline.publishing import formats

MINUS, EN_DASH = formats.MINUS, "\N{EN DASH}"
TOKENS = st.integers(0, 10**13)
MICROS = st.integers(-(10**13), 10**13)
SHARES = st.floats(0, 1)
UNITS = {"": 1, "k": 10**3, "M": 10**6, "B": 10**9}


def value_of(text: str) -> Decimal:
    """Read a written figure back, sign, grouping and unit included."""
    match = re.fullmatch(rf"([{MINUS}+]?)\$?([\d,.]+)(k|M|B|%| pp)?", text)
    assert match, text
    scale = UNITS.get(match[3] or "", 1)
    return Decimal(match[2].replace(",", "")) * scale * (-1 if match[1] == MINUS else 1)


@pytest.mark.parametrize(
    ("form", "value", "written"),
    [
        ("tokens", 27_899_000_000, "27,899M"),
        ("tokens", 20_500_000, "20.5M"),
        ("tokens", 99_960_000, "100M"),
        ("tokens", 134_000, "134k"),
        ("tokens", 999_700, "1.0M"),
        ("tokens", 612, "612"),
        ("tokens", 0, "0"),
        ("tokens_short", 27_899_000_000, "27.9B"),
        ("tokens_short", 7_052_950_000, "7.1B"),
        ("tokens_short", 873_000_000, "873M"),
        ("context", 134_000.4, "134k"),
        ("context", 1_048_576, "1M"),
        ("count", 107_338, "107,338"),
        ("money", 7_185_300_000, "$7,185"),
        ("money", 58_000_000, "$58"),
        ("money", 400_000, "<$1"),
        ("money", 0, "$0"),
        ("money", -2_500_000, f"{MINUS}$3"),
        ("money_exact", 52_790_000, "$52.79"),
        ("money_exact", 180_200_000, "$180"),
        ("money_exact", 99_999_000, "$100"),
        ("price", 1.4, "$1.40"),
        ("price", 0.025, "$0.025"),
        ("blend", 0.299317, "$0.30"),
        ("blend", 0.004, "<$0.01"),
        ("blend", 0.0, "$0.00"),
        ("blend", None, "n/a"),
        ("share", 0.974, "97%"),
        ("share", 0.996, ">99%"),
        ("share", 0.001, "<1%"),
        ("share", 1.0, "100%"),
        ("share_fine", 0.2528, "25.3%"),
        ("share_policy", 0.18260, "18.26%"),
        ("share_policy", 0.2, "20%"),
        ("points", 0.008, "+0.8 pp"),
        ("points", -0.06, f"{MINUS}6.0 pp"),
        ("points", -0.0001, "0.0 pp"),
        ("percent", 28.0, "28%"),
        ("factor", 1.507, "1.5"),
        ("quantity", 0.95, "0.95"),
        ("quantity", 4000.0, "4,000"),
        ("quantity", 0.0, "0"),
        ("size", 1_734_000_000, "1.7 GB"),
        ("day", "2026-06-17", "17 Jun 2026"),
        ("day_short", "2026-05-18", "18 May"),
        ("day_before", "2026-03-01", "28 Feb"),
        ("moment", "2026-06-17T02:10:00Z", "17 Jun, 02:10 UTC"),
        ("age", 41, "41 min"),
        ("age", 540, "9 h"),
        ("age", 4320, "3 days"),
        ("window", 300, "5 hours"),
        ("window", 10080, "week"),
        ("window", 299, "299 min"),
    ],
)
def test_a_figure_is_written_as_the_prototype_says(form: str, value: object, written: str) -> None:
    assert formats.FORMATS[form](value) == written


@pytest.mark.parametrize("form", sorted(set(formats.FORMATS) - {"tokens_like"}))
def test_what_nobody_knows_is_not_applicable_and_never_zero(form: str) -> None:
    assert formats.FORMATS[form](None) == "n/a"


def test_a_half_is_rounded_up_as_with_a_pencil() -> None:
    assert [formats.money(micros) for micros in (500_000, 1_500_000, 2_500_000)] == [
        "$1",
        "$2",
        "$3",
    ]
    assert formats.share_fine(0.0025) == "0.3%"


def test_a_range_has_an_en_dash_and_no_spaces() -> None:
    assert formats.money_range(3_593_000_000, 10_679_000_000) == f"$3,593{EN_DASH}$10,679"


def test_an_axis_keeps_to_one_unit() -> None:
    labels = [formats.tokens_like(n * 5 * 10**8, 1.6 * 10**9) for n in (1, 2, 3)]
    assert labels == ["0.5B", "1.0B", "1.5B"]


@given(TOKENS)
def test_written_tokens_are_within_half_a_unit_of_the_truth(tokens: int) -> None:
    step = 10**6 if tokens >= 10**8 else 10**5 if tokens >= 10**6 else 10**3
    assert abs(value_of(formats.tokens(tokens)) - tokens) <= max(step, tokens // 20)
    assert abs(value_of(formats.tokens_short(tokens)) - tokens) <= max(step, tokens // 20)


@given(TOKENS, TOKENS)
def test_more_tokens_never_look_like_fewer(first: int, second: int) -> None:
    small, large = sorted((first, second))
    assert value_of(formats.tokens(small)) <= value_of(formats.tokens(large))


@given(MICROS)
def test_an_amount_is_never_a_negative_zero_and_never_hides_as_zero(micros: int) -> None:
    for written in (formats.money(micros), formats.money_exact(micros)):
        assert "-" not in written
        assert not re.fullmatch(rf"{MINUS}\$0(\.0+)?", written)
        assert (written == "$0") == (micros == 0)


@example(0.001, 3)
@given(SHARES, st.integers(0, 3))
def test_a_share_claims_nothing_and_everything_only_when_it_is_so(
    share: float, digits: int
) -> None:
    written = formats.share(share, digits)
    number = Decimal(written.strip("<>%"))
    assert (number == 100 and ">" not in written) == (share == 1)
    assert (number == 0) == (share == 0)


@given(st.floats(-1, 1))
def test_a_difference_shows_its_sign_unless_it_rounds_to_none(difference: float) -> None:
    written = formats.points(difference)
    assert written.startswith(("+", MINUS)) == (written != "0.0 pp")
    assert "-" not in written
