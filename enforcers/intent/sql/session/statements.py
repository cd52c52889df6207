"""
A small reader of its own for session and catalog statements, from the tokens alone.

It knows whole statements: a word too many, an expression or a parenthesis, and the statement is
not one of these. What it cannot place is left to the parser, and so in the end is opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Effect
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.session.assignments import read_alter, read_reset, read_set, read_unset
from enforcers.intent.sql.session.effects import Effects, chosen, of_setting
from enforcers.intent.sql.session.lookups import (
    names_object,
    read_describe,
    read_execute,
    read_exists,
)
from enforcers.intent.sql.session.plain import VALUES, are_plain
from enforcers.intent.sql.session.pragmas import read_pragma
from enforcers.intent.sql.session.shown import read_show
from enforcers.intent.sql.session.transactions import read_transaction
from enforcers.intent.sql.session.variables import read_declare, read_print
from enforcers.intent.sql.words import words as names


@dataclass(frozen=True, slots=True)
class Session:
    """A session or catalog statement that was understood."""

    statement: str
    effects: tuple[Effect, ...]


_TSQL = names("set use begin commit rollback save declare print exec execute")
"""The words that T-SQL has; any other is a procedure that runs, and the batch goes on behind it."""
_USED = names("database schema catalog warehouse")
_LONGEST = 200


def read_session(tokens: Sequence[Token], reading: Reading) -> Session | None:
    """The statement, if it is a session or catalog statement that is understood."""
    if not tokens or tokens[0].token_type in VALUES:
        return None
    # Some dialects make one token of two words: `BEGIN TRANSACTION`. A quoted name may have none.
    word, *others = tokens[0].text.lower().split() or [""]
    reader = _READERS.get(word)
    if reader is None or (reading.family == "tsql" and word not in _TSQL):
        return None
    words = [word, *others, *(token.text.lower() for token in tokens[1:])]
    effects = reader(words, tokens, reading)
    return Session(word, effects) if effects is not None else None


def _use(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """`USE [SCHEMA] name`; anything else, such as a role or a file, is a setting."""
    if len(words) < 2 or not are_plain(tokens[1:]) or (reading.family == "tsql" and len(words) > 2):
        return None
    if any(token.token_type is TokenType.PARAMETER for token in tokens):
        return None
    name = tokens[2:] if words[1] in _USED and len(words) > 2 else tokens[1:]
    said = " ".join(words)[:_LONGEST]
    return (chosen(said) if names_object(name, reading) else of_setting(said),)


_READERS: dict[str, Callable[[list[str], Sequence[Token], Reading], Effects]] = {
    "show": read_show,
    "describe": read_describe,
    "desc": read_describe,
    "set": read_set,
    "alter": read_alter,
    "reset": read_reset,
    "unset": read_unset,
    "explain": read_describe,
    "exists": read_exists,
    "declare": read_declare,
    "print": read_print,
    "exec": read_execute,
    "execute": read_execute,
    "save": read_transaction,
    "use": _use,
    "pragma": read_pragma,
    "begin": read_transaction,
    "start": read_transaction,
    "commit": read_transaction,
    "rollback": read_transaction,
    "abort": read_transaction,
    "end": read_transaction,
    "savepoint": read_transaction,
    "release": read_transaction,
}
