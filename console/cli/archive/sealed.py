"""`sluicegate archive sealed`: are the files of closed days those that were sealed?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, settings_of, tell
from console.cli.exits import FAILED

if TYPE_CHECKING:
    from console.sealed import Looked

Archive = Annotated[Path | None, typer.Option(help="directory, instead of the configured")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sealed")(sealed)


def sealed(context: typer.Context, archive: Archive = None, as_json: AsJson = False) -> None:
    """Read every byte of closed days and hold it against what was sealed. Exit code 1: something differs."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.proving import archivers_keys
    from console.sealed import look_at

    settings = settings_of(context, archive=archive)
    found = list(look_at(settings.archive, archivers_keys(settings, ()), settings.zone))
    tell({"sealed": found}, _told(found), as_json)
    if any(one.wrong for one in found):
        raise typer.Exit(FAILED)


def _told(found: Sequence[Looked]) -> Iterator[str]:
    if not found:
        yield "no day is sealed yet"
    for one in found:
        place = f"{one.what}  {one.first} to {one.last}"
        if not one.wrong:
            yield f"{place}  as it was {'written' if one.what == 'hole' else 'sealed'}"
        yield from (f"{place}  WRONG: {wrong}" for wrong in one.wrong)
