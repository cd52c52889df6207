"""
What commands share: the settings under their flags, the desk that they work at, and how they answer.

    flags ──▶ settings_of ──▶ visitors_desk, persons_desk, administrators_desk ──▶ tell, print_json
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.json_values import json_value
from console.plain import exact
from console.settings import Settings

if TYPE_CHECKING:
    from console.administering import Consulted, Desk

AsJson = Annotated[bool, typer.Option("--json", help="one JSON object, for programs")]


def settings_of(context: typer.Context, **flags: Any) -> Settings:
    """
    The settings under the global flags and these; an empty flag was not given.

    Raises SettingsError.
    """
    given = {**(context.obj or {}), **flags}
    return Settings.load({name: value for name, value in given.items() if value not in ("", None)})


def visitors_desk(context: typer.Context) -> AbstractContextManager[Consulted]:
    """What holds now, for a command that only looks. Raises SettingsError, TrustError, BrokerError."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.administering import consulted

    return consulted(settings_of(context))


def persons_desk(context: typer.Context, key: Path | None) -> AbstractContextManager[Desk]:
    """
    The desk of whoever may say anything, with the key of a file or else this machine's.

    Raises SettingsError, TrustError, BrokerError.
    """
    from console.administering import administered

    return administered(settings_of(context), key)


def administrators_desk(context: typer.Context, key: Path | None) -> AbstractContextManager[Desk]:
    """As `persons_desk`, for an administrator only."""
    from console.administering import administered
    from enforcers.contract.trust import Role

    return administered(settings_of(context), key, (Role.ADMINISTRATOR,))


def tell(body: Any, lines: Iterable[str], as_json: bool) -> None:
    """The answer of a command: one JSON value for programs, or lines for people."""
    if as_json:
        print_json(body)
    else:
        print_lines(lines)


def print_lines(lines: Iterable[str], err: bool = False) -> None:
    """Each text in a line of its own, with nothing left out of it."""
    for line in lines:
        typer.echo(exact(line), err=err)


def print_json(body: Any) -> None:
    """One JSON value on standard output."""
    typer.echo(json.dumps(body, default=json_value))
