"""``fleet prices``: the price in force on a day, with its source, age and history."""

from datetime import date
from typing import TYPE_CHECKING, cast

import click

from fleet_pipeline.cli import options, output

if TYPE_CHECKING:
    from fleet_pipeline.org import Org
    from fleet_pipeline.pricing import PriceBook
    from fleet_pipeline.pricing.enquiry import Alias, Record
    from fleet_pipeline.settings import Settings


@click.command()
@click.argument("model", required=False)
@click.option("--at", type=options.DAY, help="The day of use, UTC [today].")
@click.option("--held", is_flag=True, help="What feeds said that was not believed, and why.")
@options.with_home
@options.as_json
def prices(
    settings: "Settings", model: str | None, at: date | None, held: bool, as_json: bool
) -> None:
    """Show what a model costs, in US dollars per million tokens.

    MODEL is a name of the organisation's, `<provider>/<model>`, or a model's id; without it every
    candidate is shown. Prices are those that feeds were seen to list (`fleet sweep` asks them);
    before the first sweep, those that come with the package. A price that nobody knows is n/a.
    Exit status: 0, or 2 for a model that nobody knows; the nearest names are told.
    """
    from fleet_pipeline.pricing import price_book
    from fleet_pipeline.pricing.enquiry import history, price_record, resolve

    day = at or options.now().date()
    org = settings.organisation() if settings.org_folder.is_dir() else None
    book = price_book(settings.home)
    if held:
        only = None if model is None else resolve(model, aliases(org), book, day)
        _held(book, day, only, as_json)
        return
    if model is None:
        _all(settings, org, book, day, as_json)
        return
    provider, listed = resolve(model, aliases(org), book, day)
    record = {
        **price_record(book.find(provider, listed, day), provider, listed, day),
        "history": history(book, provider, listed),
    }
    if as_json:
        output.document(record)
    else:
        output.result(_told(record))


def _held(book: "PriceBook", day: date, only: tuple[str, str] | None, as_json: bool) -> None:
    from fleet_pipeline.pricing.enquiry import questioned

    rows = [row for row in questioned(book, day) if only in (None, (row["provider"], row["model"]))]
    held = sum(not row["believed"] for row in rows)
    if as_json:
        output.document({"at": day, "held": held, "confirmed": len(rows) - held, "prices": rows})
    else:
        output.result(_questioned(rows, held, day))


def _questioned(rows: "list[Record]", held: int, day: date) -> str:
    from fleet_pipeline.reports.text_table import TextTable, plain

    said = f"until {day}: {held} held back, {len(rows) - held} confirmed and believed"
    if not rows:
        return said
    table = TextTable(
        ("first seen", "last seen", "model", "in", "out", "source", "remark"),
        [
            (
                str(row["first_seen"]),
                str(row["last_seen"]),
                f"{row['provider']}/{row['model']}",
                *(_usd(row[column]) for column in tuple(_CLASSES)[:2]),
                str(row["source"]),
                _remark(row),
            )
            for row in rows
        ],
        (False, False, False, True, True, False, False),
    )
    return "\n".join([said, "", *plain(table)])


def _all(
    settings: "Settings", org: "Org | None", book: "PriceBook", day: date, as_json: bool
) -> None:
    from fleet_pipeline.pricing.enquiry import price_record

    if org is None:
        settings.organisation()  # says where it was looked for
        return
    records = [
        {
            "id": candidate.id,
            **price_record(
                book.find(candidate.price_provider, candidate.price_model, day),
                candidate.price_provider,
                candidate.price_model,
                day,
            ),
        }
        for candidate in org.models
    ]
    if as_json:
        output.document({"at": day, "prices": records})
    else:
        output.result(_listed(records))


def aliases(org: "Org | None") -> "list[Alias]":
    """Return the names that an organisation gives to its candidates; none without one."""
    from fleet_pipeline.pricing.enquiry import Alias

    return [
        Alias(name, candidate.price_provider, candidate.price_model)
        for candidate in (org.models if org else ())
        for name in (candidate.id, candidate.name, *candidate.aliases)
    ]


def _told(record: "Record") -> str:
    """Return one model's price, its row in the price list, and the history as a table."""
    from fleet_pipeline.reports.text_table import TextTable, plain

    lines = [
        f"{record['provider']}/{record['model']} on {record['at']}, USD per million tokens",
        "",
        *(f"  {words:<15} {_usd(record[column])}" for column, words in _CLASSES.items()),
        *map(_hours, cast("list[Record]", record["by_hour"])),
        "",
        f"  {_row(record)}",
    ]
    rows = cast("list[Record]", record["history"])
    if rows:
        table = TextTable(
            ("since", "last listed", "in", "out", "cache read", "source", "remark"),
            [
                (
                    str(row["effective_from"] or "not dated"),
                    str(row["last_listed"] or ""),
                    *(_usd(row[column]) for column in tuple(_CLASSES)[:3]),
                    str(row["source"]),
                    _remark(row),
                )
                for row in rows
            ],
            (False, False, True, True, True, False, False),
        )
        lines += ["", *plain(table)]
    return "\n".join(lines)


def _listed(records: "list[Record]") -> str:
    from fleet_pipeline.reports.text_table import TextTable, plain

    table = TextTable(
        ("model", "in", "out", "cache read", "price list"),
        [
            (
                str(record["id"]),
                *(_usd(record[column]) for column in tuple(_CLASSES)[:3]),
                _row(record),
            )
            for record in records
        ],
        (False, True, True, True, False),
    )
    return "\n".join(plain(table))


_CLASSES = {
    "input_usd_per_mtok": "input",
    "output_usd_per_mtok": "output",
    "cache_read_usd_per_mtok": "cache read",
    "cache_write_5m_usd_per_mtok": "cache write 5m",
    "cache_write_1h_usd_per_mtok": "cache write 1h",
}


def _usd(price: object) -> str:
    return f"{price:.6f}".rstrip("0").rstrip(".") if isinstance(price, float) else "n/a"


def _hours(row: "Record") -> str:
    """Return in words what is asked at some hours."""
    days = cast("list[int] | None", row["weekdays"])
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    on = "" if days is None else f" on {', '.join(names[day - 1] for day in days)}"
    size = f", above {row['above_tokens']:,} input tokens" if row["above_tokens"] else ""
    asked = ", ".join(
        f"{words} {_usd(row[column])}" for column, words in _CLASSES.items() if column in row
    )
    return f"  {row['from']} to {row['up_to']} UTC{on}{size}: {asked}"


def _row(record: "Record") -> str:
    if record["source"] is None:
        return "no price list knows it on that day"
    since = f", in force since {record['effective_from']}" if record["effective_from"] else ""
    seen = f", last listed {record['seen_on']}" if record["seen_on"] else ""
    days = record["age_days"]
    age = f" ({days} {'day' if days == 1 else 'days'} before)" if days else ""
    return f"{record['source']}{since}{seen}{age}"


def _remark(row: "Record") -> str:
    if not row["believed"]:
        return f"held: {row['reason']}"
    return f"{row['reason']}, confirmed: {row['confirmed_by']}" if row["confirmed_by"] else ""
