"""``fleet whatif``: another policy on the same month, beside today's."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.amounts import SHARE
from fleet_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from fleet_pipeline.costing import Policy
    from fleet_pipeline.org import Org
    from fleet_pipeline.settings import Settings


@click.command()
@click.option("--policy", type=click.Path(), metavar="FILE", help="Another offload.yaml [today's].")
@click.option("--model", metavar="ID", help="Look at this candidate alone.")
@click.option("--share", type=SHARE, help="Move this share instead.")
@options.as_of
@click.option("--out", type=click.Path(), metavar="FILE", help="Where to write the comparison.")
@options.with_home
@options.as_json
def whatif(
    settings: "Settings",
    policy: str | None,
    model: str | None,
    share: Decimal | None,
    as_of: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Replay the week's 30 days under another policy, beside today's.

    What is printed is also written, as JSON, into the home or to --out. Costs are per month where
    14 days are covered. Exit status: 0, or 2 for bad usage or configuration.
    """
    if policy is None and model is None and share is None:
        raise click.UsageError("say what is different: --policy FILE, --model ID or --share F")
    from fleet_pipeline import ledger, usage, worktypes
    from fleet_pipeline.costing import compared
    from fleet_pipeline.home import write_whole
    from fleet_pipeline.org import with_offload
    from fleet_pipeline.pricing import price_book
    from fleet_pipeline.weeks import window

    org = settings.organisation()
    called = org.model_called(model) if model else None
    wanted = called.id if called else model
    other = with_offload(org, Path(policy)) if policy else org
    today = _policy(org).narrowed(model=wanted)
    instead = _policy(other).narrowed(model=wanted, share=None if share is None else float(share))
    close = options.close_of(as_of)
    days = window(close)
    requests = usage.requests(ledger.usage(settings.home, days), org, days)
    if "claude" not in requests["client"]:
        raise ConfigurationError(
            f"{settings.home.root}: the ledger holds no request of Claude from {days[0]} to"
            f" {days[1]}, so nothing can be replayed; `fleet ingest` fills it, --as-of names"
            " another week"
        )
    marked = worktypes.marked(requests, worktypes.turns(requests, org))
    table = compared(
        marked,
        today,
        instead,
        window_start=days[0],
        window_end=days[1],
        book=price_book(settings.home, close),
    )
    document = _document(table, close, today, instead)
    if out is None:
        settings.home.prepare()
    written = Path(out) if out else settings.home.root / "whatif" / f"{close}.json"
    write_whole(written, output.as_bytes(document))
    if as_json:
        output.document(document)
    else:
        output.result("\n".join(_lines(document)))
    output.note(f"written: {written}")


def _policy(org: "Org") -> "Policy":
    from fleet_pipeline.costing import policy_of

    policy = policy_of(org)
    if policy is None:
        raise ConfigurationError(
            f"{org.folder / 'offload.yaml'}: replay: is missing; nothing says what to assume."
            " `fleet init` writes an example"
        )
    return policy


def _document(
    table: "pl.DataFrame", close: date, today: "Policy", instead: "Policy"
) -> dict[str, Any]:
    rows = table.drop("window_start", "window_end", "basis", "share", "draws", "seed").to_dicts()
    first = table.row(0, named=True)
    return {
        "as_of": close,
        "window": {"start": first["window_start"], "end": first["window_end"]},
        "basis": first["basis"],
        "share": {"today": today.share, "instead": instead.share},
        "stays_on": {"today": today.stays_on[1], "instead": instead.stays_on[1]},
        "rows": rows,
    }


def _lines(document: dict[str, Any]) -> list[str]:
    from fleet_pipeline.reports.text_table import TextTable, plain

    shares = document["share"]
    unit = "a month" if document["basis"] == "month" else "for the covered days"
    rows = [
        (
            row["model"],
            row["name"],
            row["policy"],
            f"{row['moved_requests']:,}",
            _dollars(row["cost_usd_micros"]),
            _range(row["cost_low_usd_micros"], row["cost_high_usd_micros"]),
            _dollars(row["saving_usd_micros"]),
            _dollars(row["change_saving_usd_micros"]),
        )
        for row in sorted(
            document["rows"], key=lambda row: (_place(document, row), row["policy"] == "instead")
        )
    ]
    titles = ("Candidate", "Case", "Policy", "Moved", "Cost", "95% of samples", "Saved", "Change")
    return [
        f"Share of each agent's input: {shares['today']:.2%} today, {shares['instead']:.2%}"
        f" instead. US dollars {unit}, {document['window']['start']} to"
        f" {document['window']['end']}.",
        f"Saved: the same requests on {document['stays_on']['instead']} with its cache, at list"
        " price, less the cost.",
        "",
        *plain(TextTable(titles, rows, (False, False, False, *[True] * 5))),
    ]


def _place(document: dict[str, Any], row: dict[str, Any]) -> int:
    """Return where a candidate's case first stands, so that both policies stand together."""
    pairs = [(other["model"], other["name"]) for other in document["rows"]]
    return pairs.index((row["model"], row["name"]))


def _range(low: int | None, high: int | None) -> str:
    return "n/a" if low is None else f"{_dollars(low)} to {_dollars(high)}"


def _dollars(micros: int | None) -> str:
    if micros is None:
        return "n/a"
    return f"{'-' if micros < 0 else ''}${abs(Decimal(micros)) / 10**6:,.0f}"
