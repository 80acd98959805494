"""Stores for the tests of hosts: each test has a bucket and a proxy of its own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_pipeline.s3 import bucket as buckets

from ..ledger.conftest import umask_of_the_test
from .fleet import Fleet
from .stores import KEY_ID, SECRET, Proxy, Store, moto, proxied, rclone

__all__ = ["umask_of_the_test"]

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def before_moto() -> Iterator[Proxy]:
    with moto() as port, proxied(port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def before_rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with rclone(tmp_path_factory.mktemp("buckets")) as port, proxied(port) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user with these credentials and no AWS configuration at all."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(buckets, "_PAUSE", 0.001)


@pytest.fixture
def store(before_moto: Proxy) -> Store:
    """A bucket on a server that heeds conditions."""
    return Store(before_moto.anew(), f"fleet-{next(_NUMBERS)}")


@pytest.fixture(params=["moto", pytest.param("rclone", marks=pytest.mark.slow)])
def any_store(request: pytest.FixtureRequest) -> Store:
    """A bucket on either server."""
    proxy: Proxy = request.getfixturevalue(f"before_{request.param}")
    return Store(proxy.anew(), f"fleet-{next(_NUMBERS)}")


@pytest.fixture
def fleet(tmp_path: Path, store: Store) -> Fleet:
    return Fleet(tmp_path, store)


@pytest.fixture
def any_fleet(tmp_path: Path, any_store: Store) -> Fleet:
    return Fleet(tmp_path, any_store)
