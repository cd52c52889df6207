"""`sluicegate audit bundle`: what an auditor takes along, to verify without us."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.archive import open_archive
from console.cli.audit.archive_option import Archive
from console.cli.audit.verify import Checkpoint, Key
from console.cli.context import AsJson, settings_of, tell
from enforcers.errors import ArchiveError, ContractError

if TYPE_CHECKING:
    import duckdb

    from analytics.log.note import NoteKey
    from analytics.seen import ActionSeen
    from analytics.verify.anchors import Keys
    from analytics.verify.bundle import Place, Written


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bundle")(bundle)


def bundle(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="new directory")],
    action: Annotated[
        list[str] | None,
        typer.Option(help="records of this action, and of what it rests on (repeatable)"),
    ] = None,
    session: Annotated[
        list[str] | None, typer.Option(help="the same for every action of a session (repeatable)")
    ] = None,
    all_entries: Annotated[bool, typer.Option("--all-entries", help="the logs whole")] = False,
    all_records: Annotated[bool, typer.Option("--all-records", help="every record too")] = False,
    archive: Archive = None,
    checkpoint: Checkpoint = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Write proofs and a verifier that needs only Python into a directory. Records hold what was proposed."""
    from analytics.verify.bundle import Wanted, export
    from console.proving import archivers_keys, held_checkpoints

    if not (action or session or all_entries):
        raise typer.BadParameter(
            "give --action, --session or --all-entries, else there is nothing to prove"
        )
    settings = settings_of(context, archive=archive)
    keys = archivers_keys(settings, key or ())
    with open_archive(settings) as connection:
        wanted = Wanted(
            records=_places(connection, action or (), session or ()),
            all_entries=all_entries,
            all_records=all_records,
            held=held_checkpoints(checkpoint or ()),
            keys=_named(settings.archive, keys),
        )
        written = export(connection, settings.archive, out, wanted)
    tell(written, _lines(out, written), as_json)


def _places(
    connection: duckdb.DuckDBPyConnection, actions: Sequence[str], sessions: Sequence[str]
) -> list[Place]:
    """Every record of these actions, and of the requests, votes, grants and policies behind them; each once."""
    from analytics import reconstruct

    found = [place for one in actions for place in _records_of(connection, one)]
    seen = [each for one in actions for each in reconstruct.action(connection, one)]
    for one in sessions:
        within = reconstruct.session(connection, one).actions
        if not within:
            raise ArchiveError(f"session `{one}` is not in the archive; check the id")
        found += [place for each in within for place in _records_of(connection, str(each.id))]
        seen += within
    return list(dict.fromkeys([*found, *(place for one in seen for place in _said(one))]))


def _records_of(connection: duckdb.DuckDBPyConnection, action_id: str) -> list[Place]:
    from analytics.verify.proof import places_of_action

    found = places_of_action(connection, action_id)
    if not found:
        raise ArchiveError(f"action `{action_id}` is not in the archive; check the id")
    return found


def _said(seen: ActionSeen) -> Iterator[Place]:
    """Everything that was said for the action, whether it counts or not: that is the verifier's to see."""
    words = seen.words
    asked = (word for one in words.approvals for word in (*one.requests, *one.votes))
    rest = (words.grants, words.wishes, words.quarantines, words.publications)
    for one in itertools.chain(asked, *rest):
        at = one.evidence
        yield at.topic, at.partition, at.offset


def _named(directory: Path, keys: Keys) -> list[NoteKey]:
    from analytics.log.checkpoint import parse_checkpoint
    from analytics.log.note import parse_note
    from analytics.verify.origins import read_note

    try:
        return keys.named(parse_checkpoint(parse_note(read_note(directory)).text))
    except ContractError as error:
        raise ArchiveError(str(error)) from error


def _lines(out: Path, written: Written) -> list[str]:
    held = f"{written.entries} entries, {written.heads} heads, {written.records} records"
    return [
        f"{out}: {held}, {written.proofs} proofs",
        f"verify it anywhere: python3 -I {out}/verify_archive.py {out}",
    ]
