"""`sluicegate audit who-changed RESOURCE`: every action that touched it with a changing verb."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from console.auditing.bodies import action_body
from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import From, Page, To, asked, period
from console.cli.audit.story import show_lines
from console.cli.context import AsJson, print_json
from console.reads.recording import count_rows

Resource = Annotated[
    str,
    typer.Argument(
        metavar="RESOURCE", help="public.users, users, table:users, /etc, db.example.net, users_*"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("who-changed")(who_changed)


def who_changed(
    context: typer.Context,
    resource: Resource,
    since: From = "",
    until: To = "",
    limit: Annotated[int, typer.Option(min=1, help="changes at most, the newest")] = 200,
    archive: Archive = None,
    page: Page = None,
    as_json: AsJson = False,
) -> None:
    """
    Who changed a resource, when, why, with whose leave, and what became of it.

    Any verb but read and connect is a change, also one that was denied. A type may stand before the name, such as
    table: or host:, and a * at its end.
    """
    from analytics.audit import who_changed as query
    from analytics.audit.elsewhere import elsewhere
    from console.auditing.lines import told_elsewhere, told_who_changed

    wanted = period(since, until)
    with asked(context, archive) as at:
        found = query.who_changed(at.connection, resource, wanted, at.trust, limit)
        outside = elsewhere(at.connection, wanted)
    count_rows(context, len(found.changes))
    if page is not None:
        from console.pages.stories import page_of_changes
        from console.pages.writing import write_page

        write_page(page, page_of_changes(found, checked=at.trust is not None))
    if as_json:
        print_json({**_body(found, at.trust is not None), "elsewhere": outside})
    else:
        show_lines([*told_who_changed(found, at.trust is not None), *told_elsewhere(outside)])


def _body(found: Any, checked: bool) -> dict[str, Any]:
    changes = [
        {**action_body(one.action), "touches": [asdict(touch) for touch in one.touches]}
        for one in found.changes
    ]
    return {**asdict(found), "changes": changes, "checked": checked}
