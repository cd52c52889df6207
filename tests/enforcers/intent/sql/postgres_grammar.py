"""
PostgreSQL statements, drawn at random: what agents write, and near each of them what looks alike to one
parser and not to another. A part of them is broken on purpose, by words that are moved, lost or added.
"""

from __future__ import annotations

import re
from random import Random

GRAMMAR: dict[str, tuple[str, ...]] = {
    "start": ("{statement}",) * 12 + ("{statement}; {statement}", "{statement};; {statement} ;"),
    "statement": (
        "{query}", "{query}", "{query}", "{dml}", "{dml}", "{dml}", "{dml}", "{ddl}", "{explain} {query}",
        "{explain} {dml}", "{session}", "WITH {ctes} {dml}", "PREPARE p AS {dml}", "TABLE {t}", "{odd}",
    ),
    "query": (
        "SELECT {list} FROM {from}{tail}", "SELECT {list} FROM {from} WHERE {cond}{tail}", "{query} {set} {query}",
        "WITH {ctes} {query}", "({query})", "({query}){lock}", "SELECT {list} INTO {t} FROM {from}", "VALUES ({x}), ({x})",
        "SELECT {list} FROM {from} GROUP BY {c} HAVING {cond}", "SELECT {x}", "WITH RECURSIVE {ctes} {query}",
    ),
    "ctes": ("{n} AS ({query})", "{n} AS ({dml} RETURNING *)", "{n} AS MATERIALIZED ({query}), {n} AS ({query})", "{n} (a) AS ({query})"),
    "set": ("UNION", "UNION ALL", "EXCEPT", "INTERSECT"),
    "tail": ("", "", " ORDER BY {c}", " LIMIT 3", "{lock}", " FETCH FIRST ROW ONLY{lock}", " WINDOW w AS (ORDER BY {c})"),
    "lock": (
        " FOR UPDATE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR UPDATE OF {n}", " FOR KEY SHARE OF {n}, {n} NOWAIT",
        " FOR UPDATE OF {n} FOR SHARE SKIP LOCKED",
    ),
    "from": (
        "{t}", "{t}", "{t} {n}", "{t} AS {n}", "{t}, {t} {n}", "{t} JOIN {t} {n} ON {cond}", "ONLY {t}", "ONLY ({t})", "{t} *",
        "({query}) AS {n}", "{t} LEFT JOIN ({t} CROSS JOIN {t}) USING ({c})", "LATERAL ({query}) {n}", "{f}({x}) AS {n}",
        "({t} JOIN {t} {n} ON true) AS j", "{t} TABLESAMPLE system (1)", "{t} NATURAL JOIN {t} {n}", "ROWS FROM ({f}({x})) AS {n}",
        "unnest(ARRAY[1]) WITH ORDINALITY AS {n}(a, b)", "generate_series(1, 2) {n}, {from}",
    ),
    "dml": (
        "INSERT INTO {t} ({c}) VALUES ({x})", "INSERT INTO {t} AS {n} {query}", "INSERT INTO {t} DEFAULT VALUES",
        "INSERT INTO {t} ({c}) VALUES ({x}) ON CONFLICT ({c}) DO UPDATE SET {c} = excluded.{c} RETURNING *",
        "UPDATE {t} SET {c} = {x} WHERE {cond}", "UPDATE {t} AS {n} SET {c} = {x}, ({c}, {c}) = ({x}, {x}) FROM {from} WHERE {cond}",
        "UPDATE ONLY {t} SET {c} = ({query})", "DELETE FROM {t} WHERE {cond}", "DELETE FROM {t} {n} USING {from} WHERE {cond}",
        "DELETE FROM ONLY {t} RETURNING {list}", "DELETE FROM {t} WHERE {c} IN ({query})",
        "MERGE INTO {t} {n} USING {t} s ON {cond} WHEN MATCHED THEN {then}",
        "MERGE INTO {t} USING ({query}) s ON {cond} WHEN NOT MATCHED THEN INSERT ({c}) VALUES ({x}) WHEN MATCHED AND {cond} THEN {then}",
    ),
    "then": ("DELETE", "DO NOTHING", "UPDATE SET {c} = {x}", "UPDATE SET {c} = DEFAULT"),
    "ddl": (
        "TRUNCATE {t}", "TRUNCATE TABLE ONLY {t}, {t} CASCADE", "DROP TABLE {t}", "DROP TABLE IF EXISTS {t}, {t} CASCADE",
        "DROP VIEW {t}", "DROP INDEX CONCURRENTLY {t}", "DROP SCHEMA {n} CASCADE", "DROP FUNCTION {t}(int)", "DROP SEQUENCE {t}",
        "CREATE TABLE {t} AS {query}", "CREATE TABLE {t} ({c} int PRIMARY KEY, d text DEFAULT {x})", "CREATE TEMP TABLE {n} (LIKE {t})",
        "CREATE TABLE IF NOT EXISTS {t} ({c} int REFERENCES {t})", "CREATE VIEW {t} AS {query}", "CREATE OR REPLACE VIEW {t} AS {query}",
        "CREATE INDEX {n} ON {t} ({c})", "CREATE UNIQUE INDEX ON {t} ({f}({c})) WHERE {cond}", "CREATE SCHEMA {n}", "CREATE SEQUENCE {t}",
        "ALTER TABLE {t} ADD COLUMN {c} int", "ALTER TABLE {t} DROP COLUMN {c}, DROP CONSTRAINT {n}", "ALTER TABLE {t} RENAME TO {n}",
        "ALTER TABLE {t} RENAME COLUMN {c} TO {n}", "ALTER TABLE {t} ALTER COLUMN {c} TYPE text USING {x}", "ALTER TABLE {t} OWNER TO {n}",
        "ALTER INDEX {t} RENAME TO {n}", "ALTER TABLE {t} ATTACH PARTITION {t} DEFAULT", "COMMENT ON TABLE {t} IS 'x'",
        "COPY {t} FROM STDIN", "COPY {t} ({c}) TO STDOUT", "COPY ({query}) TO '/tmp/x' CSV", "COPY {t} FROM PROGRAM 'x'",
        "GRANT SELECT ON {t} TO {n}", "REVOKE ALL ON TABLE {t} FROM {n}", "GRANT {n} TO {n}", "LOCK TABLE {t}", "VACUUM {t}",
        "CREATE MATERIALIZED VIEW {t} AS {query}", "REFRESH MATERIALIZED VIEW {t}", "ANALYZE {t}", "REINDEX TABLE {t}",
        "ALTER TABLE IF EXISTS ONLY {t} ADD CONSTRAINT {n} CHECK ({cond})", "CREATE TYPE {t} AS ENUM ('a')", "DROP TYPE {t}",
    ),
    "explain": (
        "EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN VERBOSE", "EXPLAIN ANALYZE VERBOSE", "EXPLAIN (ANALYZE)", "EXPLAIN (FORMAT JSON)",
        "EXPLAIN (ANALYZE false, COSTS off)", "EXPLAIN (analyse)", "EXPLAIN (BUFFERS, ANALYZE 1)",
    ),
    "session": (
        "SET {n} = 1", "SET LOCAL work_mem TO '1MB'", "SET statement_timeout = 0", "SHOW {n}", "RESET ALL", "BEGIN", "COMMIT", "ROLLBACK TO {n}",
        "SET TIME ZONE 'UTC'", "SET NAMES 'utf8'", "SET SESSION AUTHORIZATION {n}", "SET ROLE {n}", "SET TRANSACTION READ ONLY", "DISCARD ALL",
        "SET SCHEMA 'x'", "DEALLOCATE {n}", "LISTEN {n}", "CALL {f}({x})", "DO 'x'", "SAVEPOINT {n}", "PREPARE TRANSACTION 'x'", "END",
    ),
    "odd": (
        "DECLARE c CURSOR FOR {query}", "FETCH ALL FROM {n}", "CREATE RULE r AS ON INSERT TO {t} DO ALSO {dml}", "SELECT",
        "CREATE TRIGGER g AFTER INSERT ON {t} EXECUTE FUNCTION {f}()", "SELECT FROM {t}", "SELECT DISTINCT ON ({c}) {list} FROM {t}",
        "CREATE POLICY p ON {t} USING ({cond})", "CREATE FUNCTION {f}() RETURNS int LANGUAGE sql BEGIN ATOMIC {dml}; END",
    ),
    "list": ("*", "{c}", "{c}, {x}", "{n}.*", "count(*)", "{x} AS {n}", "{x} {n}", "DISTINCT {c}", "({n}).{c}", "ALL {c}", "{n}"),
    "x": (
        "1", "'a'", "NULL", "{c}", "{f}({x})", "({query})", "EXISTS ({query})", "ARRAY({query})", "E'a\\'b'", "$$; DROP TABLE t$$",
        "$a$ ' $a$", "'x'::text", "CAST({x} AS int)", "{x} + {x}", "CASE WHEN {cond} THEN {x} END", "$1", "B'1'", "'it''s'", "- {x}",
        "{x} || {x}", "{c}->>'k'", "{f}(DISTINCT {c} ORDER BY {c}) FILTER (WHERE {cond})", "sum({c}) OVER (PARTITION BY {c})",
        "extract(year FROM {c})", "{x} OPERATOR(pg_catalog.+) {x}", "ROW({x}, {x})", "{x} AT TIME ZONE 'UTC'", "interval '1 day'",
        "substring({c} FROM 1 FOR 2)", "trim(both 'x' from {c})", "{c}[1]", "position('a' IN {c})", "'a' 'b'", "'a'\n'b'",
        "{x} COLLATE \"C\"", "date '2024-01-01'", "{c} IS DISTINCT FROM {x}", "current_user", "ARRAY[{x}]", "1 -- x\n + 1", "1 /* /* a */ */",
    ),
    "cond": (
        "{c} = {x}", "{c} = 1", "{n}.{c} = {n}.{c}", "{cond} AND {cond}", "{cond} OR NOT {cond}", "{c} IN (1, 2)", "{c} IN ({query})", "true",
        "{c} = ANY({x})", "{c} LIKE 'a%' ESCAPE '!'", "{c} BETWEEN {x} AND {x}", "({c}, {c}) = ({query})", "{c} IS NULL", "{c} NOTNULL",
        "{c} > ALL ({query})", "{c} ~ 'x'", "{c} @> '[]'", "{c} ? 'k'", "CURRENT OF {n}", "({x}) IS NOT NULL", "{c} SIMILAR TO 'x'",
    ),
    "t": ("t", "u", "v", "s.t", "public.u", '"T"', '"a b"', "s.\"t;\"", "x", "cte", "{n}", "a.b.c", '"t""u"', "pg_catalog.pg_class"),
    "n": ("x", "y", "t", "cte", "o", '"Q"', "date", "value", "{word}"),
    "word": (
        "select", "update", "end", "user", "key", "of", "only", "lateral", "values", "default", "set", "into", "left", "window", "offset",
        "analyze", "returning", "nowait", "temp", "table", "using", "rows", "for", "share", "do", "if", "format", "a" * 70,
    ),
    "c": ("id", "a", "b", "t.a", "x.id", '"C"', "s.t.a", "name", "key"),
    "f": (
        "lower", "count", "coalesce", "now", "nextval", "pg_read_file", "mine.f", "unheard", "pg_catalog.lower", '"lower"', '"DROP"', "set_config",
        "greatest", "pg_sleep", "dblink", "date_trunc", "json_build_object", "if", "left", "date_add", "to_days", "struct", "try_cast",
    ),
}  # fmt: skip
MAX_DEPTH = 5
ENDS = {
    "query": "SELECT a FROM v",
    "from": "v",
    "x": "1",
    "cond": "a = 1",
    "dml": "DELETE FROM v",
    "ctes": "o AS (SELECT 1)",
}
"""What stands where nothing may nest any more."""
_HOLE = re.compile(r"\{(\w+)\}")
_WORDS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\w+|\s+|.", re.S)


def statement(random: Random) -> str:
    """One text: most are well formed, the others are broken."""
    text = _expand("start", random, 0)
    return text if random.random() < 0.6 else _broken(text, random)


def _expand(name: str, random: Random, depth: int) -> str:
    if depth > MAX_DEPTH and name in ENDS:
        return ENDS[name]
    return _HOLE.sub(
        lambda hole: _expand(hole.group(1), random, depth + 1), random.choice(GRAMMAR[name])
    )


def _broken(text: str, random: Random) -> str:
    pieces: list[str] = _WORDS.findall(text)
    for _ in range(random.randint(1, 3)):
        at, other = random.randrange(len(pieces) + 1), random.randrange(len(pieces))
        match random.randrange(5):
            case 0:
                del pieces[at : at + random.randint(1, 2)]
            case 1:
                pieces.insert(at, pieces[other])
            case 2:
                pieces.insert(
                    at,
                    random.choice(
                        (
                            " ",
                            "\n",
                            "\t",
                            "--\n",
                            "/**/",
                            ";",
                            ",",
                            ".",
                            "::",
                            "*",
                            "@",
                            ":",
                            "\\",
                            "$",
                            "\f",
                        )
                    ),
                )
            case 3:
                pieces.insert(at, " " + random.choice(GRAMMAR["word"]) + " ")
            case _:
                pieces[other] = pieces[other].swapcase()
        pieces = pieces or [" "]
    return "".join(pieces)
