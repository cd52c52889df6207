"""
What the reader says of a statement, held against what two databases do with it.

1. `key_bound`: no more rows change than the keys that the text names, and only those.
2. Only reads: nothing changes.
3. What changes is written, by the reader's account, or the statement is not understood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from enforcers.intent.model import Extent, Intent, ResourceType, Verb
from enforcers.intent.sql import read_sql
from tests.enforcers.intent.sql.grammar import Grammar
from tests.enforcers.intent.sql.small_databases import (
    CATALOG,
    COLUMNS,
    KEYS,
    Change,
    Row,
    SmallDatabase,
    SmallDuckdb,
    SmallSqlite,
)

DATABASES = [SmallSqlite, SmallDuckdb]
QUICK, MANY = 400, 20_000
ROW_VERBS = {Verb.WRITE, Verb.DELETE, Verb.TRUNCATE, Verb.DROP, Verb.ALTER, Verb.CREATE}
LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(\d[\d.]*(?:e\d+)?)", re.I)

TRUTH = re.compile(r"\b(TRUE|0x1|X'31')")
"""What else is the number 1."""
CHANCES = st.randoms(use_true_random=False)


def plain(text: str) -> str | Decimal:
    """A value or a constant such that what is the same key compares equal."""
    date = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", text)
    if date:
        return "{}-{:0>2}-{:0>2}".format(*date.groups())
    try:
        return abs(Decimal(text.strip()))
    except InvalidOperation:
        return text


def constants(statement: str) -> set[str]:
    """Every string and every number of the text."""
    found = {string or number for string, number in LITERAL.findall(statement)}
    return found | {"1"} if TRUTH.search(statement) else found


def names(row: Row, table: str, key: Iterable[str], said: set[str]) -> bool:
    """Whether the constants hold the row's value in each column of the key."""
    values = [row[COLUMNS[table].index(column)] for column in key]
    if table == "pairs" or key == ("code",):
        # Text is compared as text, numbers as numbers.
        return all(
            value in said or (column == "a" and plain(value) in map(plain, said))
            for value, column in zip(values, key, strict=True)
        )
    return all(plain(value) in set(map(plain, said)) for value in values)


def is_understood(intent: Intent) -> bool:
    return not intent.opaque and not intent.inadmissible


def breach(intent: Intent, change: Change, statement: str) -> str:
    """The law that the change breaks; empty where it breaks none."""
    if not is_understood(intent):
        return ""
    written = [effect for effect in intent.effects if effect.verb in ROW_VERBS]
    only_reads = all(effect.verb is Verb.READ for effect in intent.effects)
    if only_reads and (change.tables or change.structure):
        return "a read changes something"
    tables = {
        one.resource.name.lower() for one in written if one.resource.type is ResourceType.TABLE
    }
    if not change.tables <= tables:
        return f"{change.tables - tables} changes unsaid"
    for table in change.tables:
        extents = {one.extent for one in written if one.resource.name.lower() == table}
        if extents == {Extent.KEY_BOUND} and not is_bounded(change, table, statement):
            return f"{table} changes beyond its keys: {change.gone[table]}, new {change.new[table]}"
    return ""


def is_bounded(change: Change, table: str, statement: str) -> bool:
    gone, new, said = change.gone[table], change.new[table], constants(statement)
    if re.search(r"\b(INSERT|REPLACE INTO)\b", statement):
        # At most two rows are written out, and each may take the place of one row by each key.
        return len(new) <= 2 and len(gone) <= 2 * len(KEYS[table])
    return any(
        len(gone) <= len(said) ** len(key) and all(names(row, table, key, said) for row in gone)
        for key in KEYS[table]
    )


def outcome(database: SmallDatabase, statement: str) -> str:
    """What kind of example it was. Fails where a law is broken."""
    change = database.run(statement)
    if change is None:
        return "refused by the database"
    intent = read_sql(statement, database.dialect, CATALOG)
    assert not breach(intent, change, statement), statement
    if not is_understood(intent):
        return "not understood"
    extents = {effect.extent for effect in intent.effects if effect.verb in ROW_VERBS}
    if not extents:
        return "read"
    if extents != {Extent.KEY_BOUND}:
        return "unbounded write"
    return "key_bound with effect" if change.tables else "key_bound without effect"


@pytest.mark.parametrize("database", DATABASES)
def test_what_is_read_is_what_happens(database: type[SmallDatabase]) -> None:
    check(database, QUICK)


@pytest.mark.prove
@pytest.mark.parametrize("database", DATABASES)
def test_what_is_read_is_what_happens_many_times(database: type[SmallDatabase]) -> None:
    check(database, MANY)


def check(kind: type[SmallDatabase], count: int) -> None:
    database = kind()

    @settings(max_examples=count, deadline=None, database=None)
    @given(CHANCES)
    def holds(chance: Random) -> None:
        event(outcome(database, Grammar(chance, database.dialect).statement()))

    holds()


@pytest.mark.parametrize("database", DATABASES)
def test_the_examples_reach_what_they_are_for(
    database: type[SmallDatabase], counted: Callable[[str], None]
) -> None:
    small, chance = database(), Random(7)
    drawn = [Grammar(chance, small.dialect).statement() for _ in range(QUICK)]
    seen = Counter(outcome(small, statement) for statement in drawn)
    counted(", ".join(f"{count} {name}" for name, count in seen.most_common()))
    assert seen["key_bound with effect"] >= QUICK // 16
    assert seen["read"] >= QUICK // 20
    assert seen["unbounded write"] >= QUICK // 20
    assert seen["refused by the database"] <= QUICK // 2
