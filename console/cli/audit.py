"""`sluicegate audit`: who did what, when and why, from the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analytics import reconstruct
from analytics.reader import connect
from analytics.reconstruct import ActionSeen
from console.cli.context import AsJson, print_json, settings_of
from console.cli.exits import one_line
from console.identity import load_trust_of
from console.settings import Settings
from enforcers.contract.trust import Trust
from enforcers.errors import ArchiveError

TEXT_WIDTH = 2_000
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
    """One action: proposal, verdicts, outcomes, and the records that prove them."""
    settings = settings_of(context, archive=archive)
    with connect(settings.archive) as connection:
        found = reconstruct.action(connection, action_id, trust=_trust(settings))
    if not found:
        raise ArchiveError(f"action `{action_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"actions": [story(one) for one in found]})
        return
    for one in found:
        for line in told(one):
            typer.echo(one_line(line))


@audit_app.command("session")
def session(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="ID", help="the session's id")],
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Every action of one session, in the order in which they were recorded."""
    settings = settings_of(context, archive=archive)
    with connect(settings.archive) as connection:
        found = reconstruct.session(connection, session_id, trust=_trust(settings))
    if not found.actions:
        raise ArchiveError(f"session `{session_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"session": found.id, "actions": [story(one) for one in found.actions]})
    else:
        Console().print(_table(found.actions))


def _trust(settings: Settings) -> Trust | None:
    """An archive can be read without a trust file; then signatures are `not checked`."""
    return load_trust_of(settings) if settings.trust.exists() else None


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


def told(seen: ActionSeen) -> Iterator[str]:
    """One action as lines for people."""
    yield f"action    {seen.id}"
    yield f"who       {_who(seen)}"
    yield f"where     {seen.system} ({seen.environment}), executor {seen.executor}"
    yield f"what      {seen.kind}: {seen.text[:TEXT_WIDTH]}"
    if seen.reason or seen.ticket:
        yield f"why       {seen.reason or '-'} {seen.ticket or ''}"
    yield f"when      {seen.issued_at}"
    yield f"record    {_place(seen)}; bytes {'as recorded' if seen.bytes_match else 'CHANGED'}"
    for verdict in seen.verdicts:
        counts = "" if verdict is seen.verdict else " (does not count)"
        signature = f"signature {verdict.signature}"
        yield f"verdict   {verdict.decision} by {verdict.judge}, {signature}{counts}"
        for reason in verdict.reasons:
            yield f"          {reason.rule or reason.code}: {reason.message}; {reason.remedy}"
    for outcome in seen.outcomes:
        yield f"outcome   {outcome.status}, rows {outcome.rows}, {outcome.duration_us} µs"
    if not seen.outcomes:
        yield "outcome   none recorded"


def _who(seen: ActionSeen) -> str:
    behalf = f" for {seen.on_behalf_of}" if seen.on_behalf_of else ""
    session = f", session {seen.session}" if seen.session else ""
    return f"{seen.principal} ({seen.principal_kind}){behalf}{session}"


def _place(seen: ActionSeen) -> str:
    found = seen.evidence
    return f"{found.topic}[{found.partition}] offset {found.offset}, sequence {found.seq}"


def _table(actions: tuple[ActionSeen, ...]) -> Table:
    table = Table("when", "who", "what", "decision", "why", "outcome", "ms", "action")
    for seen in actions:
        verdict, outcome = seen.verdict, seen.outcome
        reasons = verdict.reasons if verdict else ()
        cells = (
            str(seen.issued_at)[:19],
            seen.principal,
            f"{seen.kind}: {seen.text[:120]}",
            verdict.decision if verdict else "none",
            next((one.rule or one.code for one in reasons), ""),
            outcome.status if outcome else "none",
            "" if seen.latency_ms is None else str(seen.latency_ms),
            str(seen.id),
        )
        table.add_row(*[escape(one_line(cell)) for cell in cells])
    return table
