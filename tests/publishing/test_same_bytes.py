"""The same inputs give the same bytes: under any hash seed, time zone, locale and threads.

Each run is a process of its own with a home of its own, from transcripts to the published site.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_pipeline.demo import write_demo

from .ready import CLOSE, ORG

pytestmark = pytest.mark.slow  # each run publishes a week

RUN = """
import sys
from pathlib import Path
from tests.publishing.ready import CLOSE, weekly_tables
from fleet_pipeline import ledger, org
from fleet_pipeline.home import Home
from fleet_pipeline.publishing.week import publish_week
from fleet_pipeline.settings import Settings

demo, home, folder = map(Path, sys.argv[1:])
settings = Settings(Home(home), folder, (demo / ".claude",), (demo / ".codex",))
settings.home.prepare()
ledger.ingest(settings.home, settings.sources())
ledger.recount(settings.home)
fleet = settings.organisation()
for _ in range(2):
    publish_week(settings.home, fleet, CLOSE, weekly_tables(settings.home, fleet, CLOSE))
"""
PLAIN = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "POLARS_MAX_THREADS": "1"}
SURROUNDINGS = [
    *({"PYTHONHASHSEED": str(seed)} for seed in (1, 2, 3, 17, 42, 1_000, 4_294_967_295)),
    *({"TZ": zone} for zone in ("Pacific/Kiritimati", "America/St_Johns")),
    {"LC_ALL": "C"},
    *({"POLARS_MAX_THREADS": str(threads), "FLEET_TEST_THREADS": str(threads)}
      for threads in (2, 4)),
]  # fmt: skip
"""With the plain one: eight seeds, three time zones, two locales, one, two and four threads."""
DUCKDB_THREADS = """
import duckdb, os
_connect = duckdb.connect
def connect(*arguments, **options):
    made = _connect(*arguments, **options)
    made.sql(f"set threads = {os.environ.get('FLEET_TEST_THREADS', '1')}")
    return made
duckdb.connect = connect
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    write_demo(folder, as_of=CLOSE, requests=120)
    return folder


def published(demo: Path, home: Path, **surroundings: str) -> dict[str, str]:
    """Return the sum of every published file, as a process in these surroundings makes them."""
    root, org = Path(__file__).parents[2], home.parent / "org"
    shutil.copytree(ORG, org, ignore=shutil.ignore_patterns("shared"))
    ran = subprocess.run(
        [sys.executable, "-c", DUCKDB_THREADS + RUN, demo, home, org],
        cwd=root, capture_output=True, text=True, check=False,
        env=os.environ | PLAIN | {"PYTHONPATH": str(root)} | surroundings,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return {
        path.relative_to(home / "site").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (home / "site").rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def plain(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return published(demo, tmp_path_factory.mktemp("plain") / "home")


@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=lambda each: str(each))
def test_every_published_byte_is_the_same_in_other_surroundings(
    surroundings: dict[str, str], demo: Path, plain: dict[str, str], tmp_path: Path
) -> None:
    assert len(plain) > 80
    assert published(demo, tmp_path / "home", **surroundings) == plain
