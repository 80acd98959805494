"""R20: stores of every released version open, or are refused with a message; never guessed at."""

import json
import tarfile
from pathlib import Path

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger import recount
from fleet_pipeline.settings import settings
from fleet_pipeline.store_format import FORMAT, bring_up_to_date, require_known_format

from ..ledger.machine import Machine

STORES = sorted((Path(__file__).parent / "stores").glob("*.tar.gz"))


def opened(archive: Path, folder: Path) -> tuple[Machine, dict[str, tuple[int, ...]]]:
    """Return the machine whose home is that golden store, and what was billed on it."""
    with tarfile.open(archive) as files:
        # The argument is younger than Python 3.11.0; this is passed over where it is not known.
        files.extraction_filter = getattr(tarfile, "data_filter", None)
        files.extractall(folder)
    billed = json.loads((folder / "billed.json").read_text())
    return Machine(folder), {key: tuple(tokens) for key, tokens in billed.items()}


def test_there_is_a_golden_store_of_the_first_release():
    assert [path.name for path in STORES][:1] == ["0.1.0.tar.gz"]


@pytest.mark.parametrize("archive", STORES, ids=lambda path: path.name)
def test_a_store_of_each_release_opens_without_its_transcripts(archive, tmp_path):
    machine, billed = opened(archive, tmp_path)
    assert machine.billed() == billed
    machine.ingest(full=True)
    recount(machine.home, everything=True)
    assert machine.billed() == billed
    assert len(billed) > 10
    assert require_known_format(machine.home) == FORMAT


@pytest.mark.parametrize("archive", STORES, ids=lambda path: path.name)
def test_a_store_from_before_there_were_formats_is_taken_over_and_marked(archive, tmp_path):
    machine, billed = opened(archive, tmp_path)
    (machine.home.root / "format.json").unlink()
    assert require_known_format(machine.home) == 0
    machine.ingest()
    assert require_known_format(machine.home) == FORMAT
    assert machine.billed() == billed


def test_a_new_home_is_marked_with_the_present_format(tmp_path):
    home = Home(tmp_path)
    home.prepare()
    bring_up_to_date(home)
    marked = json.loads((tmp_path / "format.json").read_text())
    assert marked["format"] == FORMAT
    before = (tmp_path / "format.json").stat().st_mtime_ns
    bring_up_to_date(home)
    assert (tmp_path / "format.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("number", [FORMAT + 1, 10**6, 0, -1])
def test_a_store_of_a_format_that_is_not_known_is_refused_to_writers_and_readers(tmp_path, number):
    machine = Machine(tmp_path)
    machine.ingest()
    marker = machine.home.root / "format.json"
    marker.write_text(json.dumps({"format": number, "written_by": "9.9.9"}))
    with pytest.raises(ConfigurationError, match=r"written by fleet 9\.9\.9.*update it"):
        machine.ingest()
    with pytest.raises(ConfigurationError, match=r"written by fleet 9\.9\.9"):
        settings(str(machine.home.root))
    assert json.loads(marker.read_text())["format"] == number


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": "1"}', b"\xff"])
def test_a_damaged_marker_is_refused_by_name(tmp_path, damage):
    machine = Machine(tmp_path)
    machine.ingest()
    (machine.home.root / "format.json").write_bytes(damage)
    with pytest.raises(ConfigurationError, match=r"format\.json is damaged.*backup"):
        machine.ingest()


def test_a_folder_that_is_no_store_of_ours_is_not_taken_over(tmp_path):
    home = Home(tmp_path)
    (home.lake / "somebody-elses").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="somebody-elses"):
        bring_up_to_date(home)
    assert not (tmp_path / "format.json").exists()
