"""`sluicegate audit policy-as-of TIME`: which policy was in force, and the grants and stops beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import Page, asked
from console.cli.audit.story import show_lines
from console.cli.context import AsJson, print_json
from console.files import is_there
from console.reads.recording import count_rows
from enforcers.contract.base import utc_now
from enforcers.errors import TrustError

if TYPE_CHECKING:
    from console.auditing.as_of import AsOf

Time = Annotated[
    str, typer.Argument(metavar="TIME", help="2026-01-02, a moment in UTC, or so long ago: 24h")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("policy-as-of")(policy_as_of)


def policy_as_of(
    context: typer.Context,
    time: Time,
    archive: Archive = None,
    page: Page = None,
    as_json: AsJson = False,
) -> None:
    """Which policy held at a moment: its digest, who published it and why; and what was granted and stopped."""
    from console.auditing.as_of import as_of
    from console.auditing.bodies import as_of_body
    from console.auditing.lines import told_as_of
    from console.auditing.periods import moment_before
    from enforcers.principals import load_principals

    moment = moment_before(time, utc_now())
    with asked(context, archive) as at:
        if at.trust is None:
            raise TrustError(
                f"`{at.settings.trust}` does not exist, so nobody knows whose policies count; name"
                " the trust file with SLUICEGATE_TRUST"
            )
        file = at.settings.principals
        filed = load_principals(file) if is_there(file) else None
        found = as_of(at.connection, at.settings.zone, moment, at.trust, filed)
    count_rows(context, _rows(found))
    if page is not None:
        from console.pages.figures import page_of_lines
        from console.pages.writing import write_page

        write_page(page, page_of_lines("Policy in force", told_as_of(found)))
    if as_json:
        print_json(as_of_body(found))
    else:
        show_lines(told_as_of(found))


def _rows(found: AsOf) -> int:
    laid: tuple[Any, ...] = (found.policy, found.next)
    return sum(one is not None for one in laid) + len(found.grants) + len(found.stops)
