"""Runs the tests of a subject once, and notes which of them ran which line.

    python tests/strength/observed.py SUBJECT FILE     in a checkout's root; writes FILE, JSON

What a fixture of wider scope runs is noted under the file or folder that it serves, what is run
while modules are imported under "": all of their tests depend on it.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

sys.path.insert(0, str(Path.cwd()))

from tests.strength.subjects import SUBJECTS, Subject

ROOT = Path.cwd()


class Observer:
    """Tells coverage which test is running, and notes the processor seconds of each."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.now = ""
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.now = item.nodeid.partition("[")[0]
        self.coverage.switch_context(self.now)
        began = time.process_time()
        try:
            return (yield)
        finally:
            took = time.process_time() - began
            self.seconds[self.now] = self.seconds.get(self.now, 0) + took

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        is_shared = fixturedef.scope != "function" and fixturedef.baseid != "tests"
        if is_shared:
            self.coverage.switch_context(fixturedef.baseid)
        try:
            return (yield)
        finally:
            if is_shared:
                self.coverage.switch_context(self.now)


def observed(subject: Subject) -> dict[str, object]:
    """Return what was seen: processor seconds by test, tests by line, and what is covered."""
    paths = subject.paths(ROOT)
    coverage = Coverage(data_file=None, branch=True, config_file=False, include=[*map(str, paths)])
    observer = Observer(coverage)
    tests = [one for one in subject.tests if (ROOT / one).exists()]
    options = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-m", "not slow", "--no-header"]
    coverage.start()
    status = pytest.main([*options, "--hypothesis-seed=0", *tests], plugins=[observer])
    coverage.stop()
    if status != pytest.ExitCode.OK:
        sys.exit("tests fail before anything is changed")
    data = coverage.get_data()
    return {
        "seconds": observer.seconds,
        "ran": {
            path.relative_to(ROOT).as_posix(): data.contexts_by_lineno(str(path)) for path in paths
        },
        "covered": {name: seen["summary"] for name, seen in summary(coverage)["files"].items()},
    }


def summary(coverage: Coverage) -> dict[str, Any]:
    """Return coverage's own report."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        coverage.json_report(outfile=file.name)
        return json.load(file)


if __name__ == "__main__":
    name, file = sys.argv[1:]
    Path(file).write_text(json.dumps(observed(SUBJECTS[name])))
