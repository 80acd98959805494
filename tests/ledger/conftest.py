"""Machines whose umask does not outlive their test."""

import os

import pytest

from .machine import Machine


@pytest.fixture(autouse=True)
def umask_of_the_test():
    """Ingestion makes everything private from then on; the tests after this one shall not be."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def two_machines(tmp_path):
    return Machine(tmp_path, "laptop", "server")
