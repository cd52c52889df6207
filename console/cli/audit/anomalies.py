"""`sluicegate audit anomalies`: what the detections find odd in the archive."""

from __future__ import annotations

from typing import Annotated

import typer

from console.archive import open_archive
from console.cli.audit.archive_option import Archive
from console.cli.context import AsJson, settings_of
from console.cli.tables import show_report


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("anomalies")(anomalies)


def anomalies(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="detections; else all")
    ] = None,
    since: Annotated[str, typer.Option(help="length of the window: 90m, 24h, 7d")] = "24h",
    until: Annotated[
        str, typer.Option(help="its end, ISO 8601 with a zone; else the newest record")
    ] = "",
    thresholds: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME.THRESHOLD=VALUE", help="another threshold"),
    ] = None,
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """What is odd: denials, first times, volumes, approvals, gaps; with the actions to look at."""
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics.anomalies.registry import detections
    from analytics.anomalies.runner import install, look, period_of
    from console.durations import duration_of, moment_of
    from console.odd import COLUMNS, body_of, lines_of, rows_of, settings_from
    from console.sparkline import fitting

    which = detections(tuple(names or ()))
    changed = settings_from(thresholds or ())
    length, end = duration_of(since), moment_of(until) if until else None
    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        install(connection)
        period = period_of(connection, length, end)
        ran = look(connection, period, which, changed, settings.archive) if period else ()
    lines = list(lines_of(ran, period, fitting())) if period else ["the archive is empty"]
    show_report(body_of(ran, period), COLUMNS, rows_of(ran), lines, as_json)
    if any(one.failure for one in ran):
        raise typer.Exit(1)
