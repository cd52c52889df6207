"""`sluicegate archive synth --rows N --seed S --out DIR`: an archive of made-up traffic with labelled incidents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, tell
from console.plain import counted

if TYPE_CHECKING:
    from analytics.synth.filling import Filled
    from analytics.synth.traffic import Plan

Rows = Annotated[int, typer.Option(min=1_000, max=200_000_000, help="how many actions")]
Seed = Annotated[int, typer.Option(min=0, help="the same seed gives the same bytes")]
Out = Annotated[Path, typer.Option(help="a directory that does not exist, or an empty one")]
Days = Annotated[int, typer.Option(min=2, max=400, help="how many days the traffic lasts")]
Agents = Annotated[int, typer.Option(min=10, max=5_000, help="how many agents")]
Signed = Annotated[
    bool, typer.Option("--signed", help="sign every record, which takes twice as long")
]
Quiet = Annotated[bool, typer.Option("--no-incidents", help="only what looks odd and is not")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synth")(synth)


def synth(
    rows: Rows,
    out: Out,
    seed: Seed = 1,
    days: Days = 35,
    agents: Agents = 50,
    signed: Signed = False,
    no_incidents: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make an archive of traffic that never was, and beside it the list of what was hidden in it."""
    # Imported here, for a command waits for nothing that only another one needs.
    import sys

    from analytics.synth.filling import fill
    from analytics.synth.traffic import Plan

    plan = Plan(rows, seed, days, agents, incidents=not no_incidents, signed=signed)
    with typer.progressbar(length=rows, file=sys.stderr) as bar:
        filled = fill(plan, out, lambda at: bar.update(at - bar.pos))
    body = {
        "directory": str(filled.directory),
        "actions": filled.actions,
        "records": filled.records,
        "incidents": len(filled.labels),
    }
    tell(body, _told(filled, plan), as_json)


def _told(filled: Filled, plan: Plan) -> Iterator[str]:
    yield f"{counted(filled.actions, 'action')} in {counted(filled.records, 'record')}"
    kinds = Counter(label.kind.value for label in filled.labels)
    for kind, count in sorted(kinds.items()):
        yield f"  {kind}: {counted(count, 'incident')}"
    yield f"{filled.directory / 'incidents.json'} says where they are"
    end = plan.first + timedelta(days=plan.days + 1)
    yield f"its traffic is of {plan.days} days: give `audit` commands --from {plan.first} --to {end}"
    if not plan.signed:
        yield "its records are NOT signed: with a trust file all of them are forged; --signed signs them"
    yield "its keys are public: trust.json is for trials, and for nothing else"
