"""`sluicegate quarantine`: stop a principal, a target or everything, and let it go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.context import AsJson, administrators_desk, print_lines, tell, visitors_desk
from console.cli.options import Id, Key, Reason, given
from console.cli.tables import show_list
from console.plain import one_line
from enforcers.errors import ContractError

if TYPE_CHECKING:
    from enforcers.contract.control import Control

COLUMNS = ("id", "stops", "until", "since", "by", "rule", "reason")
STOPPED = "EVERYTHING IS STOPPED: judges deny every action of every principal on every target"

quarantine_app = typer.Typer(help="Stop a principal, a target or everything.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(quarantine_app, name="quarantine")


@quarantine_app.command("add")
def add(
    context: typer.Context,
    reason: Reason,
    principal: Annotated[str, typer.Option(help="also where another acts on its behalf")] = "",
    session: Annotated[str, typer.Option(help="one session")] = "",
    system: Annotated[str, typer.Option(help="a target's system, such as `postgres`")] = "",
    catalog: Annotated[str, typer.Option(help="a target's catalog")] = "",
    environment: Annotated[str, typer.Option(help="such as `production`")] = "",
    everything: Annotated[
        bool, typer.Option("--everything", help="the kill switch: every action of everybody")
    ] = False,
    lasts: Annotated[str, typer.Option("--for", help="90s, 15m, 2h, 7d; else until lifted")] = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Stop what fits everything that is given; done when Kafka has acknowledged it."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.contracted import held_to_contract
    from console.durations import duration_of, until
    from console.quarantines import described, stop
    from enforcers.contract.control import Quarantined

    target = given(system=system, catalog=catalog, environment=environment)
    named = given(principal=principal, session=session, **target)
    if everything == bool(named):
        raise ContractError(
            "a quarantine names a principal or a target, or is for everything;"
            " give --principal, --system …, or --everything alone"
        )
    with held_to_contract():
        stops = Quarantined(**named, everything=everything)
    span = duration_of(lasts) if lasts else None
    with administrators_desk(context, key) as desk:
        control = stop(desk, stops, span, reason)
        known = not principal or principal in desk.state.principals
    ends = f"stopped {until(control.expires_at)}: {described(stops)}"
    if everything and not as_json:
        print_lines((STOPPED,), err=True)
    tell(body(control), (f"quarantine {control.control}", ends), as_json)
    if not known and not as_json:
        print_lines((f"note: nobody is enrolled as `{principal}`",), err=True)


@quarantine_app.command("lift")
def lift(
    context: typer.Context, identity: Id, reason: Reason, key: Key = None, as_json: AsJson = False
) -> None:
    """Let what a quarantine stopped go on."""
    from console.quarantines import described, holding
    from console.quarantines import lift as lift_it

    with administrators_desk(context, key) as desk:
        control = lift_it(desk, identity, reason)
        left = holding(desk)
    told = {**body(control), "still_holding": [str(one.control) for one in left]}
    others = f"lifted: {described(control.stops)}; others that hold: {len(left)}"
    tell(told, (f"quarantine {control.control}", others), as_json)


@quarantine_app.command("list")
def listing(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="also those whose time is over")] = False,
    as_json: AsJson = False,
) -> None:
    """What is stopped now, the oldest first."""
    from console.quarantines import holding

    with visitors_desk(context) as desk:
        found = [(body(one), _row(one)) for one in holding(desk, every=every)]
    show_list("quarantines", COLUMNS, found, desk.ignored, as_json, "nothing is stopped")


def body(control: Control) -> dict[str, Any]:
    """A quarantine as JSON."""
    return control.model_dump(mode="json", exclude_none=True, exclude={"id"})


def _row(control: Control) -> Sequence[str]:
    from console.durations import shown
    from console.quarantines import described

    cells = (
        str(control.control),
        described(control.stops),
        shown(control.expires_at) if control.expires_at else "without end",
        shown(control.issue.at),
        control.issue.by,
        control.rule or "",
        control.issue.reason,
    )
    return [one_line(cell) for cell in cells]
