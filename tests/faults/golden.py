"""Makes the golden store of a release: what that version leaves of a small, fixed machine.

    python tests/faults/golden.py     writes tests/faults/stores/<version>.tar.gz

Done once for each release, by that release; no golden store is ever made again.
"""

import io
import json
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORES = Path(__file__).parent / "stores"


def main() -> None:
    """Ingest the machine of the write faults, and keep its home with the totals beside it."""
    sys.path.insert(0, str(ROOT))
    from tests.ledger.machine import Machine
    from tests.ledger.test_write_faults import story

    target = STORES / f"{version('fleet-pipeline')}.tar.gz"
    if target.exists():
        sys.exit(f"{target} is there: what a release wrote is never made again")
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        story(machine, 3)
        machine.ingest_if_anything_is_new()
        expected = json.dumps(machine.billed(), sort_keys=True).encode()
        with tarfile.open(target, "w:gz") as archive:
            archive.add(machine.home.root, "home")
            entry = tarfile.TarInfo("billed.json")
            entry.size = len(expected)
            archive.addfile(entry, io.BytesIO(expected))
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
