"""What a look at a home, its organisation and its transcripts says: plain values, no judgement."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from fleet_pipeline.hosts import Host
from fleet_pipeline.ledger import Sources
from fleet_pipeline.transcripts.files import Client


@dataclass(frozen=True)
class HomeState:
    """The folder of the data; ``damaged`` are files of its lake that cannot be read.

    ``set_aside`` is evidence that could not be, and was given another name.
    """

    folder: Path
    exists: bool
    writable: bool
    damaged: list[str]
    set_aside: list[str]


@dataclass(frozen=True)
class Organisation:
    """The operator's files, or every mistake in them."""

    folder: Path
    exists: bool
    name: str | None
    agents: int
    mistakes: list[str]


@dataclass(frozen=True)
class Alerts:
    """How many channels ``fleet.yaml`` names, and why some of them could not be told from here."""

    channels: int
    faults: list[str]


@dataclass(frozen=True)
class Place:
    """A folder, or an address in S3, that is looked at.

    ``named`` by the command or the organisation, else usual; ``fault`` says why what lies in S3
    could not be looked at.
    """

    client: Client
    host: str
    folder: str
    named: bool
    exists: bool
    transcripts: int
    bytes: int
    fault: str | None = None


@dataclass(frozen=True)
class Transcripts:
    """All transcripts together; ``endangered`` are unread ones that Claude Code soon deletes.

    Folders that the command itself names may be an archive: none in them is endangered.
    """

    files: dict[str, int]
    bytes: int
    newest: datetime | None
    passed_over: dict[str, int]
    unread: int
    unread_bytes: int
    endangered: int


@dataclass(frozen=True)
class RegisterState:
    """What is remembered of the files that were read, and when it was last written."""

    state: Literal["missing", "damaged", "ok"]
    files: int
    written_at: datetime | None


@dataclass(frozen=True)
class Usage:
    """What the ledger holds of one client on one host; days are UTC."""

    client: str
    host: str
    requests: int
    first_day: date
    last_day: date
    output_final_share: float


@dataclass(frozen=True)
class Version:
    """A client's version in the ledger; not ``measured`` if newer than what was measured."""

    client: str
    version: str | None
    requests: int
    first_day: date
    last_day: date
    measured: bool


@dataclass(frozen=True)
class Unfamiliar:
    """A record type or a field of usage that this version does not know, and where it was seen.

    Of fields only one line is looked at for each transcript and client version.
    """

    client: str
    kind: str
    name: str
    transcripts: int
    lines: int


@dataclass(frozen=True)
class Prices:
    """Models without a known price: those that Claude answered with, and the page's candidates."""

    unpriced_models: list[str]
    unpriced_candidates: list[str]


@dataclass(frozen=True)
class Diagnosis:
    """All that was found; ``published`` is the date of the newest page."""

    now: datetime
    home: HomeState
    organisation: Organisation
    alerts: Alerts
    places: list[Place]
    transcripts: Transcripts
    register: RegisterState
    usage: list[Usage]
    hosts: list[Host]
    sources: Sources | None
    versions: list[Version]
    unfamiliar: list[Unfamiliar]
    prices: Prices
    published: str | None
    latest_close: date
