"""``fleet explain``: where a figure of a published page comes from."""

from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output

if TYPE_CHECKING:
    from fleet_pipeline.publishing.explanation import Explanation, Table
    from fleet_pipeline.settings import Settings


@click.command()
@click.argument("figure", metavar="ID")
@options.as_of
@options.with_home
@options.as_json
def explain(settings: "Settings", figure: str, as_of: str | None, as_json: bool) -> None:
    """Show what a figure of the page is made of, and compute it again.

    ID is the figure's address in page.json, for example usage.claude.requests; on the page it
    stands in the attribute data-fig. Only the files of the published week are read, that of
    site/latest without --as-of. Exit status: 0; 1 where the published tables say something else; 2
    for a figure that the page does not have: the nearest ones are told.
    """
    from fleet_pipeline.publishing.explanation import explain as explained

    week = f"weeks/{options.close_of(as_of)}" if as_of else "latest"
    found = explained(settings.home.site / week, figure)
    if as_json:
        output.document(found.record())
    else:
        output.result("\n".join(_told(found)))
    if not found.agrees:
        click.get_current_context().exit(1)


def _told(found: "Explanation") -> list[str]:
    from fleet_pipeline.reports.text_table import TextTable, plain

    lines = [f"{found.id} = {_shown(found.value)}   (week that closed on {found.as_of})", ""]
    if found.how:
        lines += [found.how, ""]
    lines += [found.statement, ""]
    lines.append(
        "The published tables give the same."
        if found.agrees
        else f"The published tables give {_shown(found.recomputed)}: one of the two is wrong."
    )
    for table in found.tables:
        lines += ["", *_of_table(table)]
    shown = f", the first {len(found.rows)}" if len(found.rows) < found.row_count else ""
    lines += ["", f"Rows behind it: {found.row_count:,}{shown}"]
    if found.rows:
        names = tuple(found.rows[0])
        rows = [tuple(_shown(row[name]) for name in names) for row in found.rows]
        lines += ["", *plain(TextTable(names, rows, tuple(False for _ in names)))]
    return lines


def _of_table(table: "Table") -> list[str]:
    lines = [f"tables/{table.table}.parquet  {table.sha256}"]
    if not table.is_as_published:
        lines.append("  it was changed since: its sum is another")
    lines += [
        f"  made by {made.get('sql') or made['function']}  {made['sha256']}"
        for made in table.made_by
    ]
    for of in table.of:
        told = ", ".join(f"{name} {value}" for name, value in of.items() if name != "input")
        lines.append(f"  of {of['input']}: {told}")
    if table.sql:
        lines += ["", *(f"    {line}" for line in table.sql.rstrip().splitlines())]
    return lines


def _shown(value: object) -> str:
    from fleet_pipeline.publishing.escaping import printable

    return "unknown" if value is None else printable(str(value))
