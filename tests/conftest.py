"""No test asks the network: a feed that it needs runs on this machine. Nor is any a matter of time.

How long an example takes says what else the machine has to do, not whether the code is right.
"""

import os
from collections.abc import Iterator
from functools import lru_cache

import pytest
import yaml
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


@pytest.fixture(autouse=True, scope="session")
def texts_parsed_once() -> Iterator[None]:
    """Parse the same YAML text once: hundreds of tests load copies of the example organisation.

    What a text parses to depends on nothing else; a text that does not parse is tried each time.
    """
    scan, known = yaml.scan, dict[str, list[yaml.Token]]()

    def scanned(text: str, Loader: type[yaml.SafeLoader]) -> Iterator[yaml.Token]:
        if text not in known:
            tokens = []
            for token in scan(text, Loader=Loader):
                tokens.append(token)
                yield token
            known[text] = tokens
            if len(known) > 64:
                del known[next(iter(known))]
        else:
            yield from known[text]

    with pytest.MonkeyPatch.context() as library:
        library.setattr(yaml, "compose", lru_cache(maxsize=64)(yaml.compose))
        library.setattr(yaml, "scan", scanned)
        yield
