"""`sluicegate audit session ID`: every action of one session."""

from __future__ import annotations

from typing import Annotated

import typer

from console.archive import open_archive
from console.cli.audit.archive_option import Archive, trust_of
from console.cli.audit.story import show_lines, story
from console.cli.context import AsJson, print_json, settings_of
from enforcers.errors import ArchiveError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("session")(session)


def session(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="ID", help="the session's id")],
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Every action of one session, in the order in which they were recorded."""
    from analytics import reconstruct
    from console.audited import told_briefly

    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        found = reconstruct.session(connection, session_id, trust=trust_of(settings))
    if not found.actions:
        raise ArchiveError(f"session `{session_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"session": found.id, "actions": [story(one) for one in found.actions]})
    else:
        show_lines(line for one in found.actions for line in told_briefly(one))
