"""Running a model's Python code: a process of its own that can reach nothing and lasts seconds.

Isolated interpreter, empty environment, empty folder; limits on processor time, memory, files and
output; an audit hook refuses network, processes, writing and reading outside the standard library,
and where the kernel allows it the process has a network namespace without any network. This keeps
careless code in; only pass or fail ever comes out.
"""

import json
import os
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Final

_CPU_SECONDS: Final = 4
_WALL_SECONDS: Final = 20
_MEMORY_BYTES: Final = 512 << 20
_FILE_BYTES: Final = 1 << 20

_DRIVER: Final = r"""
import ctypes, json, os, sys

told = json.loads(sys.stdin.read())
try:
    ctypes.CDLL(None).unshare(0x10000000 | 0x40000000)  # CLONE_NEWUSER | CLONE_NEWNET
except (AttributeError, OSError):
    pass
library = os.path.dirname(os.__file__)
refused = ("socket.", "subprocess.", "os.", "shutil.", "ctypes.", "signal.", "pty.", "winreg.")
allowed = {"os.listdir", "os.scandir"}

def guard(event, arguments):
    if event.startswith(refused) and event not in allowed:
        raise PermissionError(event)
    if event == "import" and arguments[0] in ("ctypes", "_ctypes"):
        raise PermissionError(event)
    if event == "open":
        path, mode, flags = arguments
        reads = isinstance(path, str) and path.startswith(library)
        if not reads or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError(event)

for name in [name for name in sys.modules if "ctypes" in name]:
    del sys.modules[name]
report, out, token = os.write, told["report_to"], told["token"].encode()
sys.stdin = None
sys.addaudithook(guard)
names = {"__name__": "answer"}
try:
    exec(compile(told["code"], "answer", "exec"), names)
    exec(compile(told["tests"], "tests", "exec"), names)
    if told["call_tests"]:
        tests = [names[name] for name in list(names) if name.startswith("test_")]
        if not tests:
            raise AssertionError("no test")
        for test in tests:
            test()
except BaseException:
    report(out, b"failed")
else:
    report(out, token)
"""


def passes(code: str, tests: str, *, call_tests: bool = False) -> bool:
    """Say whether ``tests`` run through after ``code``, within the limits.

    With ``call_tests`` they are ``test_`` functions to call, of which there must be one.
    """
    token = secrets.token_hex(16)
    read, write = os.pipe()
    told = {
        "code": code,
        "tests": tests,
        "call_tests": call_tests,
        "token": token,
        "report_to": write,
    }
    try:
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", _DRIVER],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={},
                pass_fds=(write,),
                start_new_session=True,
                preexec_fn=_limit,
            )
            os.close(write)
            write = -1
            try:
                process.communicate(json.dumps(told).encode(), timeout=_WALL_SECONDS)
            except subprocess.TimeoutExpired:
                return False
            finally:
                _end(process)
            return os.read(read, 64) == token.encode()
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
