"""`sluicegate doctor`: every setting and where it came from, and what does not work here."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from console.checks import Finding, examine
from console.cli.context import AsJson, print_json, settings_of
from console.cli.exits import FAILED
from console.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Every setting with its origin, then every check; ends with 1 where there is a problem."""
    settings = settings_of(context)
    findings = examine(settings)
    if as_json:
        print_json({"settings": described(settings), "checks": list(findings)})
    else:
        console = Console()
        console.print(_settings_table(settings))
        console.print(_checks_table(findings))
    if not all(one.ok for one in findings):
        raise typer.Exit(FAILED)


def described(settings: Settings) -> list[dict[str, Any]]:
    """Every setting as plain values; none of them is a secret."""
    values = settings.model_dump(mode="json")
    return [
        {"name": one.name, "value": values[one.name], "origin": one.origin}
        for one in settings.sources()
    ]


def _settings_table(settings: Settings) -> Table:
    table = Table("setting", "value", "from")
    for one in described(settings):
        value = one["value"] if isinstance(one["value"], str) else json.dumps(one["value"])
        table.add_row(one["name"], escape(value), escape(one["origin"]))
    return table


def _checks_table(findings: tuple[Finding, ...]) -> Table:
    table = Table("check", "", "found", "what to do")
    for one in findings:
        state = "[green]ok[/]" if one.ok else "[red]problem[/]"
        table.add_row(one.check, state, escape(one.detail), escape(one.remedy))
    return table
