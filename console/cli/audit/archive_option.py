"""Which archive a command reads, and whose signatures it believes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.files import is_there
from console.settings import Settings

if TYPE_CHECKING:
    from enforcers.contract.trust import Trust

Archive = Annotated[Path | None, typer.Option(help="directory, instead of the configured")]


def trust_of(settings: Settings) -> Trust | None:
    """An archive can be read without a trust file; then signatures are `not checked`."""
    from console.identity import load_trust_of

    return load_trust_of(settings) if is_there(settings.trust) else None
