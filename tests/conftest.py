"""No test asks the network: a feed that it needs runs on this machine."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FLEET_OFFLINE", "1")
        yield
