"""
Which tables a statement touches: names, aliases, tags and the files and hosts that stand as tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib import resources

from sqlglot import exp

from enforcers.catalog import Catalog, Table
from enforcers.intent.model import Resource, ResourceType
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.file_names import has_path_sign, is_path
from enforcers.intent.sql.words import words

_FILE_FORMATS = words(
    "parquet csv json delta text orc avro binaryfile xml image libsvm hudi iceberg sequencefile"
)
_FILE_READERS = frozenset({"duckdb", "spark", "clickhouse"})
_SCHEMAS_OF_VALUES = frozenset({"pg_toast", "binlog", "sys_query"})


@dataclass(slots=True)
class Seen:
    """One table as the statement writes it, and what is touched of it."""

    namespace: str
    name: str
    alias: str
    table: Table | None
    tags: tuple[str, ...]
    """Tags of the relation as a whole, whatever column is named."""
    columns: set[str] = field(default_factory=set)
    starred: set[str] = field(default_factory=set)
    """Columns that a star reaches which leaves out others."""
    whole: bool = False
    select: exp.Expr | None = None
    """The query whose FROM names it."""
    node: exp.Expr | None = None
    """The node that names it; none where PostgreSQL's own parser read it."""
    outer: frozenset[str] = frozenset()
    """Other qualifiers that cover it: aliases of joins around it, and of its rows in RETURNING."""

    @property
    def names(self) -> frozenset[str]:
        """Qualifiers that mean this table: the alias alone where there is one."""
        if self.alias:
            return frozenset({self.alias})
        return frozenset({self.name.lower(), f"{self.namespace}.{self.name}".lower()})

    def holders(self, catalog: Catalog) -> tuple[Table, ...]:
        """What may lie behind the name: the declared table, or every table of that last name."""
        return (self.table,) if self.table else catalog.namesakes(self.name)

    def touched_tags(self, catalog: Catalog) -> tuple[str, ...]:
        """Tags of what is touched: of the named columns, or of all under a star."""
        found = set(self.tags)
        for tag, names in system_columns(self.namespace, self.name):
            if self.whole or names & self.columns:
                found.add(tag)
        for table in self.holders(catalog):
            found.update(table.tags if self.whole else table.tags_of(self.columns | self.starred))
        return tuple(sorted(found))

    def named_tags(self, catalog: Catalog) -> tuple[str, ...]:
        """Those that do not come from declared columns under a star alone."""
        if self.table is None:
            return self.touched_tags(catalog)
        return (*self.tags, *self.table.tags_of(self.columns))

    def resource(self, catalog: Catalog) -> Resource:
        """The table as a resource of an effect."""
        tags = self.touched_tags(catalog)
        return Resource(ResourceType.TABLE, self.name, self.namespace, tags)


def see(node: exp.Table, catalog: Catalog, reading: Reading) -> Seen:
    """Read the table's name, alias and declaration."""
    name, namespace = node_name(node)
    known = catalog.find(namespace, name)
    if known is None and namespace.lower() == reading.default_schema and namespace:
        known = catalog.find("", name)
    tags = system_tags(namespace, name)
    if "*" in name:
        tags = (*tags, *_wildcard_tags(name, catalog))
    if known is None:
        tags = (*tags, *_tags_behind(namespace, name, catalog))
    return Seen(namespace, name, node.alias.lower(), known, tags, node=node)


def node_name(node: exp.Table) -> tuple[str, str]:
    """Name and namespace of a table node; a name of four parts keeps all of them."""
    parts = [part.name for part in node.parts] if node.this else []
    return (parts[-1], ".".join(parts[:-1])) if parts else ("", "")


def file_behind(node: exp.Table, seen: Seen, reading: Reading) -> bool:
    """Whether the table's name is a path that the server opens as a file."""
    if isinstance(node.this, exp.Var):
        return True
    if reading.family not in _FILE_READERS or seen.table is not None:
        return False
    if seen.namespace.lower() in _FILE_FORMATS:
        return True
    if reading.family == "duckdb":
        # It joins the parts of a name that it does not find.
        full = f"{seen.namespace}.{seen.name}" if seen.namespace else seen.name
        if is_path(full):
            return True
    return bool(node.this.args.get("quoted")) and ("." in seen.name or has_path_sign(seen.name))


def host_behind(seen: Seen, reading: Reading) -> str:
    """The other server that the table's name points to, if it points to one."""
    if reading.family == "oracle" and "@" in seen.name:
        return seen.name.rpartition("@")[2]
    if reading.family == "tsql" and seen.namespace.count(".") >= 2:
        return seen.namespace.split(".", 1)[0]
    return ""


@lru_cache(maxsize=1_024)
def system_tags(namespace: str, name: str) -> tuple[str, ...]:
    """Tags of relations of the server that carry credentials or other people's values."""
    last, lowered = _system_name(namespace, name)
    if last in _SCHEMAS_OF_VALUES:
        return ("pii",)
    relations = _system_tables()
    tag = relations.get(f"{last}.{lowered}") or relations.get(lowered)
    return (tag,) if tag and not _is_of_users(last, lowered) else ()


@lru_cache(maxsize=1_024)
def system_columns(namespace: str, name: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Columns of a relation of the server that carry such values, where others do not."""
    schema, lowered = _system_name(namespace, name)
    found = _system_columns().get(lowered, ())
    return () if _is_of_users(schema, lowered) else found


_COPIES = re.compile(r"^(?:gv_?|v_)(?=\$)")
"""Oracle's views of all instances, and what its public names stand for."""


def _system_name(namespace: str, name: str) -> tuple[str, str]:
    """Schema and name of a relation of the server, without what marks another view of the same."""
    before, _, last = f"{namespace}.{name}".lower().rpartition(".")
    schema = before.rpartition(".")[2]
    if schema == "information_schema":
        last = last.removeprefix("cluster_")
    return schema, _COPIES.sub("v", last).removeprefix("x$")


def is_servers(seen: Seen, reading: Reading) -> bool:
    """Whether it is a relation in which the server keeps its users, jobs, functions or structure."""
    parts, name = set(seen.namespace.lower().split(".")), seen.name.lower()
    if not parts.isdisjoint(_SERVER_SCHEMAS):
        return True
    if seen.table is not None:
        return False
    if not parts.isdisjoint(_EXTENSION_SCHEMAS) or system_tags(seen.namespace, seen.name):
        return True
    kept = _DESCRIBING_NAMES.get(reading.family)
    bare = not seen.namespace or reading.family == "sqlite"
    return kept is not None and bare and name.startswith(kept)


def describes_server(seen: Seen, reading: Reading) -> bool:
    """Whether it is a relation by which the server describes itself, and that no catalog lists."""
    name, schema = seen.name.lower(), seen.namespace.lower().rpartition(".")[2]
    if name == "dual" and schema in ("", "sys"):
        return reading.family in _WITH_DUAL
    if schema:
        return schema in _DESCRIBING_SCHEMAS
    return name.startswith(_DESCRIBING_NAMES.get(reading.family, ("?",)))


def _is_of_users(schema: str, name: str) -> bool:
    return name in _AMBIGUOUS and schema not in _SYSTEM_SCHEMAS


_AMBIGUOUS = words(
    "jobs sessions processes credentials certificates query_history query_log text_log ",
    "general_log slow_log column_statistics login_history access_history processlist jobs_by_user ",
    "threads",
)
"""Names that people give to their own tables as well."""
_SYSTEM_SCHEMAS = words(
    "sys mysql information_schema performance_schema system account_usage reader_account_usage organization_usage ",
    "pg_catalog master msdb",
)

_SERVER_SCHEMAS = words(
    "mysql sys pg_catalog pg_toast performance_schema information_schema msdb crdb_internal ndbinfo",
)
_EXTENSION_SCHEMAS = words(
    "system master cron net pgagent _timescaledb_config _timescaledb_catalog",
)
"""Names that people give to their own schemas too: then the catalog declares their tables."""

_WITH_DUAL = words("oracle mysql snowflake")
"""Where `dual` is one row of the server's own."""
_DESCRIBING_SCHEMAS = words("sys information_schema performance_schema pg_catalog")
_DESCRIBING_NAMES = {
    "postgres": ("pg_",),
    "redshift": ("pg_", "svv_"),
    "sqlite": ("sqlite_",),
    "duckdb": ("sqlite_master", "duckdb_"),
}
"""Beginnings of unqualified names that servers keep for themselves, or look up in their own schema first."""


@cache
def _system_tables() -> dict[str, str]:
    return {name: tag for tag, *names in _lines("system_tables") for name in names}


@cache
def _system_columns() -> dict[str, tuple[tuple[str, frozenset[str]], ...]]:
    lines = _lines("system_columns")
    return {name: ((tag, frozenset(columns)),) for tag, name, *columns in lines}


def _lines(name: str) -> list[list[str]]:
    """The words of every line of a data file that is no comment."""
    text = (resources.files("enforcers.intent.sql") / "data" / f"{name}.txt").read_text("utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def _tags_behind(namespace: str, name: str, catalog: Catalog) -> set[str]:
    """Of the table that `users$files` or `users.files` describes: lakes keep least and greatest values so."""
    described = {namespace.rpartition(".")[2], name.partition("$")[0] if "$" in name else ""}
    return {tag for one in described for table in catalog.namesakes(one) for tag in table.tags}


def _wildcard_tags(pattern: str, catalog: Catalog) -> set[str]:
    lowered = pattern.lower().rpartition(".")[2]
    matching = (
        table
        for name, table in catalog.tables.items()
        if fnmatchcase(name.rpartition(".")[2], lowered)
    )
    return {tag for table in matching for tag in table.tags}
