"""
Intent: what an action would do, in one vocabulary for every kind.

INVARIANT: an Intent is total. "Not known" is a value (`UNPROVEN`, an `opaque` finding), never a missing attribute.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What is done to a resource."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    ALTER = "alter"
    DROP = "drop"
    DELETE = "delete"
    TRUNCATE = "truncate"
    GRANT = "grant"
    EXECUTE = "execute"
    EXPORT = "export"
    IMPORT = "import"
    CONFIGURE = "configure"
    CONNECT = "connect"


class Extent(StrEnum):
    """How much of the resource is touched, as far as it was proved."""

    NONE = "none"
    """No bound is written."""
    UNPROVEN = "unproven"
    """A bound is written, but it was not proved to bound anything."""
    FILTERED = "filtered"
    """Bounded by constants on a column that is no key: many rows are possible."""
    KEY_BOUND = "key_bound"
    """Bounded by constants on a declared unique key of the target."""
    WHOLE = "whole"
    """The object itself, with all that it holds."""


class ResourceType(StrEnum):
    """What kind of thing is touched."""

    TABLE = "table"
    SCHEMA = "schema"
    DATABASE = "database"
    OBJECT = "object"
    """Any other object of a database: index, view, sequence, role, trigger …"""
    FUNCTION = "function"
    SETTING = "setting"
    SESSION = "session"
    FILE = "file"
    PROGRAM = "program"
    HOST = "host"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that an action touches."""

    type: ResourceType
    name: str
    namespace: str = ""
    tags: tuple[str, ...] = ()
    unnamed_tags: tuple[str, ...] = ()
    """Those of declared columns that are not named: only a `*` or a whole row reaches them."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One verb on one resource."""

    verb: Verb
    resource: Resource
    extent: Extent = Extent.NONE


@dataclass(frozen=True, slots=True)
class Flow:
    """Data that moves from `source` to `sink`."""

    source: Resource
    sink: Resource


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an action is inadmissible or opaque."""

    code: str
    """Stable, lower case with underscores, e.g. `unparsable`."""
    message: str
    remedy: str = ""
    span: tuple[int, int] | None = None
    """Start and end in the text, in characters."""


@dataclass(frozen=True, slots=True)
class SqlFacts:
    """What is particular to SQL."""

    dialect: str
    statement: str
    """Kind of the statement: `select`, `update`, `show`, `set`, … or `unknown`."""
    functions: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """Columns that are named, lower case, with their table where it is written: `users.email`."""
    row_limit: int | None = None


@dataclass(frozen=True, slots=True)
class ShellFacts:
    """What is particular to command lines."""

    commands: tuple[tuple[str, ...], ...] = ()
    """Every simple command's argv, in order."""
    connectors: tuple[str, ...] = ()
    """What joins them: `|`, `&&`, `||`, `;`."""
    program: str = ""
    """Absolute path of the one program, where the executor resolved it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What an action would do."""

    kind: str
    effects: tuple[Effect, ...] = ()
    flows: tuple[Flow, ...] = ()
    inadmissible: tuple[Finding, ...] = ()
    """Reasons that no policy may override."""
    opaque: tuple[Finding, ...] = ()
    """Reasons that a policy may answer with approval, outside production only."""
    nested: tuple[Intent, ...] = ()
    assumed: tuple[tuple[str, str], ...] = ()
    """Settings that the reading relies on, for the executor to set: name and value."""
    sql: SqlFacts | None = None
    shell: ShellFacts | None = None
