"""What the counting rules decide where nothing else does: the same choice, whoever came first."""

import polars as pl
import pytest

from fleet_pipeline.ledger import counting, recount

from ..transcripts.claude_fixtures.lines import after, reply, rewritten, transcript, usage


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_rewritten_copy_of_a_request_with_two_ids_goes_with_the_lesser(machine, order):
    """It cannot be told whose copy it is; it must not depend on which file is read first."""
    for place, name in enumerate(order):
        one = reply(name, usage(3, 9), at=after(minutes=ord(name)), request_id="req_1")
        machine.write(machine.claude(f"p/{place}.jsonl"), transcript(one))
    copy = reply(rewritten("x"), usage(3, 500), at=after(hours=5), request_id="req_1")
    machine.write(machine.claude("p/z.jsonl"), transcript(copy))
    machine.ingest()
    assert {key: tokens[-1] for key, tokens in machine.billed().items()} == {"a": 500, "b": 9}


@pytest.mark.parametrize("order", [("Explore", "Plan"), ("Plan", "Explore")])
def test_of_two_types_that_name_one_agent_the_first_by_name_is_taken(machine, order):
    lines = [
        reply(
            f"m{place}",
            at=after(minutes=place),
            agentId="a1",
            isSidechain=True,
            attributionAgent=kind,
        )
        for place, kind in enumerate([*order, None])
    ]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    types = {row["message_id"]: row["agent_type"] for row in machine.rows().rows(named=True)}
    named = [kind for kind in types.values() if kind]
    assert types["m2"] == (min(named) if named else None)


@pytest.fixture
def spoilt(machine):
    """A ledger that says something else than the evidence, and no day of which waits."""
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("a", usage(3, 9))))
    machine.ingest()
    [day] = (machine.home.lake / "usage").rglob("*.parquet")
    pl.read_parquet(day).with_columns(output_tokens=pl.lit(1, pl.Int64)).write_parquet(day)
    assert recount(machine.home) == 0
    assert machine.billed()["a"][-1] == 1
    return machine


def test_what_was_counted_is_counted_again_where_it_is_asked_for(spoilt):
    assert recount(spoilt.home, everything=True) == 1
    assert spoilt.billed()["a"][-1] == 9


def test_what_was_counted_is_counted_again_by_new_rules(spoilt, monkeypatch):
    monkeypatch.setattr(counting, "RULES_VERSION", counting.RULES_VERSION + 1)
    assert recount(spoilt.home) == 1
    assert spoilt.billed()["a"][-1] == 9


@pytest.fixture
def past_midnight(machine):
    """A subagent that works on two days, and somebody else on the second of them."""
    lines = [
        reply("a", at=after(), agentId="a1", isSidechain=True),
        reply("b", at=after(hours=24), agentId="a1", isSidechain=True),
        reply("c", at=after(hours=25)),
    ]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    return machine


def second_day(machine):
    [path] = (machine.home.lake / "usage").rglob(f"date={after(hours=24).date()}.parquet")
    return path


def test_a_day_that_counts_the_same_is_not_touched_for_being_tied_to_another(past_midnight):
    before = second_day(past_midnight).stat()
    new = reply("d", at=after(minutes=1))
    past_midnight.write(past_midnight.claude("p/t.jsonl"), transcript(new))
    past_midnight.ingest()
    assert set(past_midnight.billed()) == {"a", "b", "c", "d"}
    assert second_day(past_midnight).stat().st_ino == before.st_ino


def test_what_another_day_says_of_a_request_changes_it_and_nothing_beside_it(past_midnight):
    told = reply("d", at=after(minutes=1), agentId="a1", isSidechain=True, attributionAgent="Plan")
    past_midnight.write(past_midnight.claude("p/t.jsonl"), transcript(told))
    past_midnight.ingest()
    types = dict(past_midnight.rows().select("message_id", "agent_type").iter_rows())
    assert types == {"a": "Plan", "b": "Plan", "c": None, "d": "Plan"}
