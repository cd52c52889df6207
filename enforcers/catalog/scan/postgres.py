"""Reads the structure of a PostgreSQL database: every schema but the system's own."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from enforcers.catalog.scan.sampling import (
    UNREADABLE,
    Sampled,
    by_column,
    columns_of,
    is_sampled,
    sample_query,
)
from enforcers.catalog.structure import Key, Relation, Structure, distinct
from enforcers.errors import CatalogError

if TYPE_CHECKING:
    import asyncpg

_PATIENCE_S = 5
"""Longest time for the sample of one table."""


class Fetches(Protocol):
    """A connection, as far as a scan needs one. It must be inside a transaction."""

    async def fetch(self, query: str, /) -> Sequence[Mapping[str, Any]]:
        """Rows of a query."""
        ...


# PostgreSQL writes types and definitions as the search path makes them look. Only the system's own
# names are on it while we read, so that two readings agree and nothing of the target's is called.
_ALONE = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', true)"
_OURS = """
nspname <> 'information_schema' AND nspname !~ '^pg_(catalog|toast|temp_|toast_temp_)'
OR n.oid = pg_my_temp_schema()
"""
_RELATIONS = f"""
SELECT c.oid, nspname, relname, relkind::text,
       relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS inherited
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND ({_OURS})
"""
_COLUMNS = f"""
SELECT attrelid AS oid, attname, format_type(atttypid, atttypmod) AS type
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f') AND ({_OURS})
ORDER BY attrelid, attnum
"""
# Unconditional, valid, checked at once (not deferred), of plain columns, and comparing as `=` does:
# with the type's own operators and the column's own collation.
_KEYS = f"""
SELECT indrelid AS oid, array_agg(attname::text) AS columns
FROM pg_index i
JOIN pg_class c ON c.oid = indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = indexrelid
JOIN pg_am ON pg_am.oid = x.relam
CROSS JOIN LATERAL generate_series(0, indnkeyatts - 1) AS place
JOIN pg_attribute a ON attrelid = indrelid AND attnum = indkey[place]
JOIN pg_opclass o ON o.oid = indclass[place]
WHERE indisunique AND indisvalid AND indisready AND indislive AND indimmediate
  AND NOT indisexclusion AND indpred IS NULL AND indexprs IS NULL AND amname = 'btree' AND ({_OURS})
GROUP BY indexrelid, indrelid
HAVING bool_and(opcdefault AND indcollation[place] = attcollation)
"""
_DEFINITIONS = (
    f"""
SELECT 'view', nspname, relname, md5(pg_get_viewdef(c.oid))
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('v', 'm') AND ({_OURS})
""",
    f"""
SELECT 'rule', nspname, relname, ev_enabled::text, md5(pg_get_ruledef(r.oid))
FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE rulename <> '_RETURN' AND ({_OURS})
""",
    f"""
SELECT 'trigger', nspname, relname, tgenabled::text, md5(pg_get_triggerdef(t.oid))
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE NOT tgisinternal AND ({_OURS})
""",
    f"""
SELECT 'constraint', nspname, conrelid::regclass::text, contypid::regtype::text, contype::text,
       convalidated, pg_get_constraintdef(f.oid)
FROM pg_constraint f JOIN pg_namespace n ON n.oid = connamespace WHERE {_OURS}
""",
    f"""
SELECT 'column', nspname, relname, attname, attnotnull, attgenerated::text, attidentity::text,
       collnamespace::regnamespace::text, collname, md5(pg_get_expr(adbin, adrelid))
FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN pg_collation o ON o.oid = attcollation
WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f') AND ({_OURS})
""",
    f"""
SELECT 'collation', nspname, o.collname, (to_jsonb(o) - 'oid' - 'collnamespace' - 'collowner')::text
FROM pg_collation o JOIN pg_namespace n ON n.oid = collnamespace WHERE {_OURS}
""",
    f"""
SELECT 'table', nspname, relname, relrowsecurity, relforcerowsecurity,
       pg_get_expr(relpartbound, c.oid), pg_get_partkeydef(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'f') AND ({_OURS})
""",
    f"""
SELECT 'policy', nspname, relname, polname, polcmd::text, polpermissive,
       polroles::regrole[]::text, md5(pg_get_expr(polqual, polrelid)),
       md5(pg_get_expr(polwithcheck, polrelid))
FROM pg_policy JOIN pg_class c ON c.oid = polrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE {_OURS}
""",
    f"""
SELECT 'inherits', nspname, relname, inhparent::regclass::text
FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'f') AND ({_OURS})
""",
    f"""
SELECT 'function', nspname, proname, pg_get_function_identity_arguments(p.oid),
       CASE WHEN prokind = 'a' THEN '' ELSE md5(pg_get_functiondef(p.oid)) END
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE {_OURS}
""",
    f"""
SELECT 'operator', nspname, oprname, oprleft::regtype::text, oprright::regtype::text, oprcode::text
FROM pg_operator JOIN pg_namespace n ON n.oid = oprnamespace WHERE {_OURS}
""",
    """
SELECT 'cast', castsource::regtype::text, casttarget::regtype::text, castfunc::regprocedure::text,
       castcontext::text, castmethod::text
FROM pg_cast WHERE oid >= 16384
""",
)


async def read_structure(connection: Fetches) -> Structure:
    """The structure as the connection's transaction sees it. Leaves `pg_catalog` as the search path."""
    await connection.fetch(_ALONE)
    columns: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in await connection.fetch(_COLUMNS):
        columns[row["oid"]].append((row["attname"], row["type"]))
    keys: dict[int, list[Key]] = defaultdict(list)
    for row in await connection.fetch(_KEYS):
        keys[row["oid"]].append(tuple(row["columns"]))
    found = [_relation(row, columns, keys) for row in await connection.fetch(_RELATIONS)]
    definitions = [str(line) for query in _DEFINITIONS for line in await _lines(connection, query)]
    return Structure(tuple(found), tuple(definitions), "public")


async def scan(connection: asyncpg.Connection, rows: int) -> tuple[Structure, Sampled]:
    """The structure of a server's database, and at most `rows` rows of every table. Raises CatalogError."""
    import asyncpg

    try:
        async with connection.transaction(readonly=True):
            structure = await read_structure(connection)
            return structure, await _samples(connection, structure, rows)
    except (
        *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
        *(OSError, *UNREADABLE),
    ) as error:
        why = str(error).split("\n", 1)[0]
        raise CatalogError(f"postgres cannot be scanned: {why}; check the target") from error


async def _samples(connection: asyncpg.Connection, structure: Structure, rows: int) -> Sampled:
    import asyncpg

    found: Sampled = {}
    await connection.execute(f"SET LOCAL statement_timeout = '{_PATIENCE_S}s'")
    for one in (one for one in structure.relations if is_sampled(one, rows)):
        # A table that may not be read, or is too slow, gets its suggestions by name alone.
        with contextlib.suppress(asyncpg.PostgresError):
            try:
                found |= await _sample(connection, one, rows)
            except UNREADABLE:
                for column in columns_of(one):
                    with contextlib.suppress(*UNREADABLE):
                        found |= await _sample(connection, column, rows)
    return found


async def _sample(connection: asyncpg.Connection, one: Relation, rows: int) -> Sampled:
    async with connection.transaction():
        return by_column(one, await connection.fetch(sample_query(one, rows)))


def _relation(
    row: Mapping[str, Any],
    columns: Mapping[int, list[tuple[str, str]]],
    keys: Mapping[int, list[Key]],
) -> Relation:
    # An index of a parent does not hold its children to anything, and a statement reads them too.
    held = () if row["inherited"] else distinct(keys.get(row["oid"], ()))
    named = tuple(columns.get(row["oid"], ()))
    return Relation(row["nspname"], row["relname"], _KINDS[row["relkind"]], named, held)


_KINDS = {"r": "table", "p": "table", "f": "table", "v": "view", "m": "view"}


async def _lines(connection: Fetches, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await connection.fetch(query)]
