"""The operating rule: one shot, one retry with the reason, then another lane or later."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fleet_pipeline.home import Home
from fleet_pipeline.org import LaneLimits
from fleet_pipeline.packets import QuotaLedger, Run, opened
from fleet_pipeline.packets.quota import day_of

from ..local_server import LocalServer
from .completions import completion
from .conftest import NOW, lane, packet

Send = Callable[..., Run]
BAD = completion('{"label": "mood"}')


def test_a_good_answer_takes_one_call(server: LocalServer, send: Send) -> None:
    made = send(packet(), lane(server))
    assert (made.state, made.answer, made.lane) == ("answered", {"label": "bug"}, "local")
    assert len(server.asked) == 1


def test_a_wrong_answer_is_asked_for_once_more_with_the_reason(
    server: LocalServer, send: Send
) -> None:
    server.bodies = [BAD, completion()]
    made = send(packet(), lane(server))
    assert (made.state, len(made.calls)) == ("answered", 2)
    first, second = server.asked
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert "'mood' is not one of ['bug', 'feature']" in second["messages"][-1]["content"]


def test_two_wrong_answers_are_a_failure_of_the_model(
    server: LocalServer, spare: LocalServer, send: Send
) -> None:
    server.bodies = [BAD]
    made = send(packet(), lane(server), lane(spare, name="spare"))
    assert (made.state, made.answer, len(made.calls)) == ("failed", None, 2)
    assert spare.asked == []


def test_a_refusal_is_not_argued_with(server: LocalServer, send: Send) -> None:
    server.bodies = [completion(None, finish_reason="content_filter")]
    assert send(packet(), lane(server)).state == "failed"
    assert len(server.asked) == 1


def test_a_lane_that_is_out_hands_over_to_the_next(
    server: LocalServer, spare: LocalServer, send: Send
) -> None:
    server.status = [503]
    made = send(packet(), lane(server), lane(spare, name="spare"))
    assert (made.state, made.lane) == ("answered", "spare")
    assert [call.outcome.kind for call in made.calls] == ["unavailable", "answered"]


def test_never_more_than_two_calls_whatever_happens(
    server: LocalServer, spare: LocalServer, send: Send
) -> None:
    server.status, spare.bodies = [503], [BAD]
    made = send(packet(), lane(server), lane(spare, name="spare"), lane(spare, name="third"))
    assert made.state == "failed"
    assert len(server.asked) + len(spare.asked) == len(made.calls) == 2


def test_lanes_that_are_all_out_leave_the_packet_waiting(server: LocalServer, send: Send) -> None:
    server.status = [429]
    made = send(packet(), lane(server))
    assert (made.state, len(server.asked)) == ("waiting", 1)


def test_a_lane_is_left_alone_for_as_long_as_it_asked(server: LocalServer, send: Send) -> None:
    server.status, server.headers = [429, 200], {"Retry-After": "90"}
    there = lane(server)
    send(packet(), there)
    early = send(packet(), there, at=NOW + timedelta(seconds=89))
    assert (early.state, early.not_before) == ("waiting", NOW + timedelta(seconds=90))
    assert len(server.asked) == 1
    assert send(packet(), there, at=NOW + timedelta(seconds=90)).state == "answered"


def test_a_429_of_one_lane_rests_all_that_share_its_allowance(
    server: LocalServer, spare: LocalServer, send: Send
) -> None:
    server.status = [429]
    send(packet(), lane(server, quota="account"))
    assert send(packet(), lane(spare, name="other", quota="account")).state == "waiting"
    assert send(packet(), lane(spare, name="free of it")).state == "answered"


def test_a_missing_key_passes_a_lane_over_without_an_attempt(
    server: LocalServer, send: Send, home: Home
) -> None:
    made = send(packet(), lane(server, key_env="NO_SUCH_KEY"))
    assert made.passed_over == {"local": "its key is missing: set NO_SUCH_KEY"}
    assert (made.state, server.asked) == ("waiting", [])
    with opened(home) as database:
        assert database.execute("select count(*) from attempts").fetchone()[0] == 0


def test_caps_per_minute_and_per_day_hold(server: LocalServer, send: Send) -> None:
    limits = LaneLimits(requests_per_minute=2, requests_per_day=3)
    there = lane(server, limits=limits)
    states = [
        send(packet(id=f"p{second}"), there, at=NOW + timedelta(seconds=second)).state
        for second in (0, 1, 2, 61, 62, 3600)
    ]
    assert states == ["answered", "answered", "waiting", "answered", "waiting", "waiting"]
    assert len(server.asked) == 3
    assert send(packet(), there, at=NOW + timedelta(hours=12)).state == "answered"


def test_tokens_are_reserved_before_and_settled_after(server: LocalServer, send: Send) -> None:
    there = lane(server, limits=LaneLimits(tokens_per_day=400))
    assert send(packet(), there).state == "answered"  # 97 tokens in the end
    assert send(packet(), there).state == "answered"
    made = send(packet(inputs={"log": "x" * 900}), there)
    assert (made.state, len(server.asked)) == ("waiting", 2)
    assert "tokens of this day" in made.passed_over["local"]


def test_a_day_begins_at_the_providers_midnight() -> None:
    began, ends = day_of(datetime(2026, 6, 17, 5, tzinfo=UTC), "America/Los_Angeles")
    assert began == datetime(2026, 6, 16, 7, tzinfo=UTC)
    assert ends == datetime(2026, 6, 17, 7, tzinfo=UTC)


def test_an_attempt_is_on_disk_before_the_call(
    server: LocalServer, home: Home, ledger: QuotaLedger
) -> None:
    ledger.begin(lane(server), packet().sha256, 10, NOW)
    with opened(home) as elsewhere:
        [row] = elsewhere.execute("select kind, reserved_tokens from attempts").fetchall()
    assert tuple(row) == (None, 10)
    assert server.asked == []
