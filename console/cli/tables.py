"""
Tables for people. Nothing is cut off: a long word goes on in the next line, an id in its own.

    wide enough for whole ids ──▶ a table       else ──▶ each row as a list of its cells
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from console.cli.context import print_json, print_lines
from console.plain import exact, harmless, one_line

if TYPE_CHECKING:
    from rich.table import Table

ID = "id"
"""The column whose cells people copy."""
LEAST = 8
"""Letters in a line that every other column needs; with fewer nobody can read it."""
_FRAME = 3
AS_WIDE_AS_NEEDED = 100_000
"""Columns of what is no terminal, such as a pipe or a file; there nothing is wrapped at all."""


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on standard output. A row without cells draws a line."""
    # Imported here: commands that print no table start without it.
    from rich.console import Console

    names = [harmless(column) for column in columns]
    plain = [[harmless(cell) for cell in row] for row in rows]
    console = Console(width=None if sys.stdout.isatty() else AS_WIDE_AS_NEEDED)
    draw = _table if _fits(names, plain, console.width) else _lists
    console.print(draw(names, plain))


def _fits(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether ids stand whole beside the other columns: only a whole one can be copied."""
    if ID not in columns:
        return True
    from rich.cells import cell_len

    wanted = [max(map(cell_len, cells)) for cells in zip(columns, *filter(None, rows), strict=True)]
    least = (
        most if name == ID else min(most, LEAST) for name, most in zip(columns, wanted, strict=True)
    )
    return sum(least) + _FRAME * len(columns) + 1 <= width


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in columns:
        table.add_column(Text(column), overflow="fold", no_wrap=column == ID)
    for row in rows:
        if row:
            table.add_row(*map(Text, row))
        else:
            table.add_section()
    return table


def _lists(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Each row as lines of a name and a cell, an empty line behind it; names stand in a column of their own."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for row in filter(None, rows):
        for name, cell in zip(columns, row, strict=True):
            table.add_row(Text(name), Text(cell))
        table.add_row()
    return table


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
