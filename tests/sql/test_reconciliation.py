"""The sums over reconciled sessions: how many agree, what share of the bill is in the ledger."""

import polars as pl
import pytest

from fleet_pipeline import tables
from fleet_pipeline.ledger.reconciliation import CLASSES, SESSIONS


def session(name: str, status: str, *, logged: int, billed: int | None, **more: object) -> dict:
    """Return a session with these tokens of fresh input, and none of any other class."""
    empty = None if billed is None else 0
    return {
        "client": "claude",
        "session_id": name,
        "model": "opus",
        "status": status,
        "last_ts": None,
        "requests": 0 if billed is None else 1,
        "requests_without_totals": int(billed is None),
        **{f"logged_{name}": 0 for name in CLASSES},
        "logged_input_tokens": logged,
        **{f"billed_{name}": empty for name in CLASSES},
        "billed_input_tokens": billed,
    } | more


def table(*rows: dict) -> dict[tuple[str, str], dict]:
    made = tables.run("reconciliation", sessions=pl.DataFrame(list(rows), schema=SESSIONS))
    return {(row["client"], row["model"]): row for row in made.to_dicts()}


def test_a_client_without_any_session_has_its_row_and_no_share() -> None:
    assert table().keys() == {("claude", ""), ("codex", "")}
    row = table()["codex", ""]
    assert (row["sessions"], row["billed_tokens"], row["completeness_share"]) == (0, 0, None)


def test_sessions_are_counted_once_whatever_number_of_models_they_have() -> None:
    made = table(
        session("a", "agrees", logged=5, billed=5),
        session("a", "agrees", logged=1, billed=1, model="haiku"),
        session("b", "billed_more", logged=5, billed=9),
        session("c", "logged_more", logged=7, billed=2),
        session("d", "unfinished", logged=3, billed=2),
        session("e", "not_comparable", logged=0, billed=None),
    )
    whole = made["claude", ""]
    counts = ("sessions", "comparable", "agreeing", "billed_more", "unfinished", "logged_more")
    assert [whole[name] for name in counts] == [5, 4, 1, 1, 1, 1]
    assert (whole["requests"], whole["requests_without_totals"]) == (5, 1)
    assert (whole["logged_tokens"], whole["billed_tokens"]) == (21, 19)
    assert (made["claude", "haiku"]["sessions"], made["claude", "opus"]["sessions"]) == (1, 5)


def test_too_much_in_one_session_never_makes_up_for_what_another_lacks() -> None:
    row = table(
        session("a", "billed_more", logged=2, billed=10),
        session("b", "logged_more", logged=18, billed=10),
    )["claude", ""]
    assert row["logged_tokens"] == row["billed_tokens"] == 20
    assert (row["only_billed_tokens"], row["only_logged_tokens"]) == (8, 8)
    assert row["completeness_share"] == pytest.approx(12 / 20)


def test_too_much_of_one_class_never_makes_up_for_what_another_lacks() -> None:
    uneven = session("a", "logged_more", logged=10, billed=5, billed_output_tokens=5)
    row = table(uneven)["claude", ""]
    assert row["completeness_share"] == pytest.approx(1 / 2)


def test_a_session_without_a_total_is_on_neither_side() -> None:
    row = table(
        session("a", "agrees", logged=4, billed=4),
        session("b", "not_comparable", logged=0, billed=None),
    )["claude", ""]
    assert (row["logged_tokens"], row["billed_tokens"], row["completeness_share"]) == (4, 4, 1.0)


def test_a_session_of_an_unknown_model_is_told_as_such() -> None:
    made = table(session("a", "agrees", logged=4, billed=4, model=None))
    assert made["claude", "unknown"]["billed_tokens"] == 4
    assert made["claude", ""]["billed_tokens"] == 4


def test_a_model_that_is_called_by_its_folder_is_a_local_model() -> None:
    made = table(session("a", "agrees", logged=5, billed=5, model="/data/models/Qwen3-32B"))
    assert made.keys() == {("claude", ""), ("claude", "local model"), ("codex", "")}
