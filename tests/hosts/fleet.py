"""A home that reads hosts from a bucket, and what is put there by hand or by shipping."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import Report, ingest, quota, recount, sources, usage
from fleet_pipeline.s3 import Address
from fleet_pipeline.s3.bucket import Bucket
from fleet_pipeline.shipping import (
    SentRegister,
    Shipment,
    evidence_items,
    ship,
    transcript_items,
)
from fleet_pipeline.transcripts.discover import Places

from ..ledger.machine import CLASSES, Machine
from .stores import Store


class Fleet:
    """The home of a fleet whose hosts lie under ``logs/`` in one bucket."""

    def __init__(self, root: Path, store: Store) -> None:
        self.store = store
        self.home = Home(root / "fleet")

    def address(self, host: str) -> Address:
        return Address(self.store.bucket, f"logs/{host}/", endpoint_url=self.store.proxy.url)

    def places(self, host: str) -> Places:
        return Places(host=host, s3=self.address(host), expected=True)

    def put(self, host: str, name: str, data: bytes, *, at: datetime | None = None) -> None:
        """Put an object there as some tool other than ours would."""
        metadata = {"mtime": f"{at.timestamp():.6f}"} if at else {}
        self.store.put(f"logs/{host}/{name}", data, **metadata)

    def ingest(self, *hosts: str, full: bool = False, also: Sequence[Places] = ()) -> Report:
        report = ingest(self.home, [*map(self.places, hosts), *also], full=full)
        recount(self.home)
        return report

    def rows(self) -> pl.DataFrame:
        return usage(self.home)

    def billed(self) -> dict[str, tuple[int, ...]]:
        found = {
            key: tuple(rest) for key, *rest in self.rows().select("message_id", *CLASSES).rows()
        }
        assert len(found) == self.rows().height, "a request has two rows"
        return found

    def seen(self) -> tuple[object, ...]:
        """Return all that is told of the transcripts, but for which host brought them."""
        held = {name: value for name, value in sources(self.home).items() if name != "hosts"}
        return self.rows().drop("host").rows(), quota(self.home).drop("host").rows(), held

    def forgets(self) -> None:
        """Lose the register."""
        (self.home.lake / "register.parquet").unlink()

    def receive(self, machine: Machine, host: str | None = None) -> Shipment:
        """Let a host send its transcripts."""
        [places] = [each for each in machine.places() if host in (None, each.host)]
        items, _ = transcript_items(places, machine.root / places.host)
        return self._ship(machine, places.host, items)

    def receive_evidence(self, machine: Machine) -> Shipment:
        """Let a host that reads its own transcripts send what it made of them."""
        return self._ship(machine, machine.hosts[0], evidence_items(machine.home, machine.hosts[0]))

    def _ship(self, machine: Machine, host: str, items: list) -> Shipment:
        address = self.address(host)
        return ship(items, Bucket(address), SentRegister.of(machine.home, address))
