"""Which probes are due when, and how many of them a free tier bears."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.probes.items import items
from fleet_pipeline.probes.plan import still_due, timetable, within_quotas
from fleet_pipeline.probes.results import SCHEMA

WEDNESDAY = date(2026, 11, 25)
MODELS = ["a", "b", "c"]


def test_a_week_has_one_timetable_on_whichever_of_its_days_it_is_made() -> None:
    made = [timetable(items(), MODELS, WEDNESDAY + timedelta(days=day)) for day in range(7)]
    assert all(each == made[0] for each in made)
    assert timetable(items(), MODELS, WEDNESDAY + timedelta(days=7)) != made[0]


def test_a_model_s_timetable_does_not_depend_on_the_others() -> None:
    alone = timetable(items(), ["b"], WEDNESDAY)
    assert [due for due in timetable(items(), MODELS, WEDNESDAY) if due.model == "b"] == alone


def test_every_model_is_asked_the_same_items_spread_over_the_days_of_the_week() -> None:
    planned = timetable(items(), MODELS, WEDNESDAY)
    asked = {
        model: sorted((due.item.id, due.repeat) for due in planned if due.model == model)
        for model in MODELS
    }
    assert asked["a"] == asked["b"] == asked["c"]
    by_day = Counter(due.day for due in planned)
    assert len(by_day) == 7
    assert max(by_day.values()) < len(planned) / 3


def test_anchors_are_asked_twice_each_week_and_each_other_item_two_weeks_in_three() -> None:
    asked = Counter(
        due.item.id
        for week in range(3)
        for due in timetable(items(), ["a"], WEDNESDAY + timedelta(weeks=week))
    )
    assert asked == {item.id: 6 if item.is_anchor else 2 for item in items()}


def test_what_was_graded_is_not_due_again_and_what_was_not_answered_is() -> None:
    planned = timetable(items(), ["a"], WEDNESDAY)
    end = WEDNESDAY + timedelta(days=6)
    first, second = planned[:2]
    rows = [
        {
            "due_on": due.day,
            "model": due.model,
            "item_id": due.item.id,
            "outcome": outcome,
            "item_version": due.item.version,
            "repeat": due.repeat,
            "started_at": datetime(2026, 11, 25, tzinfo=UTC),
        }
        for due, outcome in ((first, "fail"), (second, "unavailable"))
    ]
    left = still_due(planned, pl.DataFrame(rows, schema=SCHEMA, orient="row"), end)
    assert left == planned[1:]


def test_what_is_planned_for_later_is_not_due_yet() -> None:
    planned = timetable(items(), ["a"], WEDNESDAY)
    nothing = pl.DataFrame(schema=SCHEMA)
    assert {due.day for due in still_due(planned, nothing, WEDNESDAY)} == {WEDNESDAY}


@given(st.integers(1, 100), st.integers(0, 60))
def test_probes_leave_half_of_a_free_tier_to_work(limit: int, used: int) -> None:
    planned = timetable(items(), MODELS, WEDNESDAY)
    shared = dict.fromkeys(MODELS, "account")
    borne = within_quotas(planned, shared, {"account": limit}, {"account": used})
    assert len(borne) == min(len(planned), max(0, limit // 2 - used))
    assert within_quotas(planned, shared, {"account": None}, {"account": used}) == planned
