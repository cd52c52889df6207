"""
Which privileges a verdict's effects come to, and who can give them.

    effects ─wanted_of─▶ Wanted (names) ─resolve─▶ Held (objects) ─allot─▶ Allotted (and by whom)

Names are found as the statement will find them: along the assumed search path, whoever may use its
schemas. Nothing here is guessed: an effect that is no privilege, or a name that may mean two things,
withholds the permit.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Any, Protocol

from enforcers.contract.verdict import EffectSummary
from enforcers.executors.duty import withhold
from enforcers.permit import Permit

LONGEST_SUMMARY = 20
"""A verdict repeats so many effects at most; one that has them all may have more."""
_LONGEST_NAME = 63
"""Bytes; PostgreSQL cuts longer names, and then finds another object."""
PRIVILEGES: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("read", "table"): ("SELECT",),
        # INSERT and UPDATE are one verb, and both may have to look at what is there.
        ("write", "table"): ("INSERT", "UPDATE", "SELECT"),
        ("delete", "table"): ("DELETE", "SELECT"),
        ("truncate", "table"): ("TRUNCATE",),
        ("execute", "function"): ("EXECUTE",),
    }
)
"""What each judged effect needs, by verb and type. Every other effect needs to own something."""
_SYSTEM = frozenset({"pg_catalog", "information_schema"})
_RELATIONS = frozenset("rpvmf")
_PATH_ENTRY = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^\s",]+))\s*(?:,|$)')
_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Privileges on what a name in the statement means."""

    kind: str
    namespace: str
    name: str
    privileges: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The name as the verdict has it."""
        return f"{self.namespace}.{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Held:
    """One privilege on one object of the database."""

    kind: str
    oid: int
    words: str
    """As GRANT names the object: `TABLE public.users`."""
    privilege: str

    def __str__(self) -> str:
        return f"{self.privilege} ON {self.words}"


@dataclass(frozen=True, slots=True)
class Allotted:
    """A privilege, and the role that can give it; None where the minted role has it from PUBLIC."""

    held: Held
    by: str | None


class Fetches(Protocol):
    """A connection, as far as names are looked up. Its search path must be `pg_catalog`."""

    async def fetch(self, query: str, /, *values: Any) -> Sequence[Mapping[str, Any]]:
        """Rows of a query."""
        ...


def wanted_of(permit: Permit) -> tuple[Wanted, ...]:
    """The privileges that the verdict's effects come to. Withholds the permit where they come to none."""
    effects = permit.verdict.intent
    if len(effects) >= LONGEST_SUMMARY:
        withhold(
            permit, f"the verdict shows {len(effects)} effects and may have more; split the action"
        )
    return tuple(dict.fromkeys(_wanted(permit, effect) for effect in effects))


def _wanted(permit: Permit, effect: EffectSummary) -> Wanted:
    privileges = PRIVILEGES.get((effect.verb, effect.type))
    shown = f"`{effect.verb}` on {effect.type} `{effect.name}`"
    if privileges is None:
        withhold(permit, f"{shown} is nothing that a minted role can do; change the policy for it")
    if effect.name == "*":
        withhold(permit, f"{shown} names nothing; name what the statement touches")
    if "." in effect.namespace:
        withhold(permit, f"{shown} is named with its database; leave that out")
    if max(len(one.encode()) for one in (effect.name, effect.namespace)) > _LONGEST_NAME:
        withhold(permit, f"{shown} is named with more than {_LONGEST_NAME} bytes; shorten it")
    return Wanted(effect.type, effect.namespace, effect.name, privileges)


# ---- From names to objects --------------------------------------------------------------------------------

_FIND_RELATIONS = """
SELECT number::int, place::int, c.oid, c.relkind::text AS kind, nspname,
       format('TABLE %I.%I', nspname, relname) AS words
FROM ROWS FROM (unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]))
     AS asked (number, place, schema, name)
JOIN pg_namespace n ON nspname = schema JOIN pg_class c ON relnamespace = n.oid AND relname = name
"""
_FIND_FUNCTIONS = """
SELECT number::int, place::int, p.oid, 'f' AS kind, nspname, 'ROUTINE ' || p.oid::regprocedure::text AS words
FROM ROWS FROM (unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]))
     AS asked (number, place, schema, name)
JOIN pg_namespace n ON nspname = schema JOIN pg_proc p ON pronamespace = n.oid AND proname = name
"""
_FIND = MappingProxyType({"table": _FIND_RELATIONS, "function": _FIND_FUNCTIONS})
_SCHEMAS = """
SELECT oid, 'SCHEMA ' || quote_ident(nspname) AS words FROM pg_namespace WHERE nspname = ANY ($1::text[])
"""
_DATABASE = """
SELECT oid, 'DATABASE ' || quote_ident(datname) AS words FROM pg_database WHERE datname = current_database()
"""
# The sequences that the columns' defaults ask; those of identity columns need no privilege.
_SEQUENCES = """
SELECT DISTINCT s.oid, format('SEQUENCE %I.%I', nspname, s.relname) AS words
FROM pg_attrdef d
JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
JOIN pg_namespace n ON n.oid = s.relnamespace
WHERE adrelid = ANY ($1::oid[])
"""


async def resolve(
    connection: Fetches, permit: Permit, wanted: Sequence[Wanted], search_path: str
) -> tuple[Held, ...]:
    """Every privilege that is needed, each on its object. Withholds the permit on a doubtful name."""
    path = path_of(permit, search_path)
    database = [Held("database", row["oid"], row["words"], "CONNECT")
                for row in await connection.fetch(_DATABASE)]  # fmt: skip
    schemas: set[str] = set()
    found: list[Held] = []
    for one in wanted:
        for row in await _find(connection, permit, one, path):
            if row["nspname"] in _SYSTEM:
                _check_system(permit, one)
                continue
            schemas.add(row["nspname"])
            found += [Held(one.kind, row["oid"], row["words"], name) for name in one.privileges]
    inserted = [one.oid for one in found if one.privilege == "INSERT"]
    found += [Held("sequence", row["oid"], row["words"], "USAGE")
              for row in await connection.fetch(_SEQUENCES, inserted)]  # fmt: skip
    used = [Held("schema", row["oid"], row["words"], "USAGE")
            for row in await connection.fetch(_SCHEMAS, sorted(schemas))]  # fmt: skip
    return tuple(dict.fromkeys([*database, *used, *found]))


def path_of(permit: Permit, search_path: str) -> tuple[str, ...]:
    """The schemas of a search path in their order, the system's own first unless it names them."""
    found, at = [], 0
    while at < len(search_path):
        entry = _PATH_ENTRY.match(search_path, at)
        if entry is None:
            withhold(permit, f"search path `{search_path}` cannot be read; correct the target's")
        quoted, plain = entry.groups()
        found.append(quoted.replace('""', '"') if quoted else plain.translate(_TO_LOWER))
        at = entry.end()
    return tuple(found) if "pg_catalog" in found else ("pg_catalog", *found)


async def _find(
    connection: Fetches, permit: Permit, one: Wanted, path: Sequence[str]
) -> list[Mapping[str, Any]]:
    """What a name means. A verdict does not say whether it was quoted, so both readings are looked up."""
    asked = list(_places(one, path))
    # Texts alone: for other arrays the driver first asks the server what they are.
    columns = [list(map(str, column)) for column in zip(*asked, strict=True)]
    rows = await connection.fetch(_FIND[one.kind], *columns)
    readings = [_nearest(rows, number) for number in dict.fromkeys(row[0] for row in asked)]
    found = [reading for reading in readings if reading]
    if not found:
        withhold(permit, f"{one.kind} `{one.shown}` is not there; correct the name")
    if len({frozenset(row["oid"] for row in reading) for reading in found}) > 1:
        withhold(permit, f"`{one.shown}` may mean two objects that differ in case; rename one")
    if one.kind == "table" and found[0][0]["kind"] not in _RELATIONS:
        withhold(permit, f"`{one.shown}` is no table and no view; correct the name")
    return found[0]


def _places(one: Wanted, path: Sequence[str]) -> Iterator[tuple[int, int, str, str]]:
    """Where to look: number of the reading, place on the path, schema, name."""
    readings = product(_spellings(one.namespace), _spellings(one.name))
    for number, (namespace, name) in enumerate(readings):
        for place, schema in enumerate([namespace] if namespace else path):
            yield number, place, schema, name


def _spellings(name: str) -> Iterable[str]:
    return dict.fromkeys((name, name.translate(_TO_LOWER)))


def _nearest(rows: Iterable[Mapping[str, Any]], number: int) -> list[Mapping[str, Any]]:
    """The relation that is found first. Of functions all: their arguments decide among schemas."""
    mine = sorted((row for row in rows if row["number"] == number), key=lambda row: row["place"])
    return [row for row in mine if row["kind"] == "f" or row["oid"] == mine[0]["oid"]]


def _check_system(permit: Permit, one: Wanted) -> None:
    """The system's own objects have what PUBLIC has."""
    if not {"SELECT", "EXECUTE"}.issuperset(one.privileges):
        withhold(permit, f"`{one.shown}` belongs to the system, which nobody may change; leave it")


# ---- Who can give them ------------------------------------------------------------------------------------

_HAS = """CASE asked.kind
 WHEN 'table' THEN has_table_privilege({role}, object, privilege{more})
 WHEN 'sequence' THEN has_sequence_privilege({role}, object, privilege{more})
 WHEN 'schema' THEN has_schema_privilege({role}, object, privilege{more})
 WHEN 'function' THEN has_function_privilege({role}, object, privilege{more})
 WHEN 'database' THEN has_database_privilege({role}, object, privilege{more})
END"""
_ALLOT = f"""
SELECT {_HAS.format(role="$4::name", more="")} AS held,
       (SELECT r.rolname::text FROM pg_roles r WHERE pg_has_role(session_user, r.oid, $5)
           AND {_HAS.format(role="r.oid", more=" || ' WITH GRANT OPTION'")}
        ORDER BY r.rolname <> session_user, r.rolname LIMIT 1) AS giver
FROM ROWS FROM (unnest($1::text[]), unnest($2::oid[]), unnest($3::text[]))
     AS asked (kind, object, privilege)
"""


async def allot(
    connection: Fetches, role: str, held: Sequence[Held], membership: str
) -> tuple[Allotted, ...]:
    """Who of the roles that this login can become gives each privilege. Raises LookupError: none can."""
    kinds, oids, names = (
        [one.kind for one in held],
        [one.oid for one in held],
        [one.privilege for one in held],
    )
    rows = await connection.fetch(_ALLOT, kinds, oids, names, role, membership)
    for one, row in zip(held, rows, strict=True):
        if not row["held"] and row["giver"] is None:
            raise LookupError(str(one))
    return tuple(
        Allotted(one, None if row["held"] else row["giver"])
        for one, row in zip(held, rows, strict=True)
    )
