"""`sluicegate audit verify`: everything that the archive holds, held against what was signed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.audit.archive_option import Archive
from console.cli.context import AsJson, print_json, print_lines, settings_of
from console.plain import one_line
from console.settings import Settings
from enforcers.errors import ArchiveError

if TYPE_CHECKING:
    from analytics.verify.report import Report

COULD_NOT = 2
"""Exit code where nothing could be verified; 1 says that something is wrong."""

Key = Annotated[
    list[str] | None, typer.Option(help="archiver's key, instead of the trust file's (repeatable)")
]
Checkpoint = Annotated[
    list[Path] | None, typer.Option(help="checkpoint that was kept elsewhere (repeatable)")
]
Witness = Annotated[
    list[str] | None,
    typer.Option(help="key of a witness, instead of the settings' (repeatable)"),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    context: typer.Context,
    archive: Archive = None,
    checkpoint: Checkpoint = None,
    key: Key = None,
    witness: Witness = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on where the last one ended")
    ] = False,
    bytes_only: Annotated[
        bool, typer.Option("--bytes-only", help="leave the typed columns out, which views show")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify every record up to the signed head. Exit codes: 0 proved, 1 something is wrong, 2 it could not."""
    from console.proving import archivers_keys, held_checkpoints
    from console.witnesses import witness_keys, witnessed_checkpoints

    settings = settings_of(context, archive=archive)
    keys, held = archivers_keys(settings, key or ()), held_checkpoints(checkpoint or ())
    # What a witness saw lies before what an earlier run read: going on could not compare it.
    cosigners = witness_keys(settings, witness or ()) if witness or not resume else ()
    try:
        held += witnessed_checkpoints(settings.archive, cosigners)
        report = _verified(settings, keys, held, not bytes_only, resume)
    except ArchiveError as error:
        typer.echo(f"error: {one_line(str(error))}", err=True)
        raise typer.Exit(COULD_NOT) from error
    if as_json:
        print_json(body_of(report))
    else:
        print_lines(report.lines())
    if not report.proved:
        raise typer.Exit(1)


def _verified(settings: Settings, keys: Any, held: Any, typed: bool, resume: bool) -> Report:
    from analytics.verify.standing import StateFile
    from analytics.verify.verifying import Task
    from analytics.verify.verifying import verify as verified
    from console.proving import state_path

    state = StateFile(state_path(settings, settings.archive))
    task = Task(settings.archive, keys, held, typed, state, resume)
    with _progress() as progress:
        return verified(task, progress)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("records", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def body_of(report: Report) -> dict[str, Any]:
    """A report as JSON."""
    from dataclasses import asdict

    return {
        "proved": report.proved,
        "origin": report.origin,
        "records": report.rows,
        "first_seq": report.first_seq,
        "last_seq": report.last_seq,
        "resumed": report.resumed,
        "partitions": report.partitions,
        "heads": report.heads,
        "seconds": round(report.seconds, 3),
        "rows_per_s": round(report.rows / report.seconds) if report.seconds else 0,
        "typed": report.typed,
        "sealed": report.sealed,
        "dropped": report.hole,
        "checkpoints": {
            "archived": report.archived,
            "not_compared": report.unplaced,
            "others": [
                {"source": one.source, "name": one.name, "size": one.size, "agrees": agrees}
                for one, agrees in report.anchors
            ],
        },
        "relative_to": report.relative,
        "findings": [asdict(one) for one in report.findings],
        "more_findings": report.findings.more,
    }
