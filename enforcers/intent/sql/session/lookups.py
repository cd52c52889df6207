"""What looks up the structure of an object: DESCRIBE, EXISTS, and procedures of T-SQL's server."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.file_names import name_path
from enforcers.intent.sql.session.effects import Effects, describes
from enforcers.intent.sql.session.plain import is_literal, is_name, is_word, parted
from enforcers.intent.sql.words import words as names

_BEFORE_DESCRIBED = frozenset({"table", "view", "extended", "formatted", "output"})
_KINDS = {
    "spark": names("history detail database schema catalog function volume namespace"),
    "snowflake": names(
        "warehouse schema database stage file procedure sequence stream task pipe share role",
    ),
}
"""What else than a table is described, where the word for it stands before the name."""
_BEFORE_EXISTING = names("temporary table view dictionary database")
_PROCEDURES = names(
    "sp_help sp_helptext sp_helpindex sp_helpconstraint sp_helpdb sp_helpfile sp_helpfilegroup ",
    "sp_columns sp_tables sp_pkeys sp_fkeys sp_statistics sp_special_columns sp_databases ",
    "sp_stored_procedures sp_sproc_columns sp_depends sp_server_info sp_datatype_info sp_who ",
    "sp_lock sp_helptrigger sp_helprole sp_helprolemember sp_helpuser",
)
"""The server's own procedures that show structure and nothing else."""


def read_describe(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """DESCRIBE of one object by its name, and MySQL's EXPLAIN of a table."""
    start = _behind(words, _BEFORE_DESCRIBED)
    if words[0] == "explain" and (reading.family != "mysql" or start > 1):
        return None
    if not _KINDS.get(reading.family, frozenset()).isdisjoint(words[start : start + 1]):
        start += 1 + (words[start : start + 2] == ["file", "format"])
        start += words[start : start + 1] == ["extended"]
    name = _without_column(tokens[start:], reading)
    if not names_object(name, reading):
        return None
    return describes("".join(words[start:]))


def read_exists(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """ClickHouse's `EXISTS [TABLE] name`."""
    start = _behind(words, _BEFORE_EXISTING)
    if reading.family != "clickhouse" or not is_name(tokens[start:], reading):
        return None
    return describes("".join(words[start:]))


def read_execute(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """A procedure of T-SQL that looks up structure, with constants and nothing behind them."""
    at = 3 if words[1:3] == ["sys", "."] else 1
    if reading.family != "tsql" or at >= len(words) or words[at] not in _PROCEDURES:
        return None
    arguments = tokens[at + 1 :]
    if arguments and not all(_is_argument(one, reading) for one in parted(arguments)):
        return None
    return describes(words[at])


def names_object(tokens: Sequence[Token], reading: Reading) -> bool:
    """Whether the tokens are the name of an object, and of no file that DuckDB opens instead."""
    return is_name(tokens, reading) and not (reading.family == "duckdb" and name_path(tokens))


def _behind(words: list[str], skipped: frozenset[str]) -> int:
    """The index of the first word that is not one of these, or of the last word."""
    at = 1
    while at < len(words) - 1 and words[at] in skipped:
        at += 1
    return at


def _without_column(name: Sequence[Token], reading: Reading) -> Sequence[Token]:
    """The name of the table, where a column stands behind it."""
    followed = reading.family in ("mysql", "spark") and len(name) in (2, 4) and is_word(name[-1])
    return name[:-1] if followed and is_name(name[-1:], reading) else name


def _is_argument(tokens: list[Token], reading: Reading) -> bool:
    if len(tokens) == 4 and tokens[0].text == "@" and tokens[2].text == "=":
        tokens = tokens[3:] if is_word(tokens[1]) else []
    return is_literal(tokens) or (len(tokens) == 1 and is_name(tokens, reading))
