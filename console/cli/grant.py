"""`sluicegate grant`: ask for a right for a limited time, issue it, look at it, end it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, print_json, settings_of
from console.cli.exits import harmless, one_line
from console.cli.tables import show_table
from enforcers.errors import ContractError

if TYPE_CHECKING:
    from datetime import datetime

    from enforcers.contract.grant import Grant, GrantScope, GrantStatus

COLUMNS = ("id", "state", "name", "principal", "covers", "from", "until", "uses", "by", "reason")
ASKED = ("id", "when", "name", "principal", "executor", "covers", "for", "uses", "reason", "answer")

Identity = Annotated[str, typer.Argument(metavar="ID", help="its id, or eight letters of it")]
Reason = Annotated[str, typer.Option(help="why, for the archive")]
Name = Annotated[str, typer.Option(help="what sort of right, as rules ask for it: `bulk-dml`")]
Resources = Annotated[
    list[str] | None, typer.Option("--resource", help="names, with `*`: `billing.*`; repeat it")
]
Condition = Annotated[str, typer.Option(help="CEL, as in policies; `effect` is the effect")]
Verbs = Annotated[
    list[str] | None, typer.Option("--verb", help="`read`, `write` …; none: any; repeat it")
]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="`program` …; none: tables; repeat it")
]
Systems = Annotated[list[str] | None, typer.Option("--system", help="only there; repeat it")]
Catalogs = Annotated[list[str] | None, typer.Option("--catalog", help="only there; repeat it")]
Environments = Annotated[
    list[str] | None, typer.Option("--environment", help="only there; repeat it")
]
Lasts = Annotated[str, typer.Option("--for", help="90s, 15m, 2h or 7d")]
Uses = Annotated[int | None, typer.Option(min=1, max=1_000_000, help="how often; none: any time")]
Ticket = Annotated[str, typer.Option(help="ticket, for the archive")]
Key = Annotated[Path | None, typer.Option(help="your key's file, instead of this machine's")]

grant_app = typer.Typer(help="Rights for a limited time.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(grant_app, name="grant")


@grant_app.command("request")
def request(
    context: typer.Context,
    name: Name,
    lasts: Lasts,
    reason: Reason,
    resources: Resources = None,
    condition: Condition = "",
    verbs: Verbs = None,
    types: Types = None,
    systems: Systems = None,
    catalogs: Catalogs = None,
    environments: Environments = None,
    uses: Uses = None,
    ticket: Ticket = "",
    on_behalf_of: Annotated[str, typer.Option(help="the person for whom it acts")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask administrators for a grant for the configured principal; this machine's executor signs."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.durations import duration_of
    from console.grants import Wish, ask
    from console.grants_told import described

    wish = Wish(
        name=name,
        scope=_scope(resources, condition, verbs, types, systems, catalogs, environments),
        lasts=duration_of(lasts),
        reason=reason,
        max_uses=uses,
        ticket=ticket or None,
        on_behalf_of=on_behalf_of or None,
    )
    asked = ask(settings_of(context), wish)
    if as_json:
        print_json(asked.model_dump(mode="json", exclude_none=True))
        return
    typer.echo(f"request {asked.id}")
    typer.echo(one_line(f"asked for `{name}` for {asked.principal}: {described(asked.scope)}"))
    answer = f"sluicegate grant issue --request {asked.id} --reason WHY"
    typer.echo(f"an administrator answers with `{answer}`")


@grant_app.command("issue")
def issue(
    context: typer.Context,
    reason: Reason,
    request: Annotated[str, typer.Option(help="id of the request that it answers")] = "",
    principal: Annotated[str, typer.Option(help="who gets it, without a request")] = "",
    name: Annotated[str, typer.Option(help="what sort of right, without a request")] = "",
    lasts: Annotated[str, typer.Option("--for", help="30m …; a request: as asked")] = "",
    begins: Annotated[str, typer.Option("--from", help="2026-01-02T03:04:05Z; else now")] = "",
    resources: Resources = None,
    condition: Condition = "",
    verbs: Verbs = None,
    types: Types = None,
    systems: Systems = None,
    catalogs: Catalogs = None,
    environments: Environments = None,
    uses: Uses = None,
    ticket: Ticket = "",
    force: Annotated[bool, typer.Option("--force", help="also if it is not enrolled")] = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Issue a grant, as a request asks for it or as the options say; done when Kafka has it."""
    from dataclasses import replace

    from console.administering import administered
    from console.durations import duration_of, moment_of
    from console.grants import Terms, check_bounds, terms_of, wish_of
    from console.grants import issue as issue_it
    from enforcers.contract.grant import GrantScope
    from enforcers.contract.trust import Role

    scope = _scope(resources, condition, verbs, types, systems, catalogs, environments)
    own = scope != GrantScope() or bool(principal or name or ticket)
    _check_usage(request, own, bool(principal and name and lasts))
    span = duration_of(lasts) if lasts else None
    start = moment_of(begins) if begins else None
    if not request:
        check_bounds(scope)
    with administered(settings_of(context), key, (Role.ADMINISTRATOR,)) as desk:
        if request:
            terms = replace(terms_of(wish_of(desk, request), span, uses), begins=start)
        else:
            assert span is not None
            terms = Terms(principal, name, scope, span, start, uses, ticket or None)
        grant = issue_it(desk, terms, reason, force=force)
        now = desk.now
    _tell(grant, now, as_json)


@grant_app.command("list")
def listing(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="also those that ended")] = False,
    principal: Annotated[str, typer.Option(help="only those of one principal")] = "",
    as_json: AsJson = False,
) -> None:
    """Grants that hold now or will; judges count their uses."""
    from console.administering import consulted, note_on
    from console.grants import listed
    from console.grants_told import body, cells

    with consulted(settings_of(context)) as desk:
        found = [one for one in listed(desk, every=every) if principal in ("", one.principal)]
        ignored, now = desk.ignored, desk.now
    if as_json:
        print_json({"grants": [body(one, now) for one in found], "ignored": ignored})
        return
    show_table(COLUMNS, ([*map(_exact, cells(one, now))] for one in found))
    if ignored:
        typer.echo(one_line(note_on(ignored)), err=True)


@grant_app.command("show")
def show(context: typer.Context, identity: Identity, as_json: AsJson = False) -> None:
    """One grant: what it covers, until when, and who issued it why."""
    from console.administering import consulted
    from console.grants import one_of
    from console.grants_told import body, told

    with consulted(settings_of(context)) as desk:
        grant, now = one_of(desk, identity), desk.now
    if as_json:
        print_json(body(grant, now))
        return
    for what, text in told(grant, now):
        typer.echo(f"{what:<11}{_exact(text)}")


@grant_app.command("revoke")
def revoke(
    context: typer.Context,
    identity: Identity,
    reason: Reason,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Take a grant back; done when Kafka has acknowledged it."""
    from enforcers.contract.grant import GrantStatus

    _end(context, identity, GrantStatus.REVOKED, reason, key, as_json)


@grant_app.command("complete")
def complete(
    context: typer.Context,
    identity: Identity,
    reason: Reason = "the work is done",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """End a grant whose work is done."""
    from enforcers.contract.grant import GrantStatus

    _end(context, identity, GrantStatus.COMPLETED, reason, key, as_json)


@grant_app.command("requests")
def requests(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="also those that were answered")] = False,
    as_json: AsJson = False,
) -> None:
    """Requests for grants that nobody has answered yet, the oldest first."""
    from console.administering import consulted, note_on
    from console.grants import wishes
    from console.grants_told import asked, asked_cells

    with consulted(settings_of(context)) as desk:
        found = [(one, answer) for one, answer in wishes(desk) if every or answer is None]
        ignored = desk.ignored
    if as_json:
        print_json({"requests": [asked(*one) for one in found], "ignored": ignored})
        return
    show_table(ASKED, ([*map(_exact, asked_cells(*one))] for one in found))
    if ignored:
        typer.echo(one_line(note_on(ignored)), err=True)


def _scope(
    resources: list[str] | None,
    condition: str,
    verbs: list[str] | None,
    types: list[str] | None,
    systems: list[str] | None,
    catalogs: list[str] | None,
    environments: list[str] | None,
) -> GrantScope:
    from console.proposing import held_to_contract
    from enforcers.contract.grant import GrantScope

    with held_to_contract():
        return GrantScope(
            verbs=tuple(verbs or ()),
            resources=tuple(resources or ()),
            types=tuple(types or ()),
            systems=tuple(systems or ()),
            catalogs=tuple(catalogs or ()),
            environments=tuple(environments or ()),
            condition=condition or None,
        )


def _check_usage(request: str, own: bool, complete: bool) -> None:
    if request and own:
        raise ContractError(
            "--request brings principal, name, scope and ticket with it; leave these options out"
        )
    if not request and not complete:
        raise ContractError("give --request, or --principal, --name, --for and a scope")


def _end(
    context: typer.Context,
    identity: str,
    status: GrantStatus,
    reason: str,
    key: Path | None,
    as_json: bool,
) -> None:
    from console.administering import administered
    from console.grants import end
    from enforcers.contract.trust import Role

    with administered(settings_of(context), key, (Role.ADMINISTRATOR,)) as desk:
        grant, now = end(desk, identity, status, reason), desk.now
    _tell(grant, now, as_json)


def _tell(grant: Grant, now: datetime, as_json: bool) -> None:
    from console.grants_told import body, told_briefly

    if as_json:
        print_json(body(grant, now))
        return
    for line in told_briefly(grant, now):
        typer.echo(_exact(line))


def _exact(text: str) -> str:
    """A text in one line, with nothing left out: spaces in a condition may matter."""
    return harmless(text.replace("\n", "\\n"))
