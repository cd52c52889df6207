"""`sluicegate agents`: who may propose, as what, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.context import AsJson, print_json, settings_of
from console.cli.exits import one_line
from console.cli.tables import show_table
from enforcers.contract.action import PrincipalKind

if TYPE_CHECKING:
    from console.agents import Changed
    from console.settings import Settings
    from enforcers.contract.enrolment import EnrolledPrincipal

COLUMNS = ("id", "kind", "state", "owner", "groups", "permissions", "scope", "keys", "said by")

Identity = Annotated[str, typer.Argument(metavar="ID", help="the principal's id")]
Reason = Annotated[str, typer.Option(help="why, for the archive")]
Key = Annotated[Path | None, typer.Option(help="your key's file, instead of this machine's")]
KeyOut = Annotated[Path | None, typer.Option(help="make it a key here; then it must sign")]
Owner = Annotated[str, typer.Option(help="the person who answers for it: `human:ada`")]
Until = Annotated[str, typer.Option(help="when it ends by itself: 2026-01-02T03:04:05Z")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="repeat it")]
Permissions = Annotated[list[str] | None, typer.Option("--permission", help="`read` …; repeat it")]
Executors = Annotated[
    list[str] | None, typer.Option("--executor", help="who may speak for it; none: all; repeat it")
]
Kinds = Annotated[
    list[str] | None, typer.Option("--scope-kind", help="`sql` …; none: any; repeat it")
]
Systems = Annotated[list[str] | None, typer.Option("--scope-system", help="none: any; repeat it")]
Catalogs = Annotated[list[str] | None, typer.Option("--scope-catalog", help="none: any; repeat it")]
Environments = Annotated[
    list[str] | None, typer.Option("--scope-environment", help="none: any; repeat it")
]

agents_app = typer.Typer(
    help="Who may propose: agents, services, jobs, people.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(agents_app, name="agents")


@agents_app.command("enroll")
def enroll(
    context: typer.Context,
    identity: Identity,
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

    given = _given(owner, until, groups, permissions, executors)
    scope = _scope(scope_kinds, systems, catalogs, environments)
    fields = {"id": identity, "kind": kind, **given, "scope": scope}
    with _desk(settings_of(context), key) as desk:
        changed = enroll_it(desk, fields, reason, key_out=key_out, replace=replace)
    _tell(changed, as_json, key_out)


@agents_app.command("scope")
def scope(
    context: typer.Context,
    identity: Identity,
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
    clear: Annotated[
        list[str] | None, typer.Option(help="empty `groups`, `systems` …; repeat it")
    ] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change what a principal may do and where; a list that is given takes the old one's place."""
    from console.agents import rescope

    given = _given(owner, until, groups, permissions, executors)
    within = _scope(scope_kinds, systems, catalogs, environments)
    with _desk(settings_of(context), key) as desk:
        changed = rescope(desk, identity, {**given, **within}, clear or (), reason)
    _tell(changed, as_json)


@agents_app.command("disable")
def disable(
    context: typer.Context,
    identity: Identity,
    reason: Reason,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Stop a principal from proposing; done when Kafka has acknowledged it."""
    _switch(context, identity, True, reason, key, as_json)


@agents_app.command("enable")
def enable(
    context: typer.Context,
    identity: Identity,
    reason: Reason,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Let a principal that was disabled propose again."""
    _switch(context, identity, False, reason, key, as_json)


@agents_app.command("rotate")
def rotate(
    context: typer.Context,
    identity: Identity,
    key_out: Annotated[Path, typer.Option(help="where its new key goes")],
    reason: Reason,
    keep_old: Annotated[bool, typer.Option("--keep-old", help="the old keys hold as well")] = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Give a principal a new key; the old one is refused from the moment that judges read it."""
    from console.agents import rotate as rotate_it

    with _desk(settings_of(context), key) as desk:
        changed = rotate_it(desk, identity, key_out, reason, keep_old=keep_old)
    _tell(changed, as_json, key_out)


@agents_app.command("list")
def listing(context: typer.Context, as_json: AsJson = False) -> None:
    """Everybody who is enrolled, by an administrator's record or in the principals file."""
    from console.administering import consulted, note_on
    from console.agents import TOPIC, state_of

    with consulted(settings_of(context)) as desk:
        found, now = sorted(desk.state.principals.values(), key=lambda one: one.id), desk.now
        said = {one.id: desk.state.version_of(TOPIC, one.id) for one in found}
        ignored = desk.ignored
    if as_json:
        entries = [
            {**body(one), "state": state_of(one, now), "version": said[one.id]} for one in found
        ]
        print_json({"principals": entries, "ignored": ignored})
        return
    show_table(COLUMNS, (_row(one, state_of(one, now), said[one.id]) for one in found))
    if ignored:
        typer.echo(one_line(note_on(ignored)), err=True)


@agents_app.command("show")
def show(context: typer.Context, identity: Identity, as_json: AsJson = False) -> None:
    """One principal: what it is, who answers for it, and what it may do where."""
    from console.administering import consulted
    from console.agents import one_of

    with consulted(settings_of(context)) as desk:
        found = one_of(desk, identity)
    if as_json:
        print_json(body(found))
        return
    show_table(("", "now"), ([what, one_line(text)] for what, text in _told(found).items()))


def _desk(settings: Settings, key: Path | None) -> Any:
    from console.administering import administered
    from enforcers.contract.trust import Role

    return administered(settings, key, (Role.ADMINISTRATOR,))


def _switch(
    context: typer.Context,
    identity: str,
    disabled: bool,
    reason: str,
    key: Path | None,
    as_json: bool,
) -> None:
    from console.agents import change

    with _desk(settings_of(context), key) as desk:
        changed = change(desk, identity, {"disabled": disabled}, reason)
    _tell(changed, as_json)


def _given(
    owner: str,
    until: str,
    groups: list[str] | None,
    permissions: list[str] | None,
    executors: list[str] | None,
) -> dict[str, Any]:
    """The fields that were given; the others are left out."""
    from console.durations import moment_of

    fields = {
        "owner": owner,
        "not_after": moment_of(until) if until else None,
        "groups": tuple(groups or ()),
        "permissions": tuple(permissions or ()),
        "executors": tuple(executors or ()),
    }
    return {name: value for name, value in fields.items() if value}


def _scope(
    kinds: list[str] | None,
    systems: list[str] | None,
    catalogs: list[str] | None,
    environments: list[str] | None,
) -> dict[str, Any]:
    fields = {
        "kinds": tuple(kinds or ()),
        "systems": tuple(systems or ()),
        "catalogs": tuple(catalogs or ()),
        "environments": tuple(environments or ()),
    }
    return {name: value for name, value in fields.items() if value}


def _tell(changed: Changed, as_json: bool, key_out: Path | None = None) -> None:
    if as_json:
        before = body(changed.before) if changed.before else None
        print_json({"before": before, "after": body(changed.after), "key": key_out})
        return
    after = _told(changed.after)
    before = _told(changed.before) if changed.before else dict.fromkeys(after, "")
    rows = ([what, one_line(before[what]), one_line(after[what])] for what in after)
    show_table(("", "before", "now"), rows)
    if key_out is not None:
        typer.echo(one_line(f"its private key: {key_out}; hand it over, and keep no copy"))
        typer.echo("the principal names it in its setting `principal_key`")


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


def _row(principal: EnrolledPrincipal, state: str, version: int) -> Sequence[str]:
    told = _told(principal)
    said = f"record, version {version}" if version else "principals file"
    cells = [told[name] for name in ("owner", "groups", "permissions", "scope", "keys")]
    return [one_line(cell) for cell in (principal.id, told["kind"], state, *cells, said)]
