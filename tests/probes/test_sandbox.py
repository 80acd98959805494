"""What code in the sandbox cannot do: each way out is tried, and is refused or ends in nothing."""

import socket
from pathlib import Path

import pytest

from fleet_pipeline.probes.sandbox import passes

REFUSED = {
    "a socket": "import socket; socket.socket()",
    "a name on the network": "import socket; socket.getaddrinfo('localhost', 80)",
    "a command": "import subprocess; subprocess.run(['true'])",
    "a shell": "import os; os.system('true')",
    "a fork": "import os; os.fork()",
    "another program": "import os; os.execv('/bin/true', ['true'])",
    "a spawned program": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "a program behind Python's back": "import _posixsubprocess",
    "a signal": "import os; os.kill(1, 0)",
    "a foreign file": "open('/etc/passwd')",
    "a foreign file from below": "import os; os.open('/etc/passwd', os.O_RDONLY)",
    "a foreign file by a detour": "import os; open(f'{os.__file__}/../../../../etc/passwd')",
    "a foreign file under a false name": (
        "import os; open(type('', (str,), {'startswith': lambda *_: True})('/etc/passwd'))"
    ),
    "a file to write, by other flags": (
        "import os; os.O_CREAT = os.O_WRONLY = 0; open(os.__file__, 'a')"
    ),
    "the memory of a process": "open('/proc/self/mem', 'rb')",
    "a new file": "open('left-behind', 'w')",
    "a file of the standard library to write": "import os; open(os.__file__, 'r+')",
    "a list of files": "import os; os.listdir('/')",
    "a removed file": "import os; os.remove('.given')",
    "a new folder": "import os; os.mkdir('folder')",
    "a link": "import os; os.symlink('/etc/passwd', 'here')",
    "a database": "import sqlite3; sqlite3.connect('left-behind')",
    "native code": "import ctypes",
    "memory of its own": "import mmap; mmap.mmap(-1, 4096)",
    "the frames above": "import sys; sys._getframe(1)",
    "the frames of an error": "[][0]",
    "all objects": "import gc; gc.get_objects()",
    "a tracer": "import sys; sys.settrace(print)",
}  # fmt: skip


def test_code_that_keeps_its_promise_passes_and_other_code_does_not() -> None:
    assert passes("def f():\n    print(1)\n    return 1\n", "assert f() == 1")
    assert not passes("def f():\n    return 2\n", "assert f() == 1")


def test_the_standard_library_is_at_hand() -> None:
    code = (
        "import collections, dataclasses, datetime, decimal, enum, functools, itertools, json\n"
        "import math, random, re, statistics, string, textwrap, typing\n"
        "Point = collections.namedtuple('Point', 'x y')\n"
        "@dataclasses.dataclass\nclass Box:\n    side: int = 2\n"
    )
    assert passes(code, "assert Point(1, 2).y == Box().side")


@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED)
def test_each_way_out_is_refused_where_it_begins(attempt: str) -> None:
    code = (
        f"import io\ntry:\n    try:\n        {attempt}\n"
        "    except IndexError as error:\n        error.__traceback__.tb_frame\n"
        "except io.UnsupportedOperation:\n    refused = True\n"
    )
    assert passes(code, "assert refused")


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(0)",
        "raise SystemExit(0)",
        "import os\nos.write(1, b'passed')",
        "import os\nos.close(1)",
        "import builtins\nbuiltins.exec = builtins.compile = lambda *_: None",
        "x = 'a' * 10**10",
        "def f():\n    return f()\nf()",
        "import os\nwhile True:\n    os.write(1, b'x' * 65536)",
    ],
)
def test_no_end_but_that_of_the_tests_counts(code: str) -> None:
    assert not passes(code, "assert False" if "builtins" in code else "pass")


def test_a_server_of_this_machine_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=2)"
        assert not passes(code, "pass")
        with pytest.raises(TimeoutError):
            server.accept()


def test_code_sees_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_CANARY", "1")
    assert passes("import os\nseen = dict(os.environ)", "assert 'PROBE_CANARY' not in seen")


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert passes("x = 1", "assert x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_code_without_an_end_is_stopped() -> None:
    assert not passes("while True:\n    pass", "pass")


def test_tests_that_hold_no_test_prove_nothing() -> None:
    assert not passes("x = 1", "y = 2", call_tests=True)
