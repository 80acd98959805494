"""Who drives a turn, as people call its model."""

import polars as pl
import pytest

from fleet_pipeline import tables

TURN = {
    "client": "claude", "agent": "forge", "kind": "review", "rule": "review", "task_type": None,
    "model": None, "effort": None, "is_movable": False, "host": "laptop", "session_id": "a",
    "requests": 1, "full_input_tokens": 10, "cache_read_tokens": 5, "output_tokens": 1,
}  # fmt: skip
TEXTS = {"task_type": pl.String, "model": pl.String, "effort": pl.String}


@pytest.mark.parametrize(
    ("client", "model", "driver"),
    [
        ("claude", "claude-opus-4-8", "Opus"),
        ("claude", "vendor/model", "vendor/model"),
        ("claude", None, "not named"),
        ("claude", "", "not named"),
        ("codex", "gpt-5.5", "Codex"),
        ("codex", "gpt-5.3-codex-spark", "Spark"),
        ("codex", None, "Codex"),
        ("codex", "", "Codex"),
    ],
)
def test_a_turn_is_driven_by_its_model_as_people_call_it(
    client: str, model: str | None, driver: str
) -> None:
    turns = pl.DataFrame([TURN | {"client": client, "model": model}], schema_overrides=TEXTS)
    assert tables.run("task_mix", turns=turns)["driver"].to_list() == [driver]
