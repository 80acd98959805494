"""Whether requirements.lock belongs to pyproject.toml. Needs no network.

`make lock` lets this sign the lock: its first line becomes a digest of the requirements that it was
made from. `make lint` lets it check that signature, and that no lock names a host.
"""

import json
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

LOCK = Path("requirements.lock")
LOCKS = (LOCK, Path("requirements-uv.lock"))
SIGNATURE = "# for pyproject.toml "


def digest() -> str:
    """Return a digest of everything in pyproject.toml that decides what is locked."""
    asked = tomllib.loads(Path("pyproject.toml").read_text())
    parts = [
        asked["project"]["requires-python"],
        sorted(asked["project"]["dependencies"]),
        asked["dependency-groups"],
    ]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def sign() -> None:
    """Make the digest the first line of the lock."""
    lines = LOCK.read_text().splitlines(keepends=True)
    pins = [line for line in lines if not line.startswith(SIGNATURE)]
    LOCK.write_text("".join([f"{SIGNATURE}{digest()}\n", *pins]))


def faults() -> list[str]:
    """Return what is wrong with the locks, and what to do about it."""
    found = []
    if not LOCK.read_text().startswith(f"{SIGNATURE}{digest()}\n"):
        found.append(f"{LOCK} was not made from this pyproject.toml: run `make lock`")
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
