"""Variables of a session that get a constant: DECLARE, and SET where it names a variable; and PRINT."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.session.effects import Effects, variable
from enforcers.intent.sql.session.plain import begins_statement, is_literal, is_word_at
from enforcers.intent.sql.words import words as names

_VARIABLES = {
    "duckdb": frozenset({"variable"}),
    "spark": frozenset({"variable", "var"}),
    "snowflake": frozenset({""}),
    "bigquery": frozenset({""}),
}
"""The word before a variable's name, by which it is told from a setting; empty: there is none."""
_TYPES = names(
    "int integer bigint smallint tinyint bit date time datetime datetime2 smalldatetime money ",
    "datetimeoffset float real uniqueidentifier sysname decimal numeric char varchar nchar nvarchar",
)
_OTHER_TYPES = names("string boolean bool double long int64 float64 bignumeric timestamp")


def sets_variable(tokens: Sequence[Token], reading: Reading) -> bool:
    """`[VARIABLE] name = literal` where that is a variable of the session and no setting."""
    before = _VARIABLES.get(reading.family, frozenset())
    named = tokens[1:] if tokens and tokens[0].text.lower() in before else tokens
    if named is tokens and "" not in before:
        return False
    negative = len(named) == 4 and named[2].text == "-"
    assigned = is_literal(named[3:] if negative else named[2:])
    return assigned and named[0].text.isidentifier() and named[1].text == "="


def sets_marked_variable(tokens: Sequence[Token]) -> bool:
    """`@name = literal` and nothing after it: T-SQL needs no semicolon before the next statement."""
    signs = [token.text for token in tokens[2:]]
    assigned = is_literal(tokens[4:] if signs[1:2] == ["-"] else tokens[3:])
    return assigned and tokens[1].text.isidentifier() and signs[0] in ("=", ":=")


def read_declare(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """DECLARE of variables that get no more than constants, and nothing behind it."""
    if reading.family in ("spark", "bigquery"):
        return (variable(),) if _declares_one(words, tokens) else None
    if reading.family == "tsql":
        return (variable(),) if _declares_marked(words, tokens) else None
    return None


def read_print(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """T-SQL's PRINT of a constant: it does nothing."""
    return () if reading.family == "tsql" and is_literal(tokens[1:]) else None


def _declares_marked(words: list[str], tokens: Sequence[Token]) -> bool:
    """`DECLARE @name type [= constant], …`."""
    at = 1
    while (behind := _behind_marked(words, tokens, at)) is not None:
        if behind == len(words):
            return True
        if words[behind] != ",":
            return False
        at = behind + 1
    return False


def _behind_marked(words: list[str], tokens: Sequence[Token], at: int) -> int | None:
    """The index behind one `@name [AS] type [= constant]`; None where that is not there."""
    if words[at : at + 1] != ["@"] or not is_word_at(tokens, at + 1):
        return None
    at += 2 + (words[at + 2 : at + 3] == ["as"])
    if at >= len(words) or words[at] not in _TYPES:
        return None
    at = _behind_size(words, at + 1)
    if words[at : at + 1] != ["="]:
        return at
    return at + 2 if words[at + 1 : at + 2] == ["null"] else _behind_constant(words, tokens, at)


def _declares_one(words: list[str], tokens: Sequence[Token]) -> bool:
    """`DECLARE [OR REPLACE] [VARIABLE] name [type] [{DEFAULT | =} constant]`."""
    at = 3 if words[1:3] == ["or", "replace"] else 1
    at += words[at : at + 1] in (["variable"], ["var"]) and len(words) > at + 1
    if not is_word_at(tokens, at) or begins_statement(tokens[at]):
        return False
    behind: int | None = at + 1
    if at + 1 < len(words) and words[at + 1] in _TYPES | _OTHER_TYPES:
        behind = _behind_size(words, at + 2)
    if behind is not None and words[behind : behind + 1] in (["default"], ["="]):
        behind = _behind_constant(words, tokens, behind)
    return behind == len(words) > 2


def _behind_constant(words: list[str], tokens: Sequence[Token], at: int) -> int | None:
    """The index behind `= [-] constant`; None where there is something else."""
    at += 1 + (words[at + 1 : at + 2] == ["-"])
    return at + 1 if is_literal(tokens[at : at + 1]) else None


def _behind_size(words: list[str], at: int) -> int:
    """The index behind `(10, 2)` or `(max)`, if that is there."""
    if words[at : at + 1] != ["("] or ")" not in words[at:]:
        return at
    end = words.index(")", at)
    sizes = words[at + 1 : end]
    whole = all(size.isdigit() or size in ("max", ",") for size in sizes)
    return end + 1 if whole else at
