"""Options that several commands take, each with one name and one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="its id, or eight letters of it")]
Reason = Annotated[str, typer.Option(help="why, for the archive")]
Key = Annotated[Path | None, typer.Option(help="your key's file, instead of this machine's")]
Several = list[str] | None
"""Of an option that may be repeated; None where it was not given."""


def given(**flags: Any) -> dict[str, Any]:
    """The flags that were given, lists as tuples; the others are left out."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in flags.items()
        if value
    }
