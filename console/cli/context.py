"""What every command shares: the settings under its flags, and JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from console.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="one JSON object, for programs")]


def settings_of(context: typer.Context, **flags: Any) -> Settings:
    """
    The settings under the global flags and these; an empty flag was not given.

    Raises SettingsError.
    """
    given = {**(context.obj or {}), **flags}
    return Settings.load({name: value for name, value in given.items() if value not in ("", None)})


def print_json(body: Any) -> None:
    """One JSON value on standard output."""
    typer.echo(json.dumps(body, default=_plain))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
