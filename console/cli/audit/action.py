"""`sluicegate audit action ID`: one action, and what it rests on."""

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
    app.command("action")(action)


def action(
    context: typer.Context,
    action_id: Annotated[str, typer.Argument(metavar="ID", help="the action's UUID")],
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """One action: proposal, verdicts, who granted or approved it, outcomes, and the records that prove it."""
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics import reconstruct
    from console.audited import told

    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        found = reconstruct.action(connection, action_id, trust=trust_of(settings))
    if not found:
        raise ArchiveError(f"action `{action_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"actions": [story(one) for one in found]})
        return
    for one in found:
        show_lines(told(one))
