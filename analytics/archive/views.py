"""`views.sql`: the few lines that turn a plain DuckDB session into a reader of the archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analytics.archive.schema import quoted, read_sql

OUTCOME_GRACE_S = 10
"""An allowed action without an outcome is `unknown` this long after its verdict ran out."""


def views_sql(directory: Path, sources: Sequence[str]) -> str:
    """Views over the given Parquet paths, which are relative to `directory`."""
    paths = ",\n  ".join(quoted(f"{directory}/{source}") for source in sources)
    return read_sql("views", sources=paths, outcome_grace_ms=str(OUTCOME_GRACE_S * 1_000))
