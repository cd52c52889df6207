"""`sluicegate agents`: who may propose, as what, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.context import AsJson, administrators_desk, visitors_desk
from console.cli.options import Key, Reason, Several, given
from console.cli.tables import show_list, show_report
from console.plain import one_line
from enforcers.contract.action import PrincipalKind

if TYPE_CHECKING:
    from console.agents import Changed
    from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment

COLUMNS = ("id", "kind", "state", "owner", "groups", "permissions", "scope", "keys", "said by")

Id = Annotated[str, typer.Argument(metavar="ID", help="the principal's id")]
KeyOut = Annotated[Path | None, typer.Option(help="make it a key here; then it must sign")]
Owner = Annotated[str, typer.Option(help="the person who answers for it: `human:ada`")]
Until = Annotated[str, typer.Option(help="when it ends by itself: 2026-01-02T03:04:05Z")]
Groups = Annotated[Several, typer.Option("--group", help="repeat it")]
Permissions = Annotated[Several, typer.Option("--permission", help="`read` …; repeat it")]
Executors = Annotated[
    Several, typer.Option("--executor", help="who may speak for it; none: all; repeat it")
]
Kinds = Annotated[Several, typer.Option("--scope-kind", help="`sql` …; none: any; repeat it")]
Systems = Annotated[Several, typer.Option("--scope-system", help="none: any; repeat it")]
Catalogs = Annotated[Several, typer.Option("--scope-catalog", help="none: any; repeat it")]
Environments = Annotated[Several, typer.Option("--scope-environment", help="none: any; repeat it")]

agents_app = typer.Typer(
    help="Who may propose: agents, services, jobs, people.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(agents_app, name="agents")


@agents_app.command("enroll")
def enroll(
    context: typer.Context,
    identity: Id,
    kind: Annotated[PrincipalKind, typer.Option(help="what it is")],
    reason: Reason,
    owner: Owner = "",
    groups: Groups = None,
    permissions: Permissions = None,
    executors: Executors = None,
    scope_kinds: Kinds = None,
    systems: Systems = None,
    catalogs: Catalogs = None,
    environments: Environments = None,
    until: Until = "",
    key_out: KeyOut = None,
    replace: Annotated[bool, typer.Option("--replace", help="say it anew as a whole")] = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a principal; done when Kafka has acknowledged it."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.agents import enroll as enroll_it

    may = _may(owner, until, groups=groups, permissions=permissions, executors=executors)
    where = given(kinds=scope_kinds, systems=systems, catalogs=catalogs, environments=environments)
    fields = {"id": identity, "kind": kind, **may, "scope": where}
    with administrators_desk(context, key) as desk:
        changed = enroll_it(desk, fields, reason, key_out=key_out, replace=replace)
    _tell(changed, as_json, key_out)


@agents_app.command("scope")
def scope(
    context: typer.Context,
    identity: Id,
    reason: Reason,
    owner: Owner = "",
    groups: Groups = None,
    permissions: Permissions = None,
    executors: Executors = None,
    scope_kinds: Kinds = None,
    systems: Systems = None,
    catalogs: Catalogs = None,
    environments: Environments = None,
    until: Until = "",
    clear: Annotated[Several, typer.Option(help="empty `groups`, `systems` …; repeat it")] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change what a principal may do and where; a list that is given takes the old one's place."""
    from console.agents import rescope

    may = _may(owner, until, groups=groups, permissions=permissions, executors=executors)
    where = given(kinds=scope_kinds, systems=systems, catalogs=catalogs, environments=environments)
    with administrators_desk(context, key) as desk:
        changed = rescope(desk, identity, {**may, **where}, clear or (), reason)
    _tell(changed, as_json)


@agents_app.command("disable")
def disable(
    context: typer.Context, identity: Id, reason: Reason, key: Key = None, as_json: AsJson = False
) -> None:
    """Stop a principal from proposing; done when Kafka has acknowledged it."""
    _switch(context, identity, reason, key, as_json, disabled=True)


@agents_app.command("enable")
def enable(
    context: typer.Context, identity: Id, reason: Reason, key: Key = None, as_json: AsJson = False
) -> None:
    """Let a principal that was disabled propose again."""
    _switch(context, identity, reason, key, as_json, disabled=False)


@agents_app.command("rotate")
def rotate(
    context: typer.Context,
    identity: Id,
    key_out: Annotated[Path, typer.Option(help="where its new key goes")],
    reason: Reason,
    keep_old: Annotated[bool, typer.Option("--keep-old", help="the old keys hold as well")] = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Give a principal a new key; the old one is refused from the moment that judges read it."""
    from console.agents import rotate as rotate_it

    with administrators_desk(context, key) as desk:
        changed = rotate_it(desk, identity, key_out, reason, keep_old=keep_old)
    _tell(changed, as_json, key_out)


@agents_app.command("list")
def listing(context: typer.Context, as_json: AsJson = False) -> None:
    """Everybody who is enrolled, by an administrator's record or in the principals file."""
    from console.agents import TOPIC, state_of

    with visitors_desk(context) as desk:
        known, now = sorted(desk.state.principals.items()), desk.now
        said = {name: desk.state.version_of(TOPIC, name) for name, _ in known}
    found = [_entry(one, state_of(one, now), said[name]) for name, one in known]
    show_list("principals", COLUMNS, found, desk.ignored, as_json)


@agents_app.command("show")
def show(context: typer.Context, identity: Id, as_json: AsJson = False) -> None:
    """One principal: what it is, who answers for it, and what it may do where."""
    from console.agents import one_of

    with visitors_desk(context) as desk:
        found, said = one_of(desk, identity), desk.state.enrolment_of(identity)
    told = {**_told(found), **_said(said)}
    rows = ([what, one_line(text)] for what, text in told.items())
    issue = said.issue.model_dump(mode="json") if said else None
    show_report({**body(found), "issue": issue}, ("", "now"), rows, (), as_json)


def _switch(
    context: typer.Context,
    identity: str,
    reason: str,
    key: Path | None,
    as_json: bool,
    disabled: bool,
) -> None:
    from console.agents import change

    with administrators_desk(context, key) as desk:
        changed = change(desk, identity, {"disabled": disabled}, reason)
    _tell(changed, as_json)


def _may(owner: str, until: str, **lists: Several) -> dict[str, Any]:
    """What an enrolment says beside the scope, as far as it was given."""
    from console.durations import moment_of

    return given(owner=owner, not_after=moment_of(until) if until else None, **lists)


def _tell(changed: Changed, as_json: bool, key_out: Path | None = None) -> None:
    old = body(changed.before) if changed.before else None
    now = _told(changed.after)
    before = _told(changed.before) if changed.before else dict.fromkeys(now, "")
    rows = ([what, one_line(before[what]), one_line(now[what])] for what in now)
    hand_over = (
        one_line(f"its private key: {key_out}; hand it over, and keep no copy"),
        "the principal names it in its setting `principal_key`",
    )
    said = {"before": old, "after": body(changed.after), "key": key_out}
    show_report(said, ("", "before", "now"), rows, hand_over if key_out else (), as_json)


def body(principal: EnrolledPrincipal) -> dict[str, Any]:
    """A principal as JSON."""
    return principal.model_dump(mode="json")


def _told(principal: EnrolledPrincipal) -> dict[str, str]:
    from console.agents import described, keys_of
    from console.durations import shown

    return {
        "id": principal.id,
        "kind": principal.kind.value,
        "disabled": "yes" if principal.disabled else "no",
        "until": shown(principal.not_after) if principal.not_after else "without end",
        "owner": principal.owner or "",
        "groups": " ".join(principal.groups),
        "permissions": " ".join(principal.permissions),
        "executors": " ".join(principal.executors) or "every trusted one",
        "scope": described(principal.scope),
        "keys": keys_of(principal) or "none: its executor's word is enough",
    }


def _said(said: Enrolment | None) -> dict[str, str]:
    """Who laid it down, when and why."""
    from console.durations import shown

    if said is None:
        return {"said by": "the principals file"}
    issue = said.issue
    when = f"{shown(issue.at)}, version {issue.version}"
    return {"said by": issue.by, "at": when, "reason": issue.reason}


def _entry(
    principal: EnrolledPrincipal, state: str, version: int
) -> tuple[dict[str, Any], Sequence[str]]:
    """A principal in a list: as JSON, and as a row."""
    told = _told(principal)
    said = f"record, version {version}" if version else "principals file"
    cells = [told[name] for name in ("owner", "groups", "permissions", "scope", "keys")]
    row = [one_line(cell) for cell in (principal.id, told["kind"], state, *cells, said)]
    return {**body(principal), "state": state, "version": version}, row
