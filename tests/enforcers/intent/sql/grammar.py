"""
Statements for the small databases, drawn at random: mostly such that a key bounds them, and near each of
those the traps that look alike.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.enforcers.intent.sql.small_databases import COLUMNS, KEYS

FITTING = {
    "id": ("1", "2", "3", "7", "'2'", "9007199254740992"),
    "code": ("'a'", "'1'", "'zz'", "'b '"),
    "price": ("1.5", "2", "0.5"),
    "born": ("'2024-01-01'", "'2024-02-01'"),
    "a": ("1", "2", "3"),
    "b": ("'a'", "'b'"),
    "n": ("1", "10", "20"),
    "flag": ("TRUE", "FALSE"),
}
"""Constants of each column's type."""

ODD = (
    "'1abc'", "' 1'", "'01'", "1.0", "1e0", "TRUE", "NULL", "-1", "- '1'", "0x1", "X'31'", "+1", "(1)",
    "9007199254740992e0", "9007199254740993.0", "'9007199254740992'", '"1"', '"n"', "'2024-1-1'",
    "CAST(9007199254740992 AS DOUBLE)", "CAST('1' AS INTEGER)", "CAST('1' AS TEXT)", "CAST('t' AS BOOLEAN)",
    "CAST('2024-01-01' AS DATE)", "DATE '2024-01-01'", "CAST('1' AS DECIMAL(9, 2))", "current_date",
    "(SELECT 1)", "abs(1)", "1 + 1", "'a' || ''", "-(-1)", "?", "id", "n", "rowid",
)  # fmt: skip
"""Constants that some server compares in another way than the column's own."""

EXACT = ("{c} = {x}", "{c} = {x}", "{c} IN ({x}, {y})", "{x} = {c}", "({c} = {x})", "{c} == {x}")
LOOSE = (
    "{c} = {c}", "{c} IN ({x}, NULL)", "{c} NOT IN ({x})", "{c} IS {x}", "{c} LIKE '%'", "{c} LIKE {x}",
    "{c} GLOB '*'", "{c} BETWEEN {x} AND {y}", "{c} > {x}", "{c} <> {x}", "({c}) = ({x})", "NOT {c} = {x}",
    "({c}, n) = ({x}, 10)", "({c}, n) IN (({x}, 10), ({y}, 20))", "{c} = {x} COLLATE NOCASE",
    "{c} COLLATE NOCASE = {x}", "{c} = {x} IS NOT NULL", "{c} = {x} IN (0)", "{c} = {x} = 0", "{c} = {x} < 3",
    "{c} = {x} NOTNULL", "{c} = {x} ISNULL", "{c} = {x} || ''", "CASE WHEN {c} = {x} THEN 1 ELSE 1 END",
    "{c} = CASE WHEN TRUE THEN {x} END", "{c} IN (SELECT id FROM loose)", "{c} = (SELECT max({c}) FROM items)",
    "EXISTS (SELECT 1 FROM loose WHERE {c} = {x})", "coalesce({c} = {x}, TRUE)", "rowid = {x}", "TRUE", "1", "1 = 1",
    "'a' = 'a'", "{c} IS NULL", "{c} IS NOT DISTINCT FROM {x}", "{c} = ANY([{x}, {y}])", "{c} /* = 0 */ = {x}",
    "{c} IN ({x}, {y}) = FALSE", "{c} = {x} BETWEEN 0 AND 0", "{c} = {x} LIKE '0'", "lower({c}) = {x}", "+{c} = {x}",
    "{c} IN (VALUES ({x}), ({y}))", "{c} = {x} -- AND FALSE\n", "({x}) IN ({c}, {y})", "CAST({c} AS TEXT) = {x}",
)  # fmt: skip

SOURCES = ("items", "pairs", "loose", "(SELECT * FROM items)", "(VALUES (1, 'a'))")
LISTS = (
    "*",
    "count(*)",
    "id, code",
    "1",
    "t.*",
    "max(n)",
    "DISTINCT code",
    "CASE WHEN n > 1 THEN 'x' END",
)
STRUCTURES = (
    "DROP TABLE {t}", "CREATE TABLE made AS SELECT * FROM {t}", "ALTER TABLE {t} ADD COLUMN more INT", "TRUNCATE {t}",
    "TRUNCATE TABLE {t}", "CREATE VIEW seen AS SELECT * FROM {t}", "CREATE INDEX fast ON {t} (n)",
    "ALTER TABLE {t} RENAME TO other", "DROP TABLE IF EXISTS {t}", "CREATE OR REPLACE TABLE {t} AS SELECT 1 AS id",
    "CREATE TEMP TABLE made (id INT)", "ALTER TABLE {t} DROP COLUMN n", "CREATE SEQUENCE s", "ANALYZE", "DESCRIBE {t}",
    "SUMMARIZE {t}", "SHOW TABLES", "PRAGMA user_version = 3", "PRAGMA table_info({t})", "VACUUM",
)  # fmt: skip


class Grammar:
    """Draws statements of one dialect."""

    def __init__(self, chance: Random, dialect: str) -> None:
        self.chance, self.dialect = chance, dialect

    def statement(self) -> str:
        """Any statement: half of them bounded writes or near to it."""
        kinds = [self.delete, self.update, self.insert, self.query, self.structure]
        text = self.chance.choices(kinds, (6, 6, 2, 3, 1))[0]()
        wrapped = self.chance.randrange(12)
        if wrapped == 0:
            return self._pick(["EXPLAIN ", "EXPLAIN ANALYZE ", "EXPLAIN QUERY PLAN "]) + text
        if wrapped == 1 and self.dialect == "duckdb":
            return f"WITH done AS ({text} RETURNING *) SELECT * FROM done"
        if wrapped == 2:
            name = self._pick(["c", "items", "loose"])
            return f"WITH {name} AS (SELECT * FROM {self._pick(SOURCES)}) {text}"
        if wrapped == 3 and self.dialect == "duckdb":
            return f"{text}; {self.query()}"
        return text

    def delete(self) -> str:
        table, alias = self._table(), self._alias()
        using = self._others("USING") if self.dialect == "duckdb" else ""
        where = self._where(table, alias)
        return f"DELETE FROM {table}{_as(alias)}{using}{where}{self._end()}"

    def update(self) -> str:
        table, alias = self._table(), self._alias()
        changes = [f"n = {self._pick(['n', table + '.n'])} + 1000", "n = -n - 1"]
        if self._rarely():
            changes.append(f"{self._pick(COLUMNS[table])} = {self._odd()}")
        how = self._pick(["", "", " OR REPLACE", " OR IGNORE"]) if self._in_sqlite() else ""
        where = self._where(table, alias)
        others = self._others("FROM")
        return (
            f"UPDATE{how} {table}{_as(alias)} SET {self._pick(changes)}{others}{where}{self._end()}"
        )

    def insert(self) -> str:
        table = self._table()
        columns = self.chance.sample(
            COLUMNS[table], self.chance.randrange(1, len(COLUMNS[table]) + 1)
        )
        how = self._pick(["INSERT", "INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE"])
        rows = self._rows(columns)
        if how == "REPLACE" and not self._in_sqlite():
            how = "INSERT"
        end = self._conflict(table) if how == "INSERT" else ""
        return f"{how} INTO {table} ({', '.join(columns)}) {rows}{end}{self._end()}"

    def query(self, depth: int = 1) -> str:
        table = self._table()
        source = self._pick(SOURCES) if self._rarely() else table
        text = f"SELECT {self._pick(LISTS)} FROM {source} AS t"
        if self._rarely():
            joined = self._pick([" JOIN loose l ON l.id = t.id", " LEFT JOIN pairs p USING (n)"])
            text += self._pick([joined, " CROSS JOIN loose", ", loose", " NATURAL JOIN loose"])
        text += self._where(table, "t")
        text += self._pick(
            ["", "", " ORDER BY 1", " LIMIT 2", " GROUP BY ALL", " LIMIT 1 OFFSET 1"]
        )
        if depth and self._rarely():
            text += self._pick([" UNION ", " UNION ALL ", " EXCEPT "]) + self.query(depth - 1)
        if self.dialect == "duckdb" and self._rarely():
            return self._pick([f"FROM {table}", f"PIVOT {table} ON n USING count(*)", f"({text})"])
        return text

    def structure(self) -> str:
        return str(self._pick(STRUCTURES)).format(t=self._table())

    def _where(self, table: str, alias: str) -> str:
        if self.chance.randrange(10) == 0:
            return ""
        qualifier = alias or (table if self.chance.randrange(4) == 0 else "")
        return " WHERE " + self._condition(table, qualifier, 2)

    def _condition(self, table: str, qualifier: str, depth: int) -> str:
        kind = self.chance.randrange(6) if depth else 9
        inner = depth - 1
        if kind == 0:
            left, right = (self._condition(table, qualifier, inner) for _ in range(2))
            return self._pick(
                [f"{left} OR {right}", f"({left} OR {right})", f"({left}) OR ({right})"]
            )
        if kind in (1, 2):
            left, right = (self._condition(table, qualifier, inner) for _ in range(2))
            return self._pick([f"{left} AND {right}", f"({left}) AND {right}"])
        if (kind == 3 or (depth and self._rarely())) and KEYS[table]:
            names = self._pick(KEYS[table])
            return " AND ".join(self._atom(name, qualifier, self._pick(EXACT)) for name in names)
        form = self._pick(LOOSE) if self.chance.randrange(4) == 0 else self._pick(EXACT)
        return self._atom(self._pick(COLUMNS[table]), qualifier, form)

    def _atom(self, column: str, qualifier: str, form: str) -> str:
        pool = FITTING[column]
        values = [self._odd() if self.chance.randrange(10) == 0 else self._pick(pool) for _ in "xy"]
        named = f'"{column}"' if self.chance.randrange(12) == 0 else column
        shown = f"{qualifier}.{named}" if qualifier else named
        return form.format(c=shown, x=values[0], y=values[1])

    def _rows(self, columns: list[str]) -> str:
        def row() -> str:
            values = (self._odd() if self._rarely() else self._pick(FITTING[c]) for c in columns)
            return ", ".join(values)

        if self._rarely():
            source = self._pick([" FROM loose", "", " FROM items WHERE id = 1"])
            return f"SELECT {row()}{source}"
        rows = ", ".join(f"({row()})" for _ in range(self.chance.randrange(1, 3)))
        return "VALUES " + rows + (" UNION ALL SELECT * FROM loose" if self._rarely() else "")

    def _conflict(self, table: str) -> str:
        key = ", ".join(self._pick(KEYS[table])) if KEYS[table] else "id"
        where = self._where(table, table) if self._rarely() else ""
        return self._pick(
            [
                "",
                " ON CONFLICT DO NOTHING",
                f" ON CONFLICT ({key}) DO UPDATE SET n = {table}.n + 1000{where}",
            ]
        )

    def _others(self, word: str) -> str:
        if not self._rarely():
            return ""
        return f" {word} {self._pick(SOURCES)} AS {self._pick(['o', 'items', 't', 'x'])}"

    def _end(self) -> str:
        if not self._rarely():
            return ""
        ends = [" RETURNING *", " RETURNING n", ";", " --", " LIMIT 1", " ORDER BY n LIMIT 1"]
        return self._pick(ends if self._in_sqlite() else ends[:4])

    def _table(self) -> str:
        return self._pick(["items", "items", "items", "pairs", "pairs", "loose"])

    def _alias(self) -> str:
        return self._pick(["", "", "", "", "x", "items", "loose"])

    def _in_sqlite(self) -> bool:
        return self.dialect == "sqlite"

    def _odd(self) -> str:
        return self._pick(ODD)

    def _rarely(self) -> bool:
        return self.chance.randrange(5) == 0

    def _pick(self, options: object) -> Any:
        return self.chance.choice(options)


def _as(alias: str) -> str:
    return f" AS {alias}" if alias else ""
