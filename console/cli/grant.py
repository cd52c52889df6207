"""`sluicegate grant`: ask for a right for a limited time, issue it, look at it, end it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, administrators_desk, settings_of, tell, visitors_desk
from console.cli.options import Id, Key, Reason, Several, given
from console.cli.tables import show_list
from console.plain import one_line
from enforcers.errors import ContractError, PolicyError

if TYPE_CHECKING:
    from datetime import datetime

    from enforcers.contract.grant import Grant, GrantScope

COLUMNS = ("id", "state", "name", "principal", "covers", "from", "until", "uses", "by", "reason")
ASKED = ("id", "when", "name", "principal", "executor", "covers", "for", "uses", "reason", "answer")

Name = Annotated[str, typer.Option(help="what sort of right, as rules ask for it: `bulk-dml`")]
Resources = Annotated[
    Several, typer.Option("--resource", help="names, with `*`: `billing.*`; repeat it")
]
Condition = Annotated[str, typer.Option(help="CEL, as in policies; `effect` is the effect")]
Verbs = Annotated[Several, typer.Option("--verb", help="`read`, `write` …; none: any; repeat it")]
Types = Annotated[Several, typer.Option("--type", help="`program` …; none: tables; repeat it")]
Systems = Annotated[Several, typer.Option("--system", help="only there; repeat it")]
Catalogs = Annotated[Several, typer.Option("--catalog", help="only there; repeat it")]
Environments = Annotated[Several, typer.Option("--environment", help="only there; repeat it")]
Lasts = Annotated[str, typer.Option("--for", help="90s, 15m, 2h or 7d")]
Uses = Annotated[int | None, typer.Option(min=1, max=1_000_000, help="how often; none: any time")]
Ticket = Annotated[str, typer.Option(help="ticket, for the archive")]

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
    with _in_options():
        asked = ask(settings_of(context), wish)
    lines = (
        f"request {asked.id}",
        one_line(f"asked for `{name}` for {asked.principal}: {described(asked.scope)}"),
        f"an administrator answers with `sluicegate grant issue --request {asked.id} --reason WHY`",
    )
    tell(asked.model_dump(mode="json", exclude_none=True), lines, as_json)


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

    from console.durations import duration_of, moment_of
    from console.grants import Terms, check_bounds, terms_of, wish_of
    from console.grants import issue as issue_it
    from enforcers.contract.grant import GrantScope

    scope = _scope(resources, condition, verbs, types, systems, catalogs, environments)
    own = scope != GrantScope() or bool(principal or name or ticket)
    _check_usage(request, own, bool(principal and name and lasts))
    span = duration_of(lasts) if lasts else None
    start = moment_of(begins) if begins else None
    if not request:
        with _in_options():
            check_bounds(scope)
    with administrators_desk(context, key) as desk:
        if request:
            terms = replace(terms_of(wish_of(desk, request), span, uses), begins=start)
        else:
            assert span is not None
            terms = Terms(principal, name, scope, span, start, uses, ticket or None)
        grant, now = issue_it(desk, terms, reason, force=force), desk.now
    _tell(grant, now, as_json)


@grant_app.command("list")
def listing(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="also those that ended")] = False,
    principal: Annotated[str, typer.Option(help="only those of one principal")] = "",
    as_json: AsJson = False,
) -> None:
    """Grants that hold now or will; judges count their uses."""
    from console.grants import listed
    from console.grants_told import body, cells

    with visitors_desk(context) as desk:
        known, now = listed(desk, every=every), desk.now
    found = [(body(one, now), cells(one, now)) for one in known if principal in ("", one.principal)]
    show_list("grants", COLUMNS, found, desk.ignored, as_json, "nothing is granted")


@grant_app.command("show")
def show(context: typer.Context, identity: Id, as_json: AsJson = False) -> None:
    """One grant: what it covers, until when, and who issued it why."""
    from console.grants import one_of
    from console.grants_told import body, told

    with visitors_desk(context) as desk:
        grant, now = one_of(desk, identity), desk.now
    tell(body(grant, now), (f"{what:<11}{text}" for what, text in told(grant, now)), as_json)


@grant_app.command("revoke")
def revoke(
    context: typer.Context, identity: Id, reason: Reason, key: Key = None, as_json: AsJson = False
) -> None:
    """Take a grant back; done when Kafka has acknowledged it."""
    _end(context, identity, reason, key, as_json, status="revoked")


@grant_app.command("complete")
def complete(
    context: typer.Context,
    identity: Id,
    reason: Reason = "the work is done",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """End a grant whose work is done."""
    _end(context, identity, reason, key, as_json, status="completed")


@grant_app.command("requests")
def requests(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="also those that were answered")] = False,
    as_json: AsJson = False,
) -> None:
    """Requests for grants that nobody has answered yet, the oldest first."""
    from console.grants import wishes
    from console.grants_told import asked, asked_cells

    with visitors_desk(context) as desk:
        known = [one for one in wishes(desk) if every or one[1] is None]
    found = [(asked(*one), asked_cells(*one)) for one in known]
    show_list("requests", ASKED, found, desk.ignored, as_json, "nothing is asked")


def _scope(
    resources: Several,
    condition: str,
    verbs: Several,
    types: Several,
    systems: Several,
    catalogs: Several,
    environments: Several,
) -> GrantScope:
    from console.contracted import held_to_contract
    from enforcers.contract.grant import GrantScope

    where = given(systems=systems, catalogs=catalogs, environments=environments)
    what = given(resources=resources, condition=condition, verbs=verbs, types=types)
    with held_to_contract():
        return GrantScope(**what, **where)


@contextlib.contextmanager
def _in_options() -> Iterator[None]:
    """What a scope must have is named as it is typed here."""
    from enforcers.policy.granting import NO_BOUNDS

    try:
        yield
    except PolicyError as error:
        words = str(error).replace(NO_BOUNDS, "give --resource or --condition")
        raise PolicyError(words) from error


def _check_usage(request: str, own: bool, complete: bool) -> None:
    if request and own:
        raise ContractError(
            "--request brings principal, name, scope and ticket with it; leave these options out"
        )
    if not request and not complete:
        raise ContractError("give --request, or --principal, --name, --for and a scope")


def _end(
    context: typer.Context, identity: str, reason: str, key: Path | None, as_json: bool, status: str
) -> None:
    from console.grants import end
    from enforcers.contract.grant import GrantStatus

    with administrators_desk(context, key) as desk:
        grant, now = end(desk, identity, GrantStatus(status), reason), desk.now
    _tell(grant, now, as_json)


def _tell(grant: Grant, now: datetime, as_json: bool) -> None:
    from console.grants_told import body, told_briefly

    tell(body(grant, now), told_briefly(grant, now), as_json)
