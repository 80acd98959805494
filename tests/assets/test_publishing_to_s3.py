"""``publish_to`` an address in S3, through the graph and onto a real server."""

import json

import pytest

from ..hosts.conftest import before_moto, credentials, store
from ..hosts.stores import Fault, Store
from .fleets import CLOSE, Fleet

__all__ = ["before_moto", "credentials", "store"]

PREFIX = "pages/routing"


def publish_to(store: Store, fleet: Fleet, title: str) -> None:
    path = fleet.org / "fleet.yaml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("title:")]
    place = f"  - s3: s3://{store.bucket}/{PREFIX}\n    endpoint_url: {store.proxy.url}"
    told = "\n".join(kept).replace("publish_to:", f"publish_to:\n{place}")
    path.write_text(f"title: {title}\n{told}\n")


def objects(store: Store) -> dict[str, bytes]:
    return {name.removeprefix(f"{PREFIX}/"): store.get(name) for name in store.names()}


@pytest.mark.slow
def test_a_run_publishes_to_s3_and_one_that_fails_there_leaves_the_old_page_whole(
    store: Store, fleet: Fleet
) -> None:
    publish_to(store, fleet, "First")
    assert fleet.run(CLOSE, ["routing_page"]).success
    first = objects(store)
    index = json.loads(first["weeks.json"])
    assert index["latest"] == CLOSE.isoformat()
    [week] = index["weeks"]
    folder = fleet.home.site / "weeks" / CLOSE.isoformat()
    local = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}
    there = {name.removeprefix(week["path"]) for name in first if name.startswith(week["path"])}
    assert there == {*local, "SHA256SUMS"}
    for name, path in local.items():
        assert first[week["path"] + name] == path.read_bytes(), name

    organisation = fleet.org / "fleet.yaml"
    organisation.write_text(organisation.read_text().replace("First", "Second"))
    store.proxy.anew().faults.append(
        Fault(lambda method, path: path.endswith("/SHA256SUMS"), "503", times=99)
    )
    failed = fleet.run(CLOSE, ["routing_page"])
    assert not failed.success
    [failure] = [event for event in failed.all_events if event.is_step_failure]
    assert failure.step_key == "routing_page"
    after = objects(store)
    assert {name: after[name] for name in first} == first
    assert b"Second" not in after["latest/index.html"] + after["weeks.json"]
