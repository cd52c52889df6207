"""`sluicegate audit action ID`: one action, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from console.auditing.bodies import action_body
from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import Page, asked
from console.cli.audit.story import show_lines
from console.cli.context import AsJson, print_json
from console.reads.recording import count_rows
from enforcers.errors import ArchiveError

if TYPE_CHECKING:
    from analytics.audit.proven import ProofSeen


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("action")(action)


def action(
    context: typer.Context,
    action_id: Annotated[str, typer.Argument(metavar="ID", help="the action's UUID")],
    archive: Archive = None,
    page: Page = None,
    as_json: AsJson = False,
) -> None:
    """
    One action: proposal, verdicts, who granted or approved it, outcomes, and the records that prove it.

    What is wrong with it comes first, as ALARM. What `does not count` is archived and decides nothing.
    """
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics import reconstruct
    from analytics.audit.proven import proofs_of
    from analytics.verify.anchors import Keys
    from console.auditing.actions import told
    from console.auditing.lines import told_proofs

    with asked(context, archive) as at:
        found = reconstruct.action(at.connection, action_id, trust=at.trust)
        proofs = proofs_of(at.connection, at.settings.archive, found, Keys.trusted(at.trust))
    count_rows(context, len(found))
    if not found:
        raise ArchiveError(f"action `{action_id}` is not in `{at.settings.archive}`; check the id")
    if page is not None:
        from console.pages.stories import page_of_actions
        from console.pages.writing import write_page

        write_page(page, page_of_actions(f"Action {found[0].id}", found, _told(proofs)))
    if as_json:
        proven = {seq: [asdict(one) for one in proof] for seq, proof in proofs.items()}
        every = [{**action_body(one), "proofs": proven[one.evidence.seq]} for one in found]
        print_json({"actions": every})
        return
    for one in found:
        show_lines((*told(one), *told_proofs(proofs[one.evidence.seq])))


def _told(proofs: Mapping[int, tuple[ProofSeen, ...]]) -> dict[int, list[tuple[str, str]]]:
    from console.auditing.lines import told_proofs

    return {seq: list(told_proofs(found)) for seq, found in proofs.items()}
