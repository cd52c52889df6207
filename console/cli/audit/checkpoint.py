"""`sluicegate audit checkpoint`: the archive's newest signed head, to be kept where we cannot reach it."""

from __future__ import annotations

import typer

from console.cli.audit.archive_option import Archive
from console.cli.context import AsJson, print_json, settings_of
from enforcers.errors import ArchiveError, ContractError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("checkpoint")(checkpoint)


def checkpoint(
    context: typer.Context,
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """The newest signed head, byte for byte. Keep it elsewhere: mail, write-once storage, a witness."""
    from analytics.log.checkpoint import parse_checkpoint
    from analytics.log.note import parse_note
    from analytics.verify.origins import read_note

    settings = settings_of(context, archive=archive)
    try:
        text = read_note(settings.archive)
        found = parse_checkpoint(parse_note(text).text)
    except ContractError as error:
        raise ArchiveError(str(error)) from error
    if not all(char.isprintable() or char == "\n" for char in text):
        raise ArchiveError("the checkpoint holds control characters; run `sluicegate audit verify`")
    if as_json:
        print_json(
            {"origin": found.origin, "size": found.size, "root": found.root.hex(), "note": text}
        )
    else:
        typer.echo(text, nl=False)
