"""The shapes that the archive can be exported in, and the views that make them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from analytics.archive.database import reported, run

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: what its rows are read from, one after the other."""

    tables: tuple[str, ...]
    """Views, or calls of macros for a period."""
    event: str | None
    """The column that holds a row's JSON object; None: the columns are the row."""


SHAPES: dict[str, Shape] = {
    # All actions in one pass; the views of their three classes are for who asks for one of them.
    "ocsf": Shape(("ocsf_between(since, until)", "ocsf_detection_finding"), "event"),
    "ecs": Shape(("ecs_between(since, until)",), "event"),
    "cloudevents": Shape(("cloudevents",), "event"),
    "records": Shape(("exported_records",), None),
}
"""Every shape by its name. Each table has the columns `time` and `seq`."""

FILES = ("macros", "actions", "ocsf", "ecs", "cloudevents", "records")
"""In the order in which they build on each other."""


def views_sql() -> str:
    """Every statement that sets the views up, on top of those of `views.sql`."""
    folder = resources.files("analytics.exports")
    return "\n".join((folder / f"{name}.sql").read_text("utf-8") for name in FILES)


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the views to a reader's connection. Raises ArchiveError."""
    with reported("views for exports cannot be set up"):
        run(connection, views_sql())
