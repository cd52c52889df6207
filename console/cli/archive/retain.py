"""`sluicegate archive retain --days N`: drop days that are older, with a hole in the proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, settings_of, tell
from console.plain import counted
from console.settings import MAX_DAYS

if TYPE_CHECKING:
    from console.retaining import Gone

Days = Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="how many days that are over to keep")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say which days are older")]
Archive = Annotated[Path | None, typer.Option(help="directory, instead of the configured")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("retain")(retain)


def retain(
    context: typer.Context,
    days: Days,
    dry_run: DryRun = False,
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Drop days older than so many; what is gone is written down, signed. No archiver may run."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.retaining import drop_old_days, old_days

    settings = settings_of(context, archive=archive)
    found = (old_days if dry_run else drop_old_days)(settings, days)
    tell({"dry_run": dry_run, "days": found}, _told(found, days, dry_run=dry_run), as_json)


def _told(found: Sequence[Gone], days: int, *, dry_run: bool) -> Iterator[str]:
    if not found:
        yield f"nothing is older than {counted(days, 'day')}"
        return
    for one in found:
        yield f"{one.day}  {counted(one.records, 'record')}, {one.first} to {one.last}"
    records = counted(sum(one.records for one in found), "record")
    yield f"{'would drop' if dry_run else 'dropped'} {counted(len(found), 'day')} with {records}"
