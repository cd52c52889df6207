"""`sluicegate audit`: who did what, when and why, from the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.archive import open_archive
from console.cli.context import AsJson, print_json, settings_of
from console.cli.exits import one_line
from console.cli.tables import show_table
from console.files import is_there
from console.settings import Settings
from enforcers.errors import ArchiveError

if TYPE_CHECKING:
    from analytics.reconstruct import ActionSeen, OutcomeSeen
    from enforcers.contract.trust import Trust

TEXT_WIDTH = 2_000
COLUMNS = ("when", "who", "what", "decision", "why", "outcome", "ms", "action")
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
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics import reconstruct

    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        found = reconstruct.action(connection, action_id, trust=_trust(settings))
    if not found:
        raise ArchiveError(f"action `{action_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"actions": [story(one) for one in found]})
        return
    for one in found:
        for what, line in told(one):
            typer.echo(f"{what:<10}{one_line(line)}")


@audit_app.command("session")
def session(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="ID", help="the session's id")],
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Every action of one session, in the order in which they were recorded."""
    from analytics import reconstruct

    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        found = reconstruct.session(connection, session_id, trust=_trust(settings))
    if not found.actions:
        raise ArchiveError(f"session `{session_id}` is not in `{settings.archive}`; check the id")
    if as_json:
        print_json({"session": found.id, "actions": [story(one) for one in found.actions]})
    else:
        show_table(COLUMNS, map(_row, found.actions))


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


def told(seen: ActionSeen) -> Iterator[tuple[str, str]]:
    """One action as lines for people, each with what it is about."""
    yield "action", str(seen.id)
    yield "who", _who(seen)
    yield "where", f"{seen.system} ({seen.environment}), executor {seen.executor}"
    yield "what", f"{seen.kind}: {seen.text[:TEXT_WIDTH]}"
    if seen.reason or seen.ticket:
        yield "why", f"{seen.reason or '-'} {seen.ticket or ''}"
    yield "when", str(seen.issued_at)
    yield "record", f"{_place(seen)}; bytes {'as recorded' if seen.bytes_match else 'CHANGED'}"
    for verdict in seen.verdicts:
        counts = "" if verdict is seen.verdict else " (does not count)"
        signature = f"signature {verdict.signature}"
        yield "verdict", f"{verdict.decision} by {verdict.judge}, {signature}{counts}"
        for what, named in (("approval", verdict.approval), ("request", verdict.request)):
            if named:
                yield what, f"{named}; `sluicegate approvals show {named}` has the votes"
        for grant in verdict.grants:
            yield "grant", f"{grant}; `sluicegate grant show {grant}`"
        for reason in verdict.reasons:
            yield "", f"{reason.rule or reason.code}: {reason.message}; {reason.remedy}"
    for outcome in seen.outcomes:
        yield "outcome", _ending(outcome)
    if not seen.outcomes:
        yield "outcome", "none recorded"


def _ending(outcome: OutcomeSeen) -> str:
    rows = "" if outcome.rows is None else f", {outcome.rows} rows"
    duration = "" if outcome.duration_us is None else f", {outcome.duration_us} µs"
    return f"{outcome.status}{rows}{duration}"


def _who(seen: ActionSeen) -> str:
    behalf = f" for {seen.on_behalf_of}" if seen.on_behalf_of else ""
    session = f", session {seen.session}" if seen.session else ""
    return f"{seen.principal} ({seen.principal_kind}){behalf}{session}"


def _place(seen: ActionSeen) -> str:
    found = seen.evidence
    return f"{found.topic}[{found.partition}] offset {found.offset}, sequence {found.seq}"


def _row(seen: ActionSeen) -> Sequence[str]:
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
    return [one_line(cell) for cell in cells]
