"""`sluicegate archive attach`: the lines that attach the archive to a plain DuckDB, and how fresh it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.archive import open_archive
from console.cli.context import AsJson, settings_of, tell

if TYPE_CHECKING:
    from console.attaching import Attaching

Archive = Annotated[Path | None, typer.Option(help="directory, instead of the configured")]
Fresh = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("attach")(attach)


def attach(context: typer.Context, archive: Archive = None, as_json: AsJson = False) -> None:
    """How DuckDB's command line, Python and Grafana attach the archive, and how fresh it is."""
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics.archive.database import run
    from console.attaching import attaching

    settings = settings_of(context, archive=archive)
    directory = settings.archive.resolve()
    with open_archive(settings) as connection:
        [row] = run(connection, "SELECT last_seq, archived_at, age_ms FROM freshness")
    fresh = dict(zip(("last_seq", "archived_at", "age_ms"), row, strict=True))
    lines = attaching(directory)
    body = {"archive": str(directory), "fresh": fresh, **asdict(lines)}
    tell(body, _told(directory, fresh, lines), as_json)


def _told(directory: Path, fresh: Fresh, lines: Attaching) -> Iterator[str]:
    yield f"archive {directory}"
    yield _freshness(fresh)
    for title, block in (
        ("# command line", lines.shell),
        ("# in its session, after a merge too", lines.command_line),
        ("# Python", lines.python),
        ("# any other DuckDB", lines.sql),
        ("# Grafana", [f"{name}: {value}" for name, value in lines.grafana]),
    ):
        yield from ("", title, *block)
    if not (directory / "views.duckdb").exists():
        yield "# views.duckdb is not there yet: the archiver writes it a minute after its start"


def _freshness(fresh: Fresh) -> str:
    archived_at: datetime | None = fresh["archived_at"]
    if archived_at is None:
        return "fresh   nothing is archived yet"
    age_s = max(fresh["age_ms"], 0) / 1_000
    when = archived_at.isoformat(sep=" ", timespec="seconds")
    return f"fresh   record {fresh['last_seq']}, archived {age_s:.1f} s ago, {when}"
