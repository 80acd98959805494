"""Each fault of a provider leads to the promised outcome, and only answers speak of a model."""

import json
import time
from typing import Any

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.packets import Client, Outcome
from fleet_pipeline.packets.completion import judge
from fleet_pipeline.packets.prompt import messages

from ..local_server import LocalServer
from .completions import GOOD, completion
from .conftest import BOUNDS, lane, packet


def ask(server: LocalServer | str, **of_the_lane: Any) -> Outcome:
    there = lane(server, **of_the_lane)
    client = Client([there], {"A_KEY": "abc"}, BOUNDS)
    return client.ask(there, packet(), messages(packet()))


def test_an_answer_comes_with_what_it_cost(server: LocalServer) -> None:
    usage = {
        "prompt_tokens": 90,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 64},
        "cost": 0.000125,
    }
    server.bodies = [completion(usage=usage, provider="Host")]
    server.headers = {"X-Request-Id": "req-7"}
    outcome = ask(server)
    assert (outcome.kind, outcome.answer, outcome.status) == ("answered", {"label": "bug"}, 200)
    assert (outcome.usage.prompt_tokens, outcome.usage.cached_tokens) == (90, 64)
    assert (outcome.usage.output_tokens, outcome.usage.cost_usd_micros) == (7, 125)
    assert (outcome.request_id, outcome.served_model) == ("req-7", "small-1 Host")
    assert 0 < outcome.latency_seconds < 1


def test_tokens_that_nobody_counted_are_unknown(server: LocalServer) -> None:
    server.bodies = [completion(usage={"prompt_tokens": -1, "completion_tokens": True})]
    usage = ask(server).usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.output_tokens) == (None, None, None)


FAULTS: dict[str, tuple[dict[str, Any], str, bool]] = {
    # name: (what the server does, the outcome, whether it speaks of the model)
    "answers in a code fence": (
        {"bodies": [completion(f"```json\n{GOOD}\n```")]}, "answered", True),
    "answers in parts": (
        {"bodies": [completion([{"type": "text", "text": GOOD}])]}, "answered", True),
    "says nothing": ({"pause_before": 5.0}, "timed_out", False),
    "drips": ({"drip": 0.05}, "timed_out", False),
    "429": ({"status": [429]}, "rate_limited", False),
    "429 with Retry-After": (
        {"status": [429], "headers": {"Retry-After": "30"}}, "rate_limited", False),
    "429 inside a 200": (
        {"bodies": [b'{"error": {"code": 429, "message": "slow"}}']}, "rate_limited", False),
    "error inside a 200": ({"bodies": [b'{"error": {"code": "x"}}']}, "unavailable", False),
    "500": ({"status": [500]}, "unavailable", False),
    "503": ({"status": [503]}, "unavailable", False),
    "wrong key": ({"status": [401]}, "unavailable", False),
    "no credit": ({"status": [402]}, "unavailable", False),
    "unknown model": ({"status": [404]}, "unavailable", False),
    "HTML": ({"bodies": [b"<!doctype html><title>Sign in</title>"]}, "malformed", False),
    "10 MB": ({"bodies": [completion("x" * (10 << 20))]}, "malformed", False),
    "truncated JSON": ({"bodies": [completion()[:-30]]}, "malformed", False),
    "connection cut": ({"promised": 100_000}, "unavailable", False),
    "no choices": ({"bodies": [b'{"choices": []}']}, "malformed", False),
    "a list": ({"bodies": [b"[]"]}, "malformed", False),
    "nested without end": ({"bodies": [b"[" * 100_000]}, "malformed", False),
    "not UTF-8": ({"bodies": [b"\xff\xfe"]}, "malformed", False),
    "a number for words": ({"bodies": [completion(7)]}, "malformed", False),
    "compressed unasked": ({"headers": {"Content-Encoding": "gzip"}}, "unavailable", False),
    "redirect off-host": (
        {"status": [307], "headers": {"Location": "http://10.0.0.1/v1"}}, "unavailable", False),
    "redirect to itself": ({"status": [308], "headers": {"Location": "/v1"}}, "unavailable", False),
    "breaks off in the middle": (
        {"bodies": [completion(GOOD[:5], finish_reason="error")]}, "unavailable", False),
    "schema violation": ({"bodies": [completion('{"label": "mood"}')]}, "schema_violation", True),
    "prose": ({"bodies": [completion("It is a bug.")]}, "schema_violation", True),
    "JSON after prose": ({"bodies": [completion(f"Sure! {GOOD}")]}, "schema_violation", True),
    "NaN": ({"bodies": [completion('{"label": NaN}')]}, "schema_violation", True),
    "a number without end": (
        {"bodies": [completion('{"label": 1e999}')]}, "schema_violation", True),
    "an answer nested without end": (
        {"bodies": [completion("[" * 700, finish_reason="stop")]}, "schema_violation", True),
    "empty": ({"bodies": [completion("  \n")]}, "empty", True),
    "null": ({"bodies": [completion(None)]}, "empty", True),
    "refusal": (
        {"bodies": [completion(None, message={"refusal": "I cannot."})]}, "refused", True),
    "content filter": (
        {"bodies": [completion(None, finish_reason="content_filter")]}, "refused", True),
    "cut at the cap": ({"bodies": [completion(GOOD, finish_reason="length")]}, "too_long", True),
    "over the cap by count": (
        {"bodies": [completion(usage={"completion_tokens": 51})]}, "too_long", True),
    "over the cap by size": (
        {"bodies": [completion(json.dumps({"label": "b" * 900}), usage={})]}, "too_long", True),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "kind", "is_quality"), FAULTS.values(), ids=FAULTS)
def test_each_fault_has_its_outcome_in_time(
    server: LocalServer, fault: dict[str, Any], kind: str, is_quality: bool
) -> None:
    for name, value in fault.items():
        setattr(server, name, value)
    began = time.monotonic()
    outcome = ask(server)
    assert time.monotonic() - began < 4
    assert (outcome.kind, outcome.is_quality) == (kind, is_quality)
    assert len(server.asked) == 1


def test_a_number_that_nothing_can_be_divided_by_is_wrong_and_no_crash() -> None:
    schema = {"type": "number", "multipleOf": 0.5}
    assert judge("1.5", schema) == (1.5, "", "")
    assert judge(f"1{'0' * 400}", schema)[2] == "the answer holds a number far too large"


def test_a_provider_may_say_when_to_come_back(server: LocalServer) -> None:
    server.status, server.headers = [429], {"Retry-After": "30"}
    assert ask(server).retry_after_seconds == 30
    server.headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert ask(server).retry_after_seconds is None


def test_a_closed_port_is_an_outage() -> None:
    outcome = ask("http://127.0.0.1:1/v1")
    assert (outcome.kind, outcome.is_quality) == ("unavailable", False)
    assert outcome.says == "127.0.0.1 cannot be reached"


@pytest.mark.parametrize("url", ["https://10.1.2.3/v1", "https://169.254.169.254/v1"])
def test_a_private_network_is_never_asked(url: str) -> None:
    assert "leads into a private network" in ask(url).says


@pytest.mark.parametrize(
    "url", ["https://ex..ample.org/v1", f"https://{'a' * 300}.org/v1", "https://-ä.org/v1"]
)
def test_an_address_that_is_none_is_an_outage_and_no_crash(url: str) -> None:
    assert ask(url).kind == "unavailable"


@pytest.mark.parametrize(
    "proxy", ["socks5://somebody:hunter2@127.0.0.1:9", "foo://somebody:hunter2@127.0.0.1:9"]
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    outcome = ask("https://example.org/v1")
    assert (outcome.kind, "proxy" in outcome.says) == ("unavailable", True)
    assert "hunter2" not in repr(outcome)


@pytest.mark.parametrize("past", ["", "10.1.2.3"])
def test_a_private_network_is_not_asked_through_a_proxy_or_past_it(
    monkeypatch: pytest.MonkeyPatch, past: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", past)
    assert "leads into a private network" in ask("https://10.1.2.3/v1").says


def test_a_host_of_no_lane_is_never_asked(server: LocalServer) -> None:
    client = Client([lane("https://example.org/v1")], {}, BOUNDS)
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1 is the host of no lane"):
        client.ask(lane(server), packet(), messages(packet()))
    assert server.asked == []


def test_what_is_sent_is_capped_and_asks_for_json(server: LocalServer) -> None:
    ask(server, structured="json_schema", data_collection_denied=True)
    [sent] = server.asked
    assert (sent["max_tokens"], sent["stream"], sent["model"]) == (50, False, "small")
    assert sent["response_format"]["json_schema"]["schema"] == packet().answer_schema
    assert sent["provider"] == {"data_collection": "deny"}
    assert "It crashes" in sent["messages"][1]["content"]


def test_a_key_goes_into_one_header_and_is_never_shown(server: LocalServer) -> None:
    ask(server, key_env="A_KEY")
    assert server.headers_seen[0]["authorization"] == "Bearer abc"
    there = lane(server, key_env="A_KEY")
    secret = "line\nbreak-very-secret"
    client = Client([there], {"A_KEY": secret}, BOUNDS)
    with pytest.raises(ConfigurationError) as caught:
        client.ask(there, packet(), messages(packet()))
    assert "secret" not in str(caught.value)


def test_a_missing_key_is_named(server: LocalServer) -> None:
    there = lane(server, key_env="NO_SUCH_KEY")
    with pytest.raises(ConfigurationError, match="lane local: its key is missing: set NO_SUCH_KEY"):
        Client([there], {}, BOUNDS).ask(there, packet(), messages(packet()))
    assert server.asked == []


def test_what_may_be_logged_of_an_outcome_quotes_nobody(server: LocalServer) -> None:
    for answer in ("the canary sings", '{"canary": 1}', '{"label": "canary"}'):
        server.bodies = [completion(answer)]
        outcome = ask(server)
        assert outcome.kind == "schema_violation"
        assert "canary" not in f"{outcome!r} {outcome.says}"
