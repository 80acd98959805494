"""Running a model's Python code: in the fence of packets, and with less of Python than there is.

Belongs here: what code may not do beyond the fence. An audit hook refuses network, processes, files
outside of the standard library, and the ways to the frames that hold the word for "passed". This
keeps careless code in; only pass or fail ever comes out. What it does not stop: docs/ranking.md.
"""

import json
import secrets
import sys
from typing import Final

from fleet_pipeline.packets import sandbox

_FENCE: Final = sandbox.Fence(
    cpu_seconds=4,
    memory_bytes=512 << 20,
    file_bytes=1 << 20,
    open_files=64,
    starts_processes=False,
)

_DRIVER: Final = r"""
import io, json, os, sys

def judge():
    told = json.loads(sys.stdin.read())
    write, passed, leave = os.write, told.pop("passed").encode(), os._exit
    library = os.path.dirname(os.__file__) + os.sep
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    # The answer may put others in the places of all these names.
    run, names_of, kind_of, text, refuse = exec, list, type, str, io.UnsupportedOperation
    refused = (
        "socket.", "subprocess.", "os.", "pty.", "shutil.", "signal.", "ctypes.", "mmap.", "fcntl.",
        "sqlite3.", "sys._current_frames", "sys.setprofile", "sys.settrace", "gc.get_",
    )
    modules = {  # that reach files, processes or memory without an event to refuse
        "ctypes", "_ctypes", "_posixsubprocess", "_dbm", "_gdbm", "readline", "_testcapi",
    }
    frames = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}

    def guard(event, arguments):
        if event in ("os.listdir", "os.scandir") or event == "open":
            path = arguments[0]
            inside = kind_of(path) is text and path.startswith(library) and ".." not in path
            wrong = not inside or (event == "open" and arguments[2] & writing)
        elif event == "sys._getframe":  # its neighbour sys._getframemodulename tells only a name
            wrong = True
        elif event == "import":
            wrong = arguments[0] in modules
        elif event == "object.__getattr__":
            wrong = arguments[1] in frames
        else:
            wrong = event.startswith(refused)
        if wrong:
            # Of the two kinds of errors that the standard library takes in its stride.
            raise refuse(event)

    sys.stdin, sys.stdout, sys.stderr = None, io.StringIO(), io.StringIO()
    sys.addaudithook(guard)
    names = {"__name__": "answer"}
    answer, tests = (compile(told[part], part, "exec") for part in ("code", "tests"))
    run(answer, names)
    run(tests, names)
    if told["call_tests"]:
        called = [names[name] for name in names_of(names) if name.startswith("test_")]
        assert called, "no test"
        for test in called:
            test()
    write(1, passed)
    leave(0)

for name in [name for name in sys.modules if "posixsubprocess" in name or "ctypes" in name]:
    del sys.modules[name]
judge()
"""


def passes(code: str, tests: str, *, call_tests: bool = False) -> bool:
    """Say whether ``tests`` run through after ``code``, within the limits.

    With ``call_tests`` they are ``test_`` functions to call, of which there must be one.
    """
    passed = secrets.token_hex(16)
    told = {"code": code, "tests": tests, "call_tests": call_tests, "passed": passed}
    driver = [sys.executable, "-ISBc", _DRIVER]
    return sandbox.run(driver, json.dumps(told).encode(), fence=_FENCE).output == passed
