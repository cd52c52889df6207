"""`views.sql`: the few lines that turn a plain DuckDB session into a reader of the archive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from analytics.archive.schema import READINGS, TYPED, milliseconds, parsed, quoted, read_sql
from analytics.archive.structures import PAYLOAD

OUTCOME_GRACE_S = 10
"""An allowed action without an outcome is `unknown` this long after its verdict ran out."""


def views_sql(directory: Path, sources: Sequence[str]) -> str:
    """Views over the given Parquet paths, which are relative to `directory`."""
    paths = [quoted(f"{directory}/{source}") for source in sources]
    words = {name: parsed(name, "word") for name in READINGS if name not in TYPED}
    return read_sql(
        "views",
        **words,
        sources=",\n  ".join(paths),
        newest=",\n    ".join(paths[-2:]),
        milliseconds=milliseconds("id::UUID"),
        payload=quoted(json.dumps(PAYLOAD)),
        outcome_grace_ms=str(OUTCOME_GRACE_S * 1_000),
    )
