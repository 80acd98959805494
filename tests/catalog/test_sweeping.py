"""One sweep against a server on this machine: feeds, endpoints, quota, and what is told of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fleet_pipeline import catalog
from fleet_pipeline.catalog import readings
from fleet_pipeline.home import Home
from fleet_pipeline.org import Org, load
from fleet_pipeline.pricing.feeds import openrouter

NOW = datetime(2026, 6, 16, 3, 30, tzinfo=UTC)
GLM = "z-ai/glm-5.2"


@contextmanager
def answering(answers: dict[str, object], asked: list[tuple[str, str | None]]) -> Iterator[str]:
    """Serve JSON by path; everything else is not found."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("authorization")))
            body = json.dumps(answers.get(self.path, {})).encode()
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


LISTED = {"data": [{"id": GLM, "pricing": {"prompt": "0.0000013", "completion": "0.0000044"}}]}
ANSWERS: dict[str, object] = {
    "/api/v1/models": LISTED,
    f"/api/v1/models/{GLM}/endpoints": {
        "data": {"endpoints": [{"provider_name": "Zed", "status": 0, "uptime_last_1d": 100}]}
    },
    "/api/v1/key": {
        "data": {"free_model_daily_requests": {"limit": 50, "used": 1, "remaining": 49}}
    },
}


def org_asking(folder: Path, base: str) -> Org:
    file = folder / "fleet.yaml"
    text, _, _ = file.read_text().partition("price_feeds:")
    feed = f'price_feeds:\n  - {{source: openrouter, url: "{base}/api/v1/models"}}\n'
    file.write_text(text + feed)
    return load(folder)


@pytest.fixture
def asked() -> list[tuple[str, str | None]]:
    return []


@pytest.fixture
def org_online(
    org_folder: Path, asked: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Org]:
    """An organisation for which OpenRouter is a server on this machine."""
    with answering(ANSWERS, asked) as base:
        monkeypatch.setattr(openrouter, "URL", f"{base}/api/v1/models")
        yield org_asking(org_folder, base)


def test_prices_endpoints_and_quota_are_asked_and_kept(
    home: Home, org_online: Org, asked: list[tuple[str, str | None]]
) -> None:
    made = catalog.run(home, org_online, NOW, key="sk-secret")
    assert [report.state for report in made.feeds] == ["kept"]
    assert made.notes == {
        "endpoints": "1 of 8 candidates told theirs, 1 in all",
        "quota": "49 of 50 free requests left",
    }
    assert readings.newest(home, "endpoints").height == 1
    assert readings.newest(home, "quotas")["requests_left"].to_list() == [49]
    keys = {path: key for path, key in asked if key}
    assert keys == {"/api/v1/key": "Bearer sk-secret"}


def test_a_mirror_gets_no_key(
    home: Home, org_folder: Path, asked: list[tuple[str, str | None]]
) -> None:
    with answering(ANSWERS, asked) as mirror:
        made = catalog.run(home, org_asking(org_folder, mirror), NOW, key="sk-secret")
    assert made.notes["quota"] == "not asked: a mirror gets no key"
    assert len(asked) > 1
    assert not [key for _, key in asked if key]


def test_a_key_is_written_nowhere(home: Home, org_online: Org) -> None:
    made = catalog.run(home, org_online, NOW, key="sk-secret")
    kept = [path.read_bytes() for path in home.root.rglob("*") if path.is_file()]
    assert len(kept) > 3
    assert not [content for content in kept if b"sk-secret" in content]
    assert "sk-secret" not in json.dumps(made.record())


def test_without_a_key_nobody_is_asked_for_a_quota(
    home: Home, org_online: Org, asked: list[tuple[str, str | None]]
) -> None:
    catalog.run(home, org_online, NOW)
    assert "/api/v1/key" not in [path for path, _ in asked]


def test_a_feed_that_answered_lately_is_left_alone(
    home: Home, org_online: Org, asked: list[tuple[str, str | None]]
) -> None:
    catalog.run(home, org_online, NOW)
    so_far = len(asked)
    again = NOW + timedelta(hours=5)
    made = catalog.run(home, org_online, again, unless_within=timedelta(hours=6))
    assert len(asked) == so_far
    assert [report.state for report in made.feeds] == ["not asked"]


def test_a_snapshot_from_the_future_keeps_no_feed_from_being_asked(
    home: Home, org_online: Org, asked: list[tuple[str, str | None]]
) -> None:
    catalog.run(home, org_online, NOW + timedelta(days=400))
    so_far = len(asked)
    catalog.run(home, org_online, NOW, unless_within=timedelta(hours=6))
    assert len(asked) > so_far


def test_free_tiers_are_noted_when_they_change_and_only_then(home: Home, org: Org) -> None:
    for hours in (0, 1):
        catalog.run(home, org, NOW + timedelta(hours=hours), offline=True)
    assert len(list((home.lake / "catalog" / "free_apis").iterdir())) == 1


def test_a_sweep_tells_which_feeds_failed_until_the_next_one(home: Home, org_folder: Path) -> None:
    nobody = org_asking(org_folder, "http://127.0.0.1:1")
    assert catalog.failed_feeds(home) == []
    made = catalog.run(home, nobody, NOW)
    assert made.failed == catalog.failed_feeds(home) == ["openrouter"]
    assert "failed (127.0.0.1 cannot be reached); nothing is known of it" in made.lines()[0]


def test_everything_in_the_home_is_private(home: Home, org_online: Org) -> None:
    catalog.run(home, org_online, NOW)
    files = [path for path in (home.lake / "prices").rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
