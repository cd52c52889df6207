"""`sluicegate audit reads`: who read an archive from this machine, and whether that journal is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, settings_of, tell
from console.cli.exits import FAILED
from console.plain import one_line
from console.reads.journal import NAME
from console.reads.recording import count_rows

if TYPE_CHECKING:
    from console.reads.listing import Entry, Listed

Limit = Annotated[int, typer.Option(min=1, help="readings at most, the newest")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reads")(reads)


def reads(context: typer.Context, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Who read an archive from this machine with which question. Exit code 1: the journal was changed."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.reads.listing import listed

    found = listed(settings_of(context).home / NAME)
    newest = found.entries[-limit:]
    count_rows(context, len(newest))
    body = {"readings": [asdict(one) for one in newest], "broken_at_line": found.broken}
    tell({**body, "left_out": len(found.entries) - len(newest)}, _told(found, newest), as_json)
    if found.broken is not None:
        raise typer.Exit(FAILED)


def _told(found: Listed, newest: tuple[Entry, ...]) -> Iterator[str]:
    older = len(found.entries) - len(newest)
    if older:
        yield f"{older} older ones are left out; give --limit"
    for one in newest:
        rows = "" if one.rows is None else f", {one.rows} rows"
        ended = one.result or "not known to have ended"
        place = f", {one.told}" if one.told else ", not in kafka"
        line = f"{one.asked} {one.by} audit {one.command} {one.question}"
        yield one_line(f"{line}: {ended}{rows}{place}, archive {one.archive}")
    if found.broken is None:
        yield "every line of the journal follows from the one before it"
    else:
        yield f"line {found.broken} of the journal does NOT follow from the one before it: it was changed"
