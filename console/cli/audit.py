"""`sluicegate audit`: who did what, when and why, from the archive."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.archive import open_archive
from console.cli.context import AsJson, print_json, settings_of
from console.cli.tables import AS_WIDE_AS_NEEDED
from console.files import is_there
from console.plain import one_line
from console.settings import Settings
from enforcers.errors import ArchiveError

if TYPE_CHECKING:
    from analytics.reconstruct import ActionSeen
    from enforcers.contract.trust import Trust

LABEL = 10
"""Columns before each line; where a line goes on they are empty, so that no text can look like another line."""
Archive = Annotated[Path | None, typer.Option(help="directory, instead of the configured")]

audit_app = typer.Typer(help="Who did what, when and why.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(audit_app, name="audit")


@audit_app.command("action")
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
        found = reconstruct.action(connection, action_id, trust=_trust(settings))
    if not found:
        raise ArchiveError(f"action `{action_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"actions": [story(one) for one in found]})
        return
    for one in found:
        _show(told(one))


@audit_app.command("session")
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
        found = reconstruct.session(connection, session_id, trust=_trust(settings))
    if not found.actions:
        raise ArchiveError(f"session `{session_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"session": found.id, "actions": [story(one) for one in found.actions]})
    else:
        _show(line for one in found.actions for line in told_briefly(one))


def _trust(settings: Settings) -> Trust | None:
    """An archive can be read without a trust file; then signatures are `not checked`."""
    from console.identity import load_trust_of

    return load_trust_of(settings) if is_there(settings.trust) else None


def story(seen: ActionSeen) -> dict[str, Any]:
    """One action as JSON: everything that was found, and the verdict that counts."""
    body = asdict(seen)
    verdict, outcome = seen.verdict, seen.outcome
    counts = {
        "decision": verdict.decision if verdict else None,
        "status": outcome.status if outcome else None,
        "latency_ms": seen.latency_ms,
    }
    return {**body, **counts}


def columns() -> int:
    """How wide a line may be."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else AS_WIDE_AS_NEEDED


def _show(lines: Iterable[tuple[str, str]]) -> None:
    paragraph = textwrap.TextWrapper(
        max(columns(), 2 * LABEL), subsequent_indent=" " * LABEL, break_on_hyphens=False
    )
    for what, text in lines:
        paragraph.initial_indent = f"{what:<{LABEL}}"
        typer.echo(paragraph.fill(one_line(text)) or what)
