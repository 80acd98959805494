"""The demo fleet as a stand-in: what a home shows while its machine has no transcripts.

It lives in the home, under a host of its own, so that the first real request replaces it.
"""

import shutil
from collections.abc import Callable
from datetime import date
from typing import Final

from fleet_pipeline.demo import write_demo
from fleet_pipeline.home import DEMO_HOST, Home

_AS_OF: Final = "as_of"


def stand_in(home: Home, as_of: date, progress: Callable[[int], None] | None = None) -> None:
    """Make the demo fleet for the week that closes at ``as_of``, unless it is there already.

    One made for another week goes, with all that was read of it: nobody's work is lost.
    """
    folder = home.demo
    made_for = folder / _AS_OF
    if made_for.is_file() and made_for.read_text() == as_of.isoformat():
        return
    if folder.exists():
        shutil.rmtree(folder)
    for place in (*home.lake.rglob(f"host={DEMO_HOST}"), *home.lake.rglob(f"host={DEMO_HOST}.*")):
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    (home.quarantine / f"host={DEMO_HOST}.parquet").unlink(missing_ok=True)
    write_demo(folder, as_of=as_of, progress=progress)
    made_for.write_text(as_of.isoformat())
