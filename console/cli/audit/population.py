"""`sluicegate audit population`: everything that was done in a period, counted, listed and sampled."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import Force, From, Page, To, asked, period
from console.cli.audit.story import show_lines
from console.cli.context import AsJson
from console.json_values import json_value
from console.reads.recording import count_rows

Csv = Annotated[Path | None, typer.Option("--csv", help="write every row to a file; - prints them")]
Sample = Annotated[int, typer.Option(min=0, help="draw so many rows; 0: all of them")]
Seed = Annotated[str, typer.Option(help="what draws the sample; the same seed draws the same")]
Every = Annotated[bool, typer.Option("--all", help="also actions that only read")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("population")(population)


def population(
    context: typer.Context,
    since: From = "",
    until: To = "",
    sample: Sample = 0,
    seed: Seed = "1",
    every: Every = False,
    csv: Csv = None,
    force: Force = False,
    archive: Archive = None,
    page: Page = None,
    as_json: AsJson = False,
) -> None:
    """
    Every change of a period, counted and listed, or a sample that anybody can draw again.

    Decision none: no verdict that counts. Outcome none: nobody reported one; unknown: its executor does not know;
    no_verdict: its executor got no answer and did nothing.
    """
    from analytics.audit import population as query
    from analytics.audit.elsewhere import elsewhere
    from console.auditing.lines import told_elsewhere, told_population
    from console.pages.writing import refuse_to_replace

    wanted = period(since, until)
    if csv is not None:
        refuse_to_replace(csv, force)
    with asked(context, archive) as at:
        found = query.population(at.connection, wanted, at.trust, changes_only=not every)
        count_rows(context, min(sample, found.counted) if sample else found.counted)
        drawn: Iterable[dict[str, Any]] = (
            query.sample(at.connection, sample, seed, changes_only=not every)
            if sample
            else query.listed(at.connection, changes_only=not every)
        )
        if page is not None:
            from console.pages.figures import page_of_population
            from console.pages.writing import write_page

            write_page(page, page_of_population(found))
        if csv is not None:
            _write_csv(csv, drawn)
        outside = elsewhere(at.connection, wanted)
        if as_json:
            _print_json(found, drawn if csv is None else (), outside)
    if not as_json and str(csv) != "-":
        show_lines([*told_population(found), *told_elsewhere(outside)])
        if sample and csv is None:
            show_lines(_told_sample(drawn))


def _write_csv(path: Path, drawn: Iterable[Mapping[str, Any]]) -> None:
    from console.auditing.csvs import POPULATION, csv_lines
    from console.pages.writing import write_lines

    lines = csv_lines(POPULATION, drawn)
    if str(path) == "-":
        sys.stdout.writelines(lines)
    else:
        write_lines(path, lines)


def _print_json(found: Any, drawn: Iterable[Mapping[str, Any]], outside: Any) -> None:
    """One object, its rows one after the other: there may be more than fit into memory."""
    from console.auditing.bodies import population_body

    head = json.dumps({**population_body(found), "elsewhere": outside}, default=json_value)
    typer.echo(f'{head[:-1]}, "actions": [', nl=False)
    for number, row in enumerate(drawn):
        typer.echo(f"{',' if number else ''}{json.dumps(row, default=json_value)}", nl=False)
    typer.echo("]}")


def _told_sample(drawn: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for row in drawn:
        what = f"{row['decision']}, {row['outcome']}, {row['principal']}: {row['text'][:120]}"
        yield "sample", f"{row['action_id']} sequence {row['seq']}"
        yield "", what
