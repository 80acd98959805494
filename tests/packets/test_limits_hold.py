"""Whatever providers do: at most two calls a run, caps hold, every call is written down."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.home import Home
from fleet_pipeline.org import Lane, LaneLimits
from fleet_pipeline.packets import Outcome, OutcomeKind, Packet, QuotaLedger, Usage, opened, run
from fleet_pipeline.packets.outcome import QUALITY
from fleet_pipeline.packets.prompt import Message
from fleet_pipeline.packets.quota import day_of

from .conftest import NOW, OPEN, lane, packet

KINDS: tuple[OutcomeKind, ...] = (
    "answered", "schema_violation", "refused", "empty", "too_long", "rate_limited", "unavailable",
    "timed_out", "malformed",
)  # fmt: skip
OUTCOMES = st.builds(
    Outcome,
    kind=st.sampled_from(KINDS),
    says=st.just("told"),
    usage=st.builds(
        Usage,
        prompt_tokens=st.none() | st.integers(0, 300),
        output_tokens=st.none() | st.integers(0, 50),
    ),
    retry_after_seconds=st.none() | st.sampled_from([0.0, 30.0, 5000.0]),
)
CAPS = st.none() | st.integers(1, 6)
LANES = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.builds(
            LaneLimits,
            requests_per_minute=CAPS,
            requests_per_day=CAPS,
            tokens_per_day=st.none() | st.integers(100, 2000),
        ),
    ),
    min_size=1,
    max_size=4,
)


class Script:
    """Answers as told, and notes who was asked when."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        self._outcomes = outcomes
        self.asked: list[Lane] = []

    def unready(self, lane: Lane) -> str:
        return ""

    def ask(self, lane: Lane, packet: Packet, messages: Sequence[Message]) -> Outcome:
        self.asked.append(lane)
        return self._outcomes[len(self.asked) % len(self._outcomes)]


@settings(max_examples=15, deadline=None)
@given(
    outcomes=st.lists(OUTCOMES, min_size=1, max_size=12),
    allowances=LANES,
    waits=st.lists(st.sampled_from([0, 1, 20, 61, 4000, 90_000]), min_size=1, max_size=12),
)
def test_no_history_breaks_a_cap_or_loses_a_call(
    tmp_path_factory: pytest.TempPathFactory,
    outcomes: list[Outcome],
    allowances: list[tuple[str, LaneLimits]],
    waits: list[int],
) -> None:
    shared = dict(allowances)  # one allowance has one set of limits
    lanes = [
        lane("https://example.org/v1", name=f"lane {n}", quota=name, limits=shared[name])
        for n, (name, _) in enumerate(allowances)
    ]
    client, at = Script(outcomes), NOW
    calls: list[tuple[str, float]] = []
    with opened(Home(tmp_path_factory.mktemp("home"))) as database:
        for number, wait in enumerate(waits):
            at += timedelta(seconds=wait)
            before = len(client.asked)
            made = run(
                packet(id=f"p{number}"),
                lanes,
                guard=OPEN,
                ledger=QuotaLedger(database),
                client=client,
                now=lambda at=at: at,
            )
            asked = client.asked[before:]
            assert len(asked) == len(made.calls) <= 2
            assert [one.name for one in asked] == [call.lane for call in made.calls]
            judged = [call.outcome.kind in QUALITY for call in made.calls]
            assert (made.state in ("answered", "failed")) == any(judged[-1:])
            calls += [(one.allowance, at.timestamp()) for one in asked]
            for name, limits in shared.items():
                today = day_of(at, "UTC")[0].timestamp()
                spent = [moment for whose, moment in calls if whose == name]
                day = [moment for moment in spent if moment >= today]
                minute = [moment for moment in spent if moment >= at.timestamp() - 60]
                assert len(day) <= (limits.requests_per_day or 1000)
                assert len(minute) <= (limits.requests_per_minute or 1000)
        rows = database.execute("select allowance, settled_ms from attempts order by id").fetchall()
    assert [row["allowance"] for row in rows] == [name for name, _ in calls]
    assert all(row["settled_ms"] is not None for row in rows)


def test_an_attempt_of_a_process_that_died_counts_in_full(home: Home) -> None:
    there = lane("https://example.org/v1", limits=LaneLimits(requests_per_day=1))
    with opened(home) as database:
        assert isinstance(QuotaLedger(database).begin(there, "a", 10, NOW), int)
    with opened(home) as database:
        later = QuotaLedger(database).begin(there, "b", 10, NOW + timedelta(hours=1))
    assert not isinstance(later, int)
    assert later.says == "its 1 requests of this day are used up"
