"""No test asks the network: a feed that it needs runs on this machine. Nor is any a matter of time.

How long an example takes says what else the machine has to do, not whether the code is right.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FLEET_OFFLINE", "1")
        yield


@pytest.fixture(autouse=True, scope="session")
def unhurried_disk() -> Iterator[None]:
    """Let the disk write when it likes: no test cuts the power, and all would wait for it."""
    with pytest.MonkeyPatch.context() as system:
        system.setattr(os, "fsync", lambda descriptor: None)
        yield
