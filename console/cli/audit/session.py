"""`sluicegate audit session ID`: every action of one session."""

from __future__ import annotations

from typing import Annotated

import typer

from console.auditing.bodies import action_body
from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import Page, asked
from console.cli.audit.story import show_lines
from console.cli.context import AsJson, print_json
from console.reads.recording import count_rows
from enforcers.errors import ArchiveError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("session")(session)


def session(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="ID", help="the session's id")],
    archive: Archive = None,
    page: Page = None,
    as_json: AsJson = False,
) -> None:
    """Every action of one session, in the order in which they were recorded."""
    from analytics import reconstruct
    from console.auditing.actions import told_briefly

    with asked(context, archive) as at:
        found = reconstruct.session(at.connection, session_id, trust=at.trust)
    count_rows(context, len(found.actions))
    if not found.actions:
        where = at.settings.archive
        raise ArchiveError(f"session `{session_id}` is not in `{where}`; check the id")
    if page is not None:
        from console.pages.stories import page_of_actions
        from console.pages.writing import write_page

        write_page(page, page_of_actions(f"Session {found.id}", found.actions))
    if as_json:
        print_json({"session": found.id, "actions": [action_body(one) for one in found.actions]})
    else:
        show_lines(line for one in found.actions for line in told_briefly(one))
