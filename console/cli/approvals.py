"""`sluicegate approve`, `deny` and `approvals`: what people are asked, and what they say to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, persons_desk, print_lines, tell, visitors_desk
from console.cli.options import Key, Reason
from console.cli.tables import show_list
from enforcers.errors import ContractError

if TYPE_CHECKING:
    from console.approvals import Ballot

ALARM = (
    "BREAK-GLASS: this passes without the approvals that are wanted, if the policy lets your groups do that. It raises"
    " an alert at once, holds for minutes, and somebody else must review it with `sluicegate approvals review`"
)

DONE = {"approve": "approved", "deny": "denied", "revoke": "taken back", "review": "reviewed"}

Id = Annotated[str, typer.Argument(metavar="ID", help="the request's whole id")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask again")]

approvals_app = typer.Typer(help="What people are asked to approve.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("approve")(approve)
    app.command("deny")(deny)
    app.add_typer(approvals_app, name="approvals")


def approve(
    context: typer.Context,
    identity: Id,
    reason: Reason,
    lasts: Annotated[str, typer.Option("--for", help="15m …; else as long as the request")] = "",
    digest: Annotated[str, typer.Option(help="beginning of the proposal's digest")] = "",
    break_glass: Annotated[
        bool, typer.Option("--break-glass", help="an emergency: alerts")
    ] = False,
    yes: Yes = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Approve a proposal, once, exactly as it is shown; done when Kafka has the vote."""
    from console.approvals import Ballot
    from console.durations import duration_of
    from enforcers.contract.approval import Choice

    span = duration_of(lasts) if lasts else None
    ballot = Ballot(Choice.APPROVE, reason, span, digest, break_glass)
    _vote(context, identity, ballot, key, as_json, sure=yes)


def deny(
    context: typer.Context, identity: Id, reason: Reason, key: Key = None, as_json: AsJson = False
) -> None:
    """Say no to a proposal; final for this request."""
    _say(context, identity, "deny", reason, key, as_json)


@approvals_app.command("revoke")
def revoke(
    context: typer.Context, identity: Id, reason: Reason, key: Key = None, as_json: AsJson = False
) -> None:
    """Take an approval back, also somebody else's, before it is used; final for this request."""
    _say(context, identity, "revoke", reason, key, as_json)


@approvals_app.command("review")
def review(
    context: typer.Context, identity: Id, reason: Reason, key: Key = None, as_json: AsJson = False
) -> None:
    """Say that you looked at what somebody did who broke the glass."""
    _say(context, identity, "review", reason, key, as_json)


@approvals_app.command("list")
def listing(
    context: typer.Context,
    every: Annotated[
        bool, typer.Option("--all", help="also denied, used, expired and void ones")
    ] = False,
    unreviewed: Annotated[bool, typer.Option("--unreviewed", help="broken glass only")] = False,
    as_json: AsJson = False,
) -> None:
    """Requests that people can decide now."""
    from console.approvals import standings
    from console.approvals_told import COLUMNS, body, cells

    with visitors_desk(context) as desk:
        known = standings(desk)
    if unreviewed:
        known = tuple(one for one in known if one.unreviewed)
    elif not every:
        known = tuple(one for one in known if one.open)
    found = [(body(one), cells(one)) for one in known]
    nothing = "nothing is to be reviewed" if unreviewed else "nothing is asked"
    show_list("requests", COLUMNS, found, desk.ignored, as_json, nothing)


@approvals_app.command("show")
def show(context: typer.Context, identity: Id, as_json: AsJson = False) -> None:
    """One request: exactly what would be done, who wants it approved, and the votes."""
    from console.approvals import find, standings
    from console.approvals_told import body, lines

    with visitors_desk(context) as desk:
        standing = find(standings(desk), identity)
    tell(body(standing), lines(standing), as_json)


def _say(
    context: typer.Context, identity: str, choice: str, reason: str, key: Path | None, as_json: bool
) -> None:
    from console.approvals import Ballot
    from enforcers.contract.approval import Choice

    _vote(context, identity, Ballot(Choice(choice), reason), key, as_json, sure=True)


def _vote(
    context: typer.Context,
    identity: str,
    ballot: Ballot,
    key: Path | None,
    as_json: bool,
    sure: bool,
) -> None:
    from console.approvals import cast, check_ballot, find, standings
    from console.approvals_told import lines

    with persons_desk(context, key) as desk:
        standing = find(standings(desk), identity)
        check_ballot(standing, desk.key, ballot)
        if ballot.choice.value == "approve":
            # On standard error: `--json` keeps the other one for itself.
            print_lines(lines(standing), err=True)
        if ballot.break_glass:
            print_lines((ALARM,), err=True)
        if not sure:
            _confirm(desk.key.voice)
        made = cast(desk, standing, ballot)
    done = f"{DONE[ballot.choice.value]} {made.request}"
    tell(made.model_dump(mode="json"), (done,), as_json)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _confirm(voice: str) -> None:
    if not is_terminal():
        raise ContractError(
            "nobody can be asked here; look at it with `sluicegate approvals show`, then add --yes"
        )
    typer.confirm(f"approve exactly this as `{voice}`?", abort=True, err=True)
