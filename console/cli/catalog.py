"""`sluicegate catalog scan TARGET`: write the catalog of a database, for people to edit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import settings_of
from console.files import is_there
from console.plain import counted

if TYPE_CHECKING:
    from enforcers.catalog.draft import Draft

catalog_app = typer.Typer(help="Catalogs: what is declared about tables.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(catalog_app, name="catalog")


@catalog_app.command("scan")
def scan(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="name of a target in the settings")],
    out: Annotated[Path | None, typer.Option(help="the file; tags that stand there stay")] = None,
    rows: Annotated[
        int, typer.Option(min=0, max=10_000, help="most rows of a table that suggest tags; 0: none")
    ] = 100,
) -> None:
    """Read tables, columns, types and keys, and write them as a catalog with suggested tags."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.databases import scan_database
    from enforcers.catalog import load_catalog
    from enforcers.catalog.draft import draft_of
    from enforcers.catalog.writing import catalog_text, write_catalog

    declared = settings_of(context).target(target)
    # Read before the database is: a file that cannot be read is not written over.
    before = load_catalog(out) if out is not None and is_there(out) else None
    structure, samples = scan_database(target, declared, rows)
    draft = draft_of(structure, samples, before)
    if out is None:
        typer.echo(catalog_text(draft), nl=False)
        return
    write_catalog(draft, out)
    _tell(draft, out)


def _tell(draft: Draft, out: Path) -> None:
    suggested = sum(1 for table in draft.tables for column in table.columns if column.why)
    tables, tags = counted(len(draft.tables), "table"), counted(suggested, "suggested tag")
    typer.echo(f"wrote {tables} to {out}; look at {tags}")
    for sign, names in (("+", draft.came), ("-", draft.went)):
        for name in names:
            typer.echo(f"{sign} {name}")
