"""What code in the sandbox cannot do, tried for real."""

import socket
from pathlib import Path

import pytest

from fleet_pipeline.probes.sandbox import passes


def test_code_that_keeps_its_promise_passes_and_other_code_does_not() -> None:
    assert passes("def f():\n    return 1\n", "assert f() == 1")
    assert not passes("def f():\n    return 2\n", "assert f() == 1")


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(0)",
        "raise SystemExit(0)",
        "import sys\nsys.exit()",
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.system('true')",
        "import os\nos.fork()",
        "import os\nos.kill(1, 0)",
        "open('left-behind', 'w')",
        "open('/etc/passwd').read()",
        "import ctypes",
        "import socket\nsocket.socket()",
        "x = 'a' * 10**10",
        "def f():\n    return f()\nf()",
    ],
)
def test_what_is_refused_fails(code: str) -> None:
    assert not passes(code, "pass")


def test_a_server_of_this_machine_is_out_of_reach(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=2)"
        assert not passes(code, "pass")


def test_code_sees_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_CANARY", "1")
    assert passes("import os\nseen = dict(os.environ)", "assert 'PROBE_CANARY' not in seen")


@pytest.mark.slow
def test_code_without_an_end_is_stopped() -> None:
    assert not passes("while True:\n    pass", "pass")


def test_tests_that_hold_no_test_prove_nothing() -> None:
    assert not passes("x = 1", "y = 2", call_tests=True)
