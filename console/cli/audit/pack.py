"""`sluicegate audit pack`: everything about a period in one directory, for an auditor to take along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import From, To, asked, period
from console.cli.context import AsJson, tell
from console.reads.recording import count_rows

Out = Annotated[Path, typer.Option(help="a directory that does not exist yet")]
Sample = Annotated[int, typer.Option(min=0, max=10_000, help="actions that are told whole")]
Seed = Annotated[str, typer.Option(help="what draws the sample; the same seed draws the same")]
Zip = Annotated[bool, typer.Option("--zip", help="also OUT.zip")]
WholeLog = Annotated[
    bool, typer.Option("--whole-log", help="prove the whole archive, not the sample alone")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pack")(pack)


def pack(
    context: typer.Context,
    out: Out,
    since: From = "",
    until: To = "",
    sample: Sample = 25,
    seed: Seed = "1",
    whole_log: WholeLog = False,
    zipped: Zip = False,
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Population, sample with proofs, exceptions, access, gaps and integrity of a period, and how to check them."""
    from analytics.audit.elsewhere import elsewhere
    from console.auditing.lines import told_elsewhere
    from console.pack.gathering import Scope, gather
    from console.pack.making import make_pack, zip_pack

    wanted = period(since, until)
    with asked(context, archive) as at:
        scope = Scope(wanted, at.settings.archive, at.settings.zone, sample, seed)
        found = gather(at.connection, scope, at.trust, at.now)
        make_pack(at.connection, found, at.trust, out, at.now, whole_log=whole_log)
        outside = elsewhere(at.connection, wanted)
    count_rows(context, found.population.counted)
    files = [out, zip_pack(out)] if zipped else [out]
    cases = sum(found.exceptions.counts.values())
    body = {
        "out": str(out),
        "zip": str(files[1]) if zipped else None,
        "changes": found.population.counted,
        "sample": len(found.sample),
        "exceptions": cases,
        "elsewhere": outside,
    }
    line = f"{found.population.counted} changes, {len(found.sample)} told whole, {cases} exceptions"
    empty = [f"{label}: {text}" for label, text in told_elsewhere(outside)]
    tell(body, [f"{files[-1]}: {line}; open index.html", *empty], as_json)
