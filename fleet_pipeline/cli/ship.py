"""``fleet ship``: this host's transcripts, or its evidence alone, to where a home reads them."""

import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output, progress
from fleet_pipeline.cli.failures import REFUSED

if TYPE_CHECKING:
    from fleet_pipeline.s3 import Address
    from fleet_pipeline.settings import Settings
    from fleet_pipeline.shipping import Item, Shipment


@click.command()
@options.with_settings
@click.option("--to", required=True, metavar="s3://BUCKET/PREFIX", help="Where all hosts send to.")
@click.option("--host", metavar="NAME", help="What to call this machine [its host name].")
@click.option(
    "--ledger-only",
    is_flag=True,
    help="Send what the ledger is counted from, and no transcript: numbers, ids, folder names.",
)
@click.option("--endpoint-url", metavar="URL", help="The store, if it is not AWS.")
@click.option("--region", metavar="NAME", help="The region of the store.")
@options.as_json
def ship(
    settings: "Settings",
    to: str,
    host: str | None,
    ledger_only: bool,
    endpoint_url: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Send what is new on this machine to S3, under its name.

    Credentials come from the environment or the AWS configuration. Exit status: 0 all is there,
    1 something could not be sent, 2 bad usage or configuration, 3 the home is in use.
    """
    host = _host(host)
    address = _address(to, endpoint_url, region).inside(host)
    settings.home.prepare()
    items, passed_over = _items(settings, host, ledger_only)
    shipment, is_first = _ship(settings, items, address)
    is_complete = not (shipment.passed_over or shipment.failure)
    for reason, count in passed_over.items():
        shipment.passed_over[reason] = shipment.passed_over.get(reason, 0) + count
    _tell(shipment, address)
    if is_first:
        output.note(_listing(host, address))
    if as_json:
        output.document({"host": host, "address": str(address), **asdict(shipment)})
    if not is_complete:
        sys.exit(REFUSED)


def _host(name: str | None) -> str:
    from socket import gethostname

    from pydantic import TypeAdapter, ValidationError

    from fleet_pipeline.home import DEMO_HOST
    from fleet_pipeline.org.places import FolderName

    chosen = name or gethostname().partition(".")[0]
    with suppress(ValidationError):
        if chosen != DEMO_HOST:
            return TypeAdapter[str](FolderName).validate_python(chosen)
    raise click.BadParameter(f"{chosen} cannot name a host", param_hint="--host")


def _address(to: str, endpoint_url: str | None, region: str | None) -> "Address":
    from fleet_pipeline.s3 import Address, checked_endpoint

    try:
        checked = checked_endpoint(endpoint_url) if endpoint_url else None
    except ValueError as error:
        raise click.BadParameter(f"it {error}", param_hint="--endpoint-url") from None
    try:
        return Address.of(to, checked, region)
    except ValueError as error:
        raise click.BadParameter(f"it {error}", param_hint="--to") from None


def _items(
    settings: "Settings", host: str, ledger_only: bool
) -> tuple[list["Item"], dict[str, int]]:
    from fleet_pipeline import ledger
    from fleet_pipeline.shipping import evidence_items, transcript_items
    from fleet_pipeline.transcripts.discover import find

    places = settings.places_of(host)
    if ledger_only:
        found = find(places)
        with progress.shown("reading transcripts", found.bytes) as advance:
            report = ledger.ingest(settings.home, [places], found=[found], progress=advance)
        return evidence_items(settings.home, places.host), report.passed_over
    items, found = transcript_items(places, Path.home())
    return items, found.passed_over


def _ship(settings: "Settings", items: list["Item"], address: "Address") -> tuple["Shipment", bool]:
    from fleet_pipeline import shipping
    from fleet_pipeline.s3.bucket import Bucket

    register = shipping.SentRegister.of(settings.home, address)
    is_first = register.is_empty
    with progress.shown("sending", len(items)) as advance:
        return shipping.ship(items, Bucket(address), register, advance), is_first


def _tell(shipment: "Shipment", address: "Address") -> None:
    passed_over = "".join(f", {n:,} {reason}" for reason, n in sorted(shipment.passed_over.items()))
    output.note(
        f"shipped to {address}: {shipment.files:,} files, {shipment.files_sent:,} sent"
        f" ({shipment.bytes_sent / 1e6:,.1f} MB){passed_over}"
    )
    if not shipment.files:
        output.note("nothing was found to send: `fleet doctor` tells where was looked")
    if shipment.failure:
        output.note(f"WARNING: {shipment.failure}; what is missing is sent the next time")


def _listing(host: str, address: "Address") -> str:
    lines = [f"  - host: {host}", f"    s3: {address}"]
    if address.endpoint_url:
        lines.append(f"    endpoint_url: {address.endpoint_url}")
    if address.region:
        lines.append(f"    region: {address.region}")
    return "\n".join(["In fleet.yaml of the home that reads it, under sources:", *lines])
