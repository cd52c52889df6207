"""Tables for people. Nothing is cut off: a long word goes on in the next line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from console.cli.exits import harmless

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
