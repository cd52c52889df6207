"""
Damaged statements, read in a process of their own: no crash, no hang, and an ending that says nothing changes
nothing. `FUZZ_SECONDS` is how long the run of `--prove` takes.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest

from enforcers.catalog import EMPTY_CATALOG
from enforcers.intent.model import Intent
from enforcers.intent.sql import read_sql

CASES = Path(__file__).parents[3] / "cases" / "sql"
SECONDS = float(os.environ.get("FUZZ_SECONDS", "600"))
DEADLINE_S = 1.0
"""Processor time of one reading."""
PATIENCE_S = 30.0
"""How long the parent waits for an answer on a busy machine before it says that there is none."""
FEW = 300
ENDINGS = ("\n;", " \n", ";;", "\n-- end\n")
"""What may stand behind any statement without changing it."""

WORD = re.compile(r"\s+|'[^']*'|\w+|.", re.S)
CHARACTERS = "\0\n\r\t'\"`\\;()[]{}<>$@#%^&*-/:?!~|.,=é\u200b\u2028\ufeff\ud800İſ٣＇𝒂"
WRAPPERS = (
    "({})",
    "EXPLAIN ANALYZE {}",
    "WITH c AS ({}) SELECT 1",
    "SELECT * FROM ({}) t",
    "{} UNION ALL {}",
    "{}; {}",
    "/* {} */",
    "BEGIN {} END",
    "SELECT '{}'",
    "INSERT INTO t {}",
    "CREATE TABLE t AS {}",
)


def cases() -> list[tuple[str, str]]:
    """Dialect and statement of every case."""
    rows = [
        line.split(" | ", 2)
        for path in sorted(CASES.glob("*.txt"))
        for line in path.read_text("utf-8").splitlines()
        if line.count(" | ") > 1 and not line.startswith("#")
    ]
    return [(dialect, statement) for dialect, _, statement in rows]


def damaged(chance: Random) -> Iterator[tuple[str, str]]:
    """Statements of the cases with a few changes each, without end."""
    known = cases()
    while True:
        dialect, statement = chance.choice(known)
        words = WORD.findall(statement)
        other = WORD.findall(chance.choice(known)[1])
        for _ in range(chance.randrange(1, 5)):
            chance.choice(CHANGES)(chance, words, other)
        text = "".join(words)
        if chance.randrange(4) == 0:
            text = chance.choice(WRAPPERS).replace("{}", text)
        yield (chance.choice(known)[0] if chance.randrange(4) == 0 else dialect), text


def delete(chance: Random, words: list[str], other: list[str]) -> None:
    at = chance.randrange(len(words) + 1)
    del words[at : at + chance.randrange(1, 4)]


def duplicate(chance: Random, words: list[str], other: list[str]) -> None:
    at = chance.randrange(len(words) + 1)
    words[at:at] = words[at : at + chance.randrange(1, 6)] * chance.choice((1, 1, 2, 30))


def swap(chance: Random, words: list[str], other: list[str]) -> None:
    if words:
        one, two = chance.randrange(len(words)), chance.randrange(len(words))
        words[one], words[two] = words[two], words[one]


def splice(chance: Random, words: list[str], other: list[str]) -> None:
    start, at = chance.randrange(len(other) + 1), chance.randrange(len(words) + 1)
    words[at:at] = [" ", *other[start : start + chance.randrange(1, 12)], " "]


def scribble(chance: Random, words: list[str], other: list[str]) -> None:
    words.insert(chance.randrange(len(words) + 1), chance.choice(CHARACTERS))


def cut(chance: Random, words: list[str], other: list[str]) -> None:
    del words[chance.randrange(len(words) + 1) :]


CHANGES: tuple[Callable[[Random, list[str], list[str]], None], ...] = (
    delete,
    duplicate,
    swap,
    splice,
    scribble,
    cut,
)


def loosens(before: Intent, after: Intent) -> bool:
    """Whether what was refused, or claimed other effects, is understood with an ending behind it."""
    if after.opaque or after.inadmissible:
        return False
    refused = before.opaque or before.inadmissible
    return bool(refused) or set(before.effects) != set(after.effects)


def fault(dialect: str, text: str) -> str:
    """What is wrong with the reading; empty where nothing is."""
    started = time.thread_time()
    intent = read_sql(text, dialect, EMPTY_CATALOG)
    taken = time.thread_time() - started
    if not isinstance(intent, Intent):
        return f"gave {type(intent).__name__}"
    if taken > DEADLINE_S:
        return f"took {taken:.1f} s"
    for ending in ENDINGS:
        if loosens(intent, read_sql(text + ending, dialect, EMPTY_CATALOG)):
            return f"is understood otherwise with {ending!r} behind it"
    return ""


def serve(pipe: Connection) -> None:
    """Read what comes through the pipe, in a process of its own."""
    while True:
        dialect, text = pipe.recv()
        try:
            pipe.send(fault(dialect, text))
        except Exception as error:
            pipe.send(f"raised {type(error).__name__}: {error}")


def run(chance: Random, goes_on: Callable[[int], bool]) -> tuple[int, list[str]]:
    """Read damaged statements while it goes on: how many, and the faults."""
    near, far = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=serve, args=(far,), daemon=True)
    child.start()
    count, faults = 0, []
    try:
        for dialect, text in damaged(chance):
            if not goes_on(count) or len(faults) > 20:
                break
            near.send((dialect, text))
            if not near.poll(PATIENCE_S):
                faults.append(f"no answer: {dialect} | {text!r}")
                break
            found = near.recv()
            faults += [f"{found}: {dialect} | {text!r}"] if found else []
            count += 1
    finally:
        child.kill()
        child.join()
    return count, faults


@pytest.mark.parametrize(
    "statement", ["SHOW a; SHOW b", "SELECT 1; VACUUM a", "SELECT 1; RESET ALL"]
)
def test_a_comment_behind_a_command_is_no_part_of_it(statement: str) -> None:
    assert not fault("postgres", statement)


def test_a_comment_behind_a_truncate_of_no_table_is_no_part_of_it() -> None:
    assert not fault("mysql", "TRUNCATE FROM tidy(NULL), shipments")


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "snowflake"])
def test_an_empty_string_behind_a_bind_may_end_a_statement(dialect: str) -> None:
    statement = "SELECT id FROM ports WHERE id = $1 AND city > ''"
    assert not read_sql(statement, dialect, EMPTY_CATALOG).opaque
    assert not fault(dialect, statement)


@pytest.mark.parametrize("statement", ["SELECT 7 / 2 -- half\r", "SELECT 'far//off'\r"])
def test_a_carriage_return_at_the_very_end_is_no_part_of_it(statement: str) -> None:
    assert not fault("spark", statement)


def test_damaged_statements_are_read() -> None:
    _, faults = run(Random(11), lambda count: count < FEW)
    assert not faults


@pytest.mark.prove
def test_damaged_statements_are_read_for_long(counted: Callable[[str], None]) -> None:
    ends = time.monotonic() + SECONDS
    seed = time.time_ns()
    count, faults = run(Random(seed), lambda _: time.monotonic() < ends)
    counted(f"{count} statements in {SECONDS:.0f} s, seed {seed}")
    assert not faults
