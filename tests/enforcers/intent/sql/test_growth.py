"""
No construct makes the reader slow: twice as much of it costs at most three times as many steps.

Steps are calls of Python functions, which are the same on every machine and under any load; time is measured
under `--prove` only.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from enforcers.catalog import EMPTY_CATALOG
from enforcers.catalog.held import Held
from enforcers.intent.model import Intent
from enforcers.intent.sql import read_sql

CASES = Path(__file__).parents[3] / "cases" / "sql" / "growth.txt"
CONSTRUCTS = dict(
    line.split(" | ", 1)
    for line in CASES.read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)
DIALECTS = [
    "postgres",
    "redshift",
    "mysql",
    "tidb",
    "tsql",
    "snowflake",
    "oracle",
    "bigquery",
    "duckdb",
    "sqlite",
    "spark",
    "databricks",
    "trino",
    "clickhouse",
]
QUICK_DIALECTS = ("postgres", "bigquery", "spark")
RATIO = 3
FLOOR = 3_000
"""Steps of a short statement: below them a ratio says nothing."""
MOST = 2_000_000
"""Steps of one text, some seconds: beyond them there is no end in sight."""
TIME_FLOOR_S = 0.005
"""Below it the garbage collector and the neighbours decide."""
PLAIN = (
    "SELECT a, b FROM t JOIN u ON t.id = u.id WHERE t.c = 1 AND u.d IN (1, 2) ORDER BY a LIMIT 10"
)
BOMB_RATIO = 20
"""How much longer than an everyday statement a bomb may take."""


def repeated(template: str, count: int) -> str:
    """The template with what stands between its brackets that many times."""
    head, _, rest = template.partition("[[")
    body, tail = rest[: rest.rindex("]]")], rest[rest.rindex("]]") + 2 :]
    if "^" not in body:
        return head + body * count + tail
    opened, held, closed = body.split("^")
    return head + opened * count + held + closed * count + tail


class EndlessError(AssertionError):
    """The reader makes no end."""


def steps(text: str, dialect: str) -> int:
    """How many calls the reading takes; it is never taken from the cache."""
    count = 0

    def tick(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"
        if count > MOST:
            sys.setprofile(None)
            raise EndlessError(f"{dialect}: {text[:80]}")

    before = sys.getprofile()
    sys.setprofile(tick)
    try:
        read_sql.__globals__["_cached"].__wrapped__(text, dialect, "", Held(EMPTY_CATALOG))
    finally:
        sys.setprofile(before)
    return count


def offenders(dialects: tuple[str, ...] | list[str], sizes: tuple[int, ...]) -> list[str]:
    found = []
    for name, template in CONSTRUCTS.items():
        for dialect in dialects:
            taken = [steps(repeated(template, size), dialect) for size in sizes]
            pairs = itertools.pairwise(taken)
            if any(after > max(RATIO * before, FLOOR) for before, after in pairs):
                found.append(f"{name} in {dialect}: {taken}")
    return found


def test_no_construct_grows_faster_than_its_length() -> None:
    assert not offenders(QUICK_DIALECTS, (6, 12, 24))


@pytest.mark.prove
@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_construct_grows_faster_in_any_dialect(dialect: str) -> None:
    assert not offenders([dialect], (6, 12, 24))


@pytest.mark.prove
@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_construct_grows_faster_up_to_the_bounds(dialect: str) -> None:
    assert not offenders([dialect], (50, 100, 200, 400))


@pytest.mark.prove
@pytest.mark.parametrize("dialect", DIALECTS)
def test_time_grows_with_the_length(dialect: str) -> None:
    found = {}
    for name, template in CONSTRUCTS.items():
        texts = [repeated(template, size) for size in (6, 12, 24)]
        # A neighbour on the machine disturbs one measurement; what grows too fast does so in every one.
        if all(grows_too_fast(taken := seconds(texts, dialect, tries)) for tries in (5, 10, 20)):
            found[name] = taken
    assert not found


def grows_too_fast(taken: list[float]) -> bool:
    pairs = itertools.pairwise(taken)
    return any(after > max(RATIO * before, TIME_FLOOR_S) for before, after in pairs)


def seconds(texts: list[str], dialect: str, tries: int) -> list[float]:
    """Processor time of each reading, the least of some; in turns, so that all meet the same neighbours."""
    rounds = [[timed(text, dialect)[0] for text in texts] for _ in range(tries)]
    return [min(taken) for taken in zip(*rounds, strict=True)]


def timed(text: str, dialect: str) -> tuple[float, Intent]:
    started = time.thread_time()
    intent = read_sql.__globals__["_cached"].__wrapped__(text, dialect, "", Held(EMPTY_CATALOG))
    return time.thread_time() - started, intent


BOMBS: dict[str, Callable[[], str]] = {
    "join": lambda: "SELECT 1 FROM t" + " JOIN t" * 24,
    "left join": lambda: "SELECT 1 FROM t" + " LEFT JOIN t" * 20,
    "struct": lambda: "SELECT " + "STRUCT(" * 24 + "1" + ")" * 24,
    "array": lambda: "SELECT " + "ARRAY[" * 20 + "1" + "]" * 20,
    "subscripts": lambda: "SELECT a" + "[1]" * 2_000,
    "parens": lambda: "SELECT " + "(" * 1_000 + "1" + ")" * 1_000,
    "subqueries": lambda: "SELECT * FROM (" * 1_000 + "SELECT 1" + ") t" * 1_000,
    "array types": lambda: "SELECT CAST(a AS " + "ARRAY<" * 3_000 + "int" + ">" * 3_000 + ")",
    "joined parens": lambda: "SELECT 1 FROM " + "(t JOIN " * 3_000 + "t" + ")" * 3_000,
    "table parens": lambda: "SELECT 1 FROM " + "(" * 2_000 + "t" + ")" * 2_000,
    "or": lambda: "SELECT 1 WHERE a = 1" + " OR a = 1" * 10_000,
    "in list": lambda: f"SELECT 1 WHERE a IN (1{', 1' * 150_000})",
    "values": lambda: "INSERT INTO t VALUES (1, 2)" + ", (1, 2)" * 80_000,
    "statements": lambda: "SELECT 1;" * 100_000,
    "open string": lambda: "SELECT '" + "x" * 1_000_000,
    "open comment": lambda: "SELECT /*" + "x" * 1_000_000,
    "long name": lambda: "SELECT " + "x" * 1_000_000,
    "comments": lambda: "SELECT 1" + " /* c */" * 100_000,
    "nested comments": lambda: "SELECT " + "/*" * 250_000 + "*/" * 250_000,
}
"""What took a parser seconds, or a process its life."""


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_bomb_is_answered_with_a_reason(name: str, dialect: str) -> None:
    intent = read_sql(BOMBS[name](), dialect, EMPTY_CATALOG)
    assert intent.inadmissible or intent.opaque


@pytest.mark.prove
@pytest.mark.parametrize("name", BOMBS)
def test_every_bomb_is_answered_at_once(name: str) -> None:
    text = BOMBS[name]()
    for dialect in DIALECTS:
        bomb, plain = seconds([text, PLAIN], dialect, 5)
        assert bomb < BOMB_RATIO * plain, dialect
