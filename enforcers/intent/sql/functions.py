"""
What is known of functions: which are harmless, which act, and what those do.

A function that is on no list is unknown, and a statement that calls it is opaque. The lists are
data: `data/functions/<family>.txt` holds harmless names, `common.txt` those of most families, and `data/acting.txt`
those that act.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from sqlglot import exp

from enforcers.intent.model import ResourceType, Verb
from enforcers.intent.sql.words import words

_DATA = resources.files("enforcers.intent.sql") / "data"
_BASES = {"redshift": ("postgres",), "ansi": ("postgres",)}
COMPLETE = frozenset({"postgres"})
"""Families whose own list holds all that is built in: what others share is no function there unless it is on it."""
NAMED = words(
    "postgres postgresql materialize risingwave redshift mysql mariadb tidb sqlite oracle snowflake",
)
"""
Dialects in which a call is known by the name that is written. In T-SQL and BigQuery a user's function has its schema
in front; of the others the lists hold less than the parser knows.
"""

PARSED_AND_ACTING: dict[type[exp.Expr], str] = {
    exp.ReadCSV: "read_csv",
    exp.ReadParquet: "read_parquet",
    exp.NextValueFor: "nextval",
    exp.ToFile: "to_file",
    exp.Secret: "secret",
    exp.AIAgg: "ai_agg",
    exp.AIClassify: "ai_classify",
    exp.AIEmbed: "ai_embed",
    exp.AIForecast: "ai_forecast",
    exp.AIGenerate: "ai_generate",
    exp.AISimilarity: "ai_similarity",
    exp.AISummarizeAgg: "ai_summarize_agg",
    exp.FeaturesAtTime: "features_at_time",
    exp.GenerateBool: "ai_generate",
    exp.GenerateDouble: "ai_generate",
    exp.GenerateEmbedding: "ai_embed",
    exp.GenerateInt: "ai_generate",
    exp.GenerateTable: "ai_generate",
    exp.GenerateText: "ai_generate",
    exp.MLForecast: "ml_predict",
    exp.MLTranslate: "ml_predict",
    exp.Predict: "ml_predict",
    exp.VectorSearch: "vector_search",
}
"""Functions with a node of their own that are not harmless, by the name they act under."""

NAMED_ONLY: tuple[type[exp.Expr], ...] = (
    exp.Anonymous,
    exp.AnonymousAggFunc,
    exp.CombinedAggFunc,
    exp.CombinedParameterizedAgg,
    exp.ParameterizedAgg,
)
"""Nodes that carry nothing but the function's name."""

_BUILT_IN_SCHEMAS = {
    "postgres": words("pg_catalog information_schema"),
    "redshift": words("pg_catalog information_schema"),
    "duckdb": words("pg_catalog information_schema"),
    "bigquery": words("safe net"),
    "tsql": words("sys"),
    "mysql": words("sys"),
    "oracle": words("sys standard"),
    "trino": words("system"),
    "spark": words("builtin"),
}


@dataclass(frozen=True, slots=True)
class Act:
    """What a function does beside returning a value."""

    verb: Verb
    type: ResourceType
    tag: str
    argument: bool
    """Whether the first constant argument names the resource."""


def _words(name: str) -> frozenset[str]:
    path = _DATA / "functions" / f"{name}.txt"
    return frozenset(path.read_text("utf-8").split()) if path.is_file() else frozenset()


def is_built_in(schema: str, family: str) -> bool:
    """Whether a schema, in lower case, is the server's own: a function of any other is a user's, whatever its name."""
    return schema in _BUILT_IN_SCHEMAS.get(family, frozenset())


@cache
def harmless(family: str) -> frozenset[str]:
    """Names of functions that only compute a value in this family, lower case."""
    names = _words(family) if family in COMPLETE else _words("common") | _words(family)
    for base in _BASES.get(family, ()):
        names |= _words(base)
    return names - acting().keys()


@cache
def acting() -> dict[str, Act]:
    """Functions that act, in any dialect: a name that acts in one is not trusted in another."""
    found: dict[str, Act] = {}
    for line in (_DATA / "acting.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            verb, kind, tag, names = line.split(maxsplit=3)
            argument = kind in ("file", "host")
            act = Act(Verb(verb), ResourceType(kind), tag, argument)
            found.update(dict.fromkeys(names.split(), act))
    return found


_FAMILIES_OF_ACTS: tuple[tuple[str, str], ...] = (
    ("dblink", "dblink"),
    ("pg_read_", "pg_read_file"),
    ("pg_ls_", "pg_ls_dir"),
    ("pg_advisory_", "pg_advisory_lock"),
    ("pg_try_advisory_", "pg_advisory_lock"),
    ("pg_logical_", "pg_logical_slot_get_changes"),
    ("pg_replication_", "pg_promote"),
    ("pg_sleep", "pg_sleep"),
    ("pg_stat_reset", "pg_stat_reset"),
    ("lo_", "lo_export"),
    ("read_", "read_csv"),
    ("xp_", "xp_cmdshell"),
    ("sp_", "sp_executesql"),
    ("http_", "http_get"),
    ("ai_", "ai_generate"),
    ("utl_", "utl_http"),
    ("sys_exec", "sys_exec"),
    ("system$", "system$"),
)


def act_of(name: str) -> Act | None:
    """What the function does, by its name or by the family that its prefix names."""
    found = acting().get(name)
    if found is not None:
        return found
    for prefix, pattern in _FAMILIES_OF_ACTS:
        if name.startswith(prefix):
            return acting()[pattern]
    return None
