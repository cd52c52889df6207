"""Which names of tables are paths, so that a server opens a file or a host where no such table is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot.tokenizer_core import Token

from enforcers.intent.sql.words import words

_SIGNS = frozenset("/\\:*?")
_ENDINGS = tuple(
    f".{ending}"
    for ending in words(
        "csv tsv txt parquet json jsonl ndjson geojson geojsonl xlsx db ddb duckdb sqlite arrow ",
        "arrows feather orc avro gz zst shp gpkg fgb vortex lance",
    )
)
_DOT = re.compile(r"\s*\.\s*")


def has_path_sign(name: str) -> bool:
    """Whether the name holds a sign that parts folders or hosts, or that stands for other signs."""
    return not _SIGNS.isdisjoint(name)


def is_path(name: str) -> bool:
    """Whether DuckDB opens a file of that name, the parts of which are joined by dots, if it finds no table."""
    return has_path_sign(name) or name.lower().endswith(_ENDINGS)


def name_path(tokens: Sequence[Token]) -> bool:
    """Whether any name among the tokens is a path, however its parts are quoted."""
    text = " ".join(token.text for token in tokens)
    return any(map(is_path, _DOT.sub(".", text).split()))
