"""How the audit commands tell something: lines whose first words are labels."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable

import typer

from console.cli.tables import AS_WIDE_AS_NEEDED
from console.plain import one_line

LABEL = 10
"""Columns before each line; where a line goes on they are empty, so that no text can look like another line."""


def columns() -> int:
    """How wide a line may be."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else AS_WIDE_AS_NEEDED


def show_lines(lines: Iterable[tuple[str, str]]) -> None:
    paragraph = textwrap.TextWrapper(
        max(columns(), 2 * LABEL), subsequent_indent=" " * LABEL, break_on_hyphens=False
    )
    for what, text in lines:
        paragraph.initial_indent = f"{what:<{LABEL}}"
        typer.echo(paragraph.fill(one_line(text)) or what)
