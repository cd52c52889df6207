"""`sluicegate audit checkpoint`: the archive's newest signed head, to be kept where we cannot reach it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.audit.archive_option import Archive
from console.cli.context import AsJson, print_json, settings_of
from console.witness_settings import address_of
from enforcers.errors import ArchiveError, ContractError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("checkpoint")(checkpoint)


def checkpoint(
    context: typer.Context,
    archive: Archive = None,
    timestamp: Annotated[
        str | None, typer.Option(help="address of a time-stamp authority (RFC 3161) to ask")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="directory to keep the head and its time stamp in")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The newest signed head, byte for byte. Keep it elsewhere: mail, write-once storage, a witness."""
    from analytics.log.checkpoint import parse_checkpoint
    from analytics.log.note import parse_note
    from analytics.verify.origins import read_note

    if timestamp and out is None:
        raise typer.BadParameter(
            "give --out as well, for a time stamp is kept beside what it stamps"
        )
    settings = settings_of(context, archive=archive)
    try:
        text = read_note(settings.archive)
        found = parse_checkpoint(parse_note(text).text)
    except ContractError as error:
        raise ArchiveError(str(error)) from error
    if not all(char.isprintable() or char == "\n" for char in text):
        raise ArchiveError("the checkpoint holds control characters; run `sluicegate audit verify`")
    kept = _kept(out, found.size, text, timestamp) if out else {}
    if as_json:
        body = {"origin": found.origin, "size": found.size, "root": found.root.hex(), "note": text}
        print_json(body | kept)
    else:
        typer.echo(text, nl=False)
        for line in _told(kept):
            typer.echo(line, err=True)


def _kept(out: Path, size: int, text: str, timestamp: str | None) -> dict[str, Any]:
    """Write the head, and its time stamp, which is asked for first."""
    note = out / f"checkpoint-{size}.txt"
    files, found = {note: text.encode()}, {"file": str(note)}
    if timestamp:
        # Imported here: whoever wants no time stamp needs no HTTP client.
        from streams.witnessing.stamping import stamp

        stamped = asyncio.run(stamp(address_of(timestamp), text.encode()))
        token = note.with_suffix(".tsr")
        files[token] = stamped.answer
        found |= {"timestamp": str(token), "stamped_at": stamped.at.isoformat()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            path.write_bytes(content)
    except OSError as error:
        raise ArchiveError(
            f"`{out}` cannot be written: {error.strerror}; name another directory"
        ) from error
    return found


def _told(kept: dict[str, Any]) -> list[str]:
    if "timestamp" not in kept:
        return [f"kept in {kept['file']}"] if kept else []
    check = f"openssl ts -verify -in {kept['timestamp']} -data {kept['file']} -CAfile ROOTS.pem"
    return [
        f"kept in {kept['file']}, stamped at {kept['stamped_at']} in {kept['timestamp']}",
        f"nobody has checked the authority's signature yet: {check}",
    ]
