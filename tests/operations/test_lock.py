"""What `make lint` notices of the locks: nobody may change them but `make lock`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LOCK, OF_UV, ASKED = "requirements.lock", "requirements-uv.lock", "pyproject.toml"


@pytest.fixture(autouse=True)
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder with copies of what is asked for and what is locked."""
    for name in (LOCK, OF_UV, ASKED):
        shutil.copy(CHECKOUT / name, tmp_path)
    monkeypatch.chdir(tmp_path)


def lock(command: str) -> tuple[int, str]:
    """Return the exit status of a command of .ci/lock.py, and what it says is wrong."""
    script = str(CHECKOUT / ".ci" / "lock.py")
    done = subprocess.run(
        [sys.executable, script, command], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def edit(name: str, change: Callable[[str], str]) -> None:
    path = Path(name)
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def test_what_make_lock_made_passes() -> None:
    assert lock("check") == (0, "")


def another_version(text: str) -> str:
    return re.sub(r"(?<=^polars==)\S+", "0.0.1", text, count=1, flags=re.MULTILINE)


def without_a_hash(text: str) -> str:
    return re.sub(r" \\\n    --hash=\S+", "", text, count=1)


def without_its_last_package(text: str) -> str:
    return text[: text.rindex("\n", 0, text.rindex("==")) + 1]


@pytest.mark.parametrize("change", [another_version, without_a_hash, without_its_last_package])
def test_a_lock_that_was_edited_is_noticed_until_it_is_made_again(
    change: Callable[[str], str],
) -> None:
    edit(LOCK, change)
    status, said = lock("check")
    assert status == 1
    assert "was changed since `make lock` made it" in said
    assert lock("sign") == lock("check") == (0, "")


def test_so_is_the_lock_of_what_installs_the_lock() -> None:
    edit(OF_UV, without_a_hash)
    status, said = lock("check")
    assert (status, OF_UV in said) == (1, True)


def test_a_lock_of_other_requirements_is_noticed() -> None:
    edit(ASKED, lambda text: text.replace('"polars', '"polars-other', 1))
    status, said = lock("check")
    assert status == 1
    assert said == f"{LOCK} was not made from this pyproject.toml: run `make lock`\n"


@pytest.mark.parametrize("name", [LOCK, OF_UV])
def test_no_lock_may_name_a_host(name: str) -> None:
    edit(name, lambda text: f"{text}--index-url https://example.org/simple\n")
    lock("sign")
    status, said = lock("check")
    assert status == 1
    assert re.fullmatch(rf"{name}:\d+ names a host: take the address out\n", said)
