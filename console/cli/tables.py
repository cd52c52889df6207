"""Tables for people. Nothing is cut off: a long word goes on in the next line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from console.cli.context import print_json, print_lines
from console.plain import exact, harmless, one_line

AS_WIDE_AS_NEEDED = 100_000
"""Columns of what is no terminal, such as a pipe or a file; there nothing is wrapped at all."""


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on standard output. A row without cells draws a line."""
    # Imported here: commands that print no table start without it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in columns:
        table.add_column(Text(harmless(column)), overflow="fold")
    for row in rows:
        if row:
            table.add_row(*[Text(harmless(cell)) for cell in row])
        else:
            table.add_section()
    Console(width=None if sys.stdout.isatty() else AS_WIDE_AS_NEEDED).print(table)


def show_report(
    body: Any,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    lines: Iterable[str],
    as_json: bool,
) -> None:
    """One JSON value for programs; for people a table, where it has rows, and lines below it."""
    if as_json:
        print_json(body)
        return
    if found := list(rows):
        show_table(columns, found)
    print_lines(lines)


def show_list(
    name: str,
    columns: Sequence[str],
    found: Sequence[tuple[Any, Sequence[str]]],
    ignored: Mapping[str, str],
    as_json: bool,
    nothing: str = "",
) -> None:
    """
    What holds, each as JSON and as a row, and what is to say of records that change nothing.

    `nothing` is said where there is nothing; without it the table is empty.
    """
    if as_json:
        print_json({name: [body for body, _ in found], "ignored": ignored})
        return
    if found or not nothing:
        show_table(columns, ([exact(cell) for cell in row] for _, row in found))
    else:
        typer.echo(nothing)
    note_ignored(ignored)


def note_ignored(ignored: Mapping[str, str]) -> None:
    """Say on standard error that records were there which change nothing, if there were any."""
    from console.administering import note_on

    if ignored:
        typer.echo(one_line(note_on(ignored)), err=True)
