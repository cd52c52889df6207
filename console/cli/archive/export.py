"""`sluicegate archive export`: the archive in a shape that other programs know, as one file."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.archive import open_archive
from console.cli.context import AsJson, settings_of, tell
from console.plain import counted
from console.reads.recording import RecordedCommand, count_rows
from enforcers.errors import SettingsError

if TYPE_CHECKING:
    from analytics.exports import Export, Wish


class Shape(StrEnum):
    """What the rows are."""

    OCSF = "ocsf"
    ECS = "ecs"
    CLOUDEVENTS = "cloudevents"
    RECORDS = "records"


class Format(StrEnum):
    """What the file is."""

    NDJSON = "ndjson"
    PARQUET = "parquet"
    CSV = "csv"


As = Annotated[Shape, typer.Option("--as", help="what the rows are")]
In = Annotated[Format, typer.Option("--format", help="what the file is")]
Out = Annotated[Path | None, typer.Option(help="the file to write")]
From = Annotated[
    str, typer.Option("--from", help="2026-01-02, a moment in UTC, or a duration before now")
]
To = Annotated[str, typer.Option("--to", help="as --from; not included")]
Force = Annotated[bool, typer.Option("--force", help="replace a file that exists")]
Raw = Annotated[bool, typer.Option("--raw", help="leave cells that a spreadsheet would run")]
Views = Annotated[bool, typer.Option("--views", help="print the views as SQL, for plain DuckDB")]
Archive = Annotated[Path | None, typer.Option(help="directory, instead of the configured")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", cls=RecordedCommand)(export)


def export(
    context: typer.Context,
    shape: As = Shape.RECORDS,
    form: In = Format.NDJSON,
    out: Out = None,
    since: From = "",
    until: To = "",
    force: Force = False,
    raw: Raw = False,
    views: Views = False,
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Write what the archive holds as OCSF, ECS, CloudEvents or plain records."""
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics.exports import export as write
    from analytics.exports import views_sql

    if views:
        typer.echo(views_sql())
        return
    if out is None:
        raise SettingsError("nowhere to write to; name a file with --out")
    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        made = write(connection, _wish(shape, form, since, until, raw=raw), out, replace=force)
    count_rows(context, made.rows)
    body = {"path": str(made.path), "rows": made.rows, "bytes": made.bytes}
    tell(body, _told(made), as_json)


def _wish(shape: Shape, form: Format, since: str, until: str, *, raw: bool) -> Wish:
    """Raises ContractError where a time is none, or the period has no time in it."""
    from analytics.exports import Wish
    from console.auditing.periods import moment_before
    from enforcers.contract.base import utc_now
    from enforcers.errors import ContractError

    now = utc_now()
    begin = moment_before(since, now) if since else None
    end = moment_before(until, now) if until else None
    if begin is not None and end is not None and begin >= end:
        raise ContractError("the period has no time in it; let --from be before --to")
    return Wish(shape.value, form.value, begin, end, raw)


def _told(made: Export) -> Iterator[str]:
    yield f"wrote {counted(made.rows, 'row')}, {made.bytes} bytes, to {made.path}"
