"""`sluicegate keys`: make this machine's keys, and show whom it trusts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.context import AsJson, print_json, settings_of
from console.cli.tables import show_table
from console.identity import init_home, load_trust_of, make_approver, trust_key
from enforcers.contract.base import utc_now
from enforcers.contract.trust import TrustedKey

SAME_USER = (
    "note: an agent that runs as this user can read the executor's key; then Sluicegate advises and"
    " does not protect. Give the executor a user of its own"
)

keys_app = typer.Typer(help="Keys of this machine, and whom it trusts.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(keys_app, name="keys")


@keys_app.command("init")
def init(
    context: typer.Context,
    force_missing: Annotated[bool, typer.Option(help="make what is missing")] = False,
    as_json: AsJson = False,
) -> None:
    """Make keys, trust file and principals for this machine; nothing is overwritten."""
    settings = settings_of(context)
    made = init_home(settings, force_missing=force_missing)
    if as_json:
        print_json({"home": settings.home, "made": made.files})
        return
    for path in made.files:
        typer.echo(f"made {path}")
    if not made.files:
        typer.echo(f"everything is there already, nothing was changed: {settings.home}")
    typer.echo(SAME_USER, err=True)


@keys_app.command("approver")
def approver(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="ID", help="id in the trust file")],
    group: Annotated[list[str] | None, typer.Option(help="whose voice it is; repeat it")] = None,
    person: Annotated[str, typer.Option(help="who holds it, as enrolled: `human:ada`")] = "",
    out: Annotated[Path | None, typer.Option(help="the key's file")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="add it to the trust file")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a key that may vote on requests, and print its entry for the trust file."""
    settings = settings_of(context)
    path, entry = make_approver(settings, identity, group or (), person, out)
    if trust:
        trust_key(settings, entry)
    written = entry.model_dump(mode="json", exclude_defaults=True)
    if as_json:
        print_json({"made": path, "entry": written, "trusted": trust})
        return
    typer.echo(f"made {path}")
    typer.echo(
        f"added to {settings.trust}:" if trust else f"add this to `keys` of {settings.trust}:"
    )
    typer.echo(json.dumps(written, indent=2))
    typer.echo("judges read the trust file when they start; start them again", err=True)


@keys_app.command("show")
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Trusted public keys: id, role, key id, validity."""
    entries = [_entry(key) for key in load_trust_of(settings_of(context)).keys.values()]
    if as_json:
        print_json({"keys": entries})
        return
    show_table(("id", "role", "key id", "valid, and what for"), map(_row, entries))


def _entry(key: TrustedKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "role": key.role.value,
        "kid": key.kid,
        "not_before": _text(key.not_before),
        "not_after": _text(key.not_after),
        "valid_now": key.valid_at(utc_now()),
        "person": key.person,
        "groups": list(key.groups),
        "capabilities": [one.value for one in key.capabilities],
    }


def _row(entry: dict[str, Any]) -> Sequence[str]:
    named = {
        "person": entry["person"] or "",
        "groups": " ".join(entry["groups"]),
        "carries out": " ".join(entry["capabilities"]),
    }
    more = [f"{what} {names}" for what, names in named.items() if names]
    # In one column: each in its own leaves no room for any of them in a narrow terminal.
    return (entry["id"], entry["role"], entry["kid"], "\n".join([_validity(entry), *more]))


def _validity(entry: dict[str, Any]) -> str:
    span = f"{entry['not_before'] or 'always'} … {entry['not_after'] or 'without end'}"
    return span if entry["valid_now"] else f"{span} (not now)"


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
