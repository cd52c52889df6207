"""`sluicegate audit anomalies`: what the detections find odd in the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from console.archive import open_archive
from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import From
from console.cli.context import AsJson, settings_of
from console.cli.tables import show_report
from console.reads.recording import count_rows
from enforcers.contract.base import utc_now
from enforcers.errors import ArchiveError, ContractError

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from analytics.anomalies.registry import Detection
    from analytics.anomalies.runner import Period

To = Annotated[
    str, typer.Option("--to", help="as --from; not included; default: the newest record")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("anomalies")(anomalies)


def anomalies(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="detections; else all")
    ] = None,
    since: From = "24h",
    until: To = "",
    thresholds: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME.THRESHOLD=VALUE", help="another threshold"),
    ] = None,
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """
    What is odd: denials, first times, volumes, approvals, gaps; with the actions to look at.

    What is usual is taken from before the window; a long window is looked at day by day. Signatures are not checked.
    """
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics.anomalies.runner import install, look
    from console.auditing.odd import COLUMNS, body_of, lines_of, rows_of, settings_from
    from console.auditing.periods import moment_before
    from console.sparkline import fitting

    which = _detections(names or ())
    changed = settings_from(thresholds or ())
    end = moment_before(until, utc_now()) if until else None
    moment_before(since, utc_now())
    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        install(connection)
        period = _window(connection, since, end)
        ran = look(connection, period, which, changed, settings.archive) if period else ()
    count_rows(context, sum(len(one.found) for one in ran))
    lines = list(lines_of(ran, period, fitting())) if period else ["the archive is empty"]
    show_report(body_of(ran, period), COLUMNS, rows_of(ran), lines, as_json)
    if any(one.failure for one in ran):
        raise typer.Exit(1)


def _detections(names: list[str] | tuple[str, ...]) -> tuple[Detection, ...]:
    """The detections of these names. Raises ContractError for one that there is not."""
    from analytics.anomalies.registry import detections

    try:
        return detections(tuple(names))
    except ArchiveError as error:
        raise ContractError(str(error)) from error


def _window(
    connection: duckdb.DuckDBPyConnection, since: str, until: datetime | None
) -> Period | None:
    """From `--from`, or where the archive begins, to the end; None where it is empty. Raises ContractError."""
    from analytics.anomalies.runner import DAY, period_of
    from analytics.rows import rows
    from console.auditing.periods import begin_before

    newest = period_of(connection, DAY, until)
    if newest is None:
        return None
    (first,) = rows(connection, "beginning")
    begin = begin_before(since, newest.until)
    if first["recorded_at"] is not None and first["recorded_at"] < newest.until:
        begin = max(begin, first["recorded_at"])
    return period_of(connection, newest.until - begin, newest.until)
