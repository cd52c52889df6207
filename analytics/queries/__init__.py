"""Queries over the archive's views, one file each."""

from __future__ import annotations

from importlib import resources


def load(name: str) -> str:
    """The text of `NAME.sql`."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text()
