"""What the counting rules decide where nothing else does: the same choice, whoever came first."""

import pytest

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
