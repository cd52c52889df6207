"""`sluicegate archive rebuild FROM TO`: a new archive from the segments of an old one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, tell
from console.cli.exits import FAILED

if TYPE_CHECKING:
    from analytics.archive.rebuild import Rebuilt

Source = Annotated[Path, typer.Argument(metavar="FROM", help="the old archive's directory")]
Target = Annotated[Path, typer.Argument(metavar="TO", help="a directory that does not exist")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild")(rebuild)


def rebuild(source: Source, target: Target, as_json: AsJson = False) -> None:
    """Make an archive anew from raw records in segments, and compare its log with the old one."""
    # Imported here, for a command waits for nothing that only another one needs.
    import sys

    from analytics.archive import rebuild as rebuilding

    with typer.progressbar(length=1, file=sys.stderr) as bar:

        def progress(at: int, last: int) -> None:
            bar.length = last
            bar.update(at - bar.pos)

        made = rebuilding.rebuild(source, target, progress)
    tell(made, _told(made), as_json)
    if made.difference:
        raise typer.Exit(FAILED)


def _told(made: Rebuilt) -> Iterator[str]:
    yield f"records {made.first} to {made.last}, {made.heads} heads"
    if made.difference:
        found = made.difference
        yield f"DIFFERENT from record {found.seq} on ({found.place}): {found.what}"
        yield "the old archive was changed there; its signed checkpoint was not taken over"
        yield "keep both directories, and see docs/recovery.md"
        return
    if made.unreached:
        yield f"the same log, but what was signed or cosigned counts {made.unreached} heads more: see docs/recovery.md"
    else:
        yield "the same log as the old archive's"
    yield (
        "its closed days are not signed yet, and until then `sluicegate audit verify` says NOT proved: point"
        " `archive` at it and start the archiver, which signs them with its key; then verify"
    )
