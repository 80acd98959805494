"""Whether the locks are what `make lock` made of pyproject.toml. Needs no network.

`make lock` lets this sign them: the first line of requirements.lock becomes a digest of the
requirements that it was made from, and one of all that is locked. `make lint` lets it check that
signature, and that no lock names a host.
"""

import json
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

LOCK = Path("requirements.lock")
LOCKS = (LOCK, Path("requirements-uv.lock"))
SIGNATURE = "# for pyproject.toml "


def asked() -> str:
    """Return a digest of everything in pyproject.toml that decides what is locked."""
    project = tomllib.loads(Path("pyproject.toml").read_text())
    parts = [
        project["project"]["requires-python"],
        sorted(project["project"]["dependencies"]),
        project["dependency-groups"],
    ]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def locked() -> str:
    """Return a digest of every line of the locks but the signature."""
    lines = [line for lock in LOCKS for line in (f"{lock}\n", *unsigned(lock))]
    return sha256("".join(lines).encode()).hexdigest()


def unsigned(lock: Path) -> list[str]:
    """Return the lines of a lock but the signature, each with its end."""
    lines = lock.read_text().splitlines(keepends=True)
    return [line for line in lines if not line.startswith(SIGNATURE)]


def signature() -> str:
    """Return what the first line of the lock has to be, without its end."""
    return f"{SIGNATURE}{asked()}, locks {locked()}"


def sign() -> None:
    """Make the signature the first line of the lock."""
    LOCK.write_text("".join([f"{signature()}\n", *unsigned(LOCK)]))


def faults() -> list[str]:
    """Return what is wrong with the locks, and what to do about it."""
    found = []
    first, _, _ = LOCK.read_text().partition("\n")
    if not first.startswith(f"{SIGNATURE}{asked()},"):
        found.append(f"{LOCK} was not made from this pyproject.toml: run `make lock`")
    elif first != signature():
        names = " or ".join(map(str, LOCKS))
        found.append(f"{names} was changed since `make lock` made it: run `make lock` again")
    for lock in LOCKS:
        for number, line in enumerate(lock.read_text().splitlines(), start=1):
            if "://" in line:
                found.append(f"{lock}:{number} names a host: take the address out")
    return found


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sign"]:
            sign()
        case ["check"]:
            sys.exit("\n".join(faults()) or None)
        case _:
            sys.exit("usage: lock.py sign | check")
