"""What reading costs before anything is made of it: lines found, those that may matter decoded.

    python benchmarks/floor.py DIR

The least that an exact reader in pure Python takes, in one process: nothing is counted, nothing is
kept. `bench` shows it beside a whole ingestion.
"""

import gc
import sys
from pathlib import Path

from fleet_pipeline.transcripts.claude_lines import decode_line, lines_to_decode
from fleet_pipeline.transcripts.lines import Lines, PlainBytes


def read(folder: Path) -> None:
    """Decode what may speak of requests in every transcript under ``folder``."""
    scan = lines_to_decode(notes=False)
    for path in folder.rglob("*.jsonl"):
        with path.open("rb", buffering=0) as file:
            for _, line in Lines(PlainBytes(file.fileno(), 0, path.stat().st_size), scan=scan):
                decode_line(line)


if __name__ == "__main__":
    gc.disable()
    read(Path(sys.argv[1]))
