"""`sluicegate doctor`: every setting and where it came from, and what does not work here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from console.cli.context import AsJson, print_json, settings_of
from console.cli.exits import FAILED
from console.cli.tables import show_table
from console.plain import one_line
from console.settings import Settings

if TYPE_CHECKING:
    from console.checks import Finding


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Every setting with its origin, then every check; ends with 1 where there is a problem."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.checks import examine

    settings = settings_of(context)
    findings = examine(settings)
    if as_json:
        print_json({"settings": described(settings), "checks": list(findings)})
    else:
        show_table(("setting", "value", "from"), map(_setting, described(settings)))
        show_table(("check", "", "found, and what to do"), map(_check, findings))
    if not all(one.ok for one in findings):
        raise typer.Exit(FAILED)


def described(settings: Settings) -> list[dict[str, Any]]:
    """Every setting as plain values; none of them is a secret."""
    values = settings.model_dump(mode="json")
    return [
        {"name": one.name, "value": values[one.name], "origin": one.origin}
        for one in settings.sources()
    ]


def _setting(one: dict[str, Any]) -> Sequence[str]:
    value = one["value"] if isinstance(one["value"], str) else json.dumps(one["value"])
    return (one["name"], value, one["origin"])


def _check(one: Finding) -> Sequence[str]:
    state = "ok" if one.ok else "problem"
    # Below what was found, so that a command to be copied has a wide column.
    remedy = f"\n→ {one_line(one.remedy)}" if one.remedy else ""
    return (one.check, state if one.asked else "unknown", f"{one_line(one.detail)}{remedy}")
