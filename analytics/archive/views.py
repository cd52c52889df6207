"""`views.sql`: the few lines that turn a plain DuckDB session into a reader of the archive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from analytics.archive.schema import READINGS, TYPED, milliseconds, parsed, quoted, read_sql
from analytics.archive.spans import span_of
from analytics.archive.structures import PAYLOAD, VERDICT

OUTCOME_GRACE_S = 10
"""So long after its verdict ran out, an allowed action that nobody reported on has the outcome `none`."""

_ANSWERS = "archived_in(NULL, since::TIMESTAMPTZ - INTERVAL 1 HOUR, NULL)"
"""An answer is recorded after its action; brokers' clocks may differ."""

_FITTING = {name: VERDICT[name] for name in ("action_digest", "executor")}
"""By which an answer fits an action."""


def views_sql(directory: Path, sources: Sequence[str], stored: Path | None = None) -> str:
    """
    Views over the given Parquet paths, which are relative to `directory`.

    `stored` is where the files lie that the views are to tell of, if they lie elsewhere.
    """
    paths = [quoted(f"{directory}/{source}") for source in sources]
    words = {name: parsed(name, "word") for name in READINGS if name not in TYPED}
    return read_sql(
        "views",
        **words,
        **{name: _query(name, "archived") for name in ("actions", "verdicts", "outcomes")},
        actions_in=_query("actions", "archived_in(NULL, since, until)"),
        verdicts_in=_query("verdicts", _ANSWERS),
        outcomes_in=_query("outcomes", _ANSWERS),
        sources=",\n  ".join(paths),
        found=_found(),
        newest=",\n  ".join(paths[-2:]),
        directory=quoted(f"{directory}/"),
        outcome_grace_ms=str(OUTCOME_GRACE_S * 1_000),
        spans=",\n".join(_span(stored or directory, source) for source in sources),
        milliseconds=milliseconds("id::UUID"),
        payload=quoted(json.dumps(PAYLOAD)),
    )


def _query(name: str, rows: str) -> str:
    """One of the queries that stand in a file of their own, over these rows of the archive."""
    return read_sql(name, rows=rows).rstrip()


def _found() -> str:
    """The query for one action, which reads its records' values as segments read them."""
    return read_sql(
        "found",
        named=parsed("action", "decode(value)", _FITTING),
        action=parsed("action", "decode(proposed.value)"),
        verdict=parsed("verdict", "decode(answered.value)"),
        outcome=parsed("outcome", "decode(ended.value)"),
    ).rstrip()


def _span(directory: Path, source: str) -> str:
    return f"  {{file: {source}, {span_of(directory / source).told}}}"
