"""EXPLAIN: where the explained statement begins, and whether it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.session.plain import begins_statement
from enforcers.intent.sql.words import words

_WORDS = words(
    "verbose extended formatted cost codegen partitions plan for query using text json tabular ",
    "logical ast syntax pipeline estimate format = traditional tree brief",
)
_EXPLAINS = words("explain describe desc summarize")
_STARTS = words("select with insert update delete merge replace from values table")


_DESCRIBES = words("mysql spark duckdb clickhouse")
"""Families in which DESCRIBE, like EXPLAIN, stands before a whole statement."""
_DESCRIBES_OBJECTS = frozenset({"snowflake"})
"""Where a kind stands behind DESCRIBE: its TABLE begins no query."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The statement behind an EXPLAIN."""

    start: int
    """Index of its first token."""
    executes: bool


def runs_behind(explained: Explained, tokens: Sequence[Token], reading: Reading) -> bool:
    """
    Whether the statement behind the word would run, as the server has no such EXPLAIN.

    T-SQL takes the word for a procedure, and reads on; what is not known may be T-SQL.
    """
    word = tokens[0].text.lower()
    if reading.family == "ansi" and word == "explain":
        return any(begins_statement(token) for token in tokens[explained.start + 1 :]) or (
            tokens[explained.start].text.lower() not in ("select", "values")
        )
    known = {"explain": reading.family != "tsql", "summarize": reading.family == "duckdb"}
    return not known.get(word, reading.family in _DESCRIBES)


def read_explain(tokens: Sequence[Token], reading: Reading) -> Explained | None:
    """Where the inner statement starts; None where this is no EXPLAIN that is understood."""
    word = tokens[0].text.lower() if tokens else ""
    if word not in _EXPLAINS or (word != "explain" and reading.family in _DESCRIBES_OBJECTS):
        return None
    executes = tokens[0].text.lower() == "summarize"
    at = 1
    while at < len(tokens):
        word = tokens[at].text.lower()
        if word in ("analyze", "analyse"):
            executes = True
        elif tokens[at].token_type is TokenType.L_PAREN:
            if at + 1 < len(tokens) and tokens[at + 1].text.lower() in _STARTS:
                return Explained(at, executes)
            at, runs = _options(tokens, at)
            executes = executes or runs
            continue
        elif word not in _WORDS:
            return Explained(at, executes) if word in _STARTS else None
        at += 1
    return None


def _options(tokens: Sequence[Token], at: int) -> tuple[int, bool]:
    """The index after an option list, and whether it asks for the statement to run."""
    runs = False
    while at < len(tokens) and tokens[at].token_type is not TokenType.R_PAREN:
        runs = runs or tokens[at].text.lower() in ("analyze", "analyse", "validate")
        at += 1
    return at + 1, runs
