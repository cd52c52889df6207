"""Settings that get a value or lose it: SET, ALTER SESSION, RESET and UNSET."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Effect
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.session.effects import (
    Effects,
    chosen,
    of_session,
    of_setting,
    variable,
)
from enforcers.intent.sql.session.plain import VALUES, are_plain, begins_statement, is_word, parted
from enforcers.intent.sql.session.settings import ON, effect_of
from enforcers.intent.sql.session.transactions import read_transaction
from enforcers.intent.sql.session.variables import sets_marked_variable, sets_variable
from enforcers.intent.sql.words import words as names

_ALLOWED = VALUES | {
    TokenType.EQ,
    TokenType.DOT,
    TokenType.COMMA,
    TokenType.DASH,
    TokenType.SLASH,
    TokenType.PARAMETER,
    TokenType.SESSION_PARAMETER,
}
_SEVERAL = frozenset({"mysql", "clickhouse", "ansi"})
"""Families in which another setting may stand behind a comma; what is not known may be one."""
_ONE_WORD = frozenset({"tsql", "clickhouse", "ansi"})
"""Families in which a second word is no part of the value, but may begin a second statement."""
_WIDE_SCOPES = frozenset({"global", "persist"})
_SCOPES = _WIDE_SCOPES | {"session", "local"}
_UTF8 = names("utf8 utf8mb3 utf8mb4 latin1 ascii us-ascii utf-8")
_STATISTICS = frozenset({"io", "time", "profile", "xml"})
_PARALLEL = [["parallel", what] for what in ("query", "dml", "ddl")]


def is_assigned(token: Token) -> bool:
    """Whether the token may stand in a name, in a value, or between them."""
    return token.token_type in _ALLOWED or token.text.isidentifier() or token.text == ":="


def read_set(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """`SET [SESSION | LOCAL] name {= | TO} value`, several of them in some families, or of a transaction."""
    if words[1:2] == ["transaction"] or words[1:3] == ["session", "transaction"]:
        return read_transaction(["set", *words[words.index("transaction") :]], tokens, reading)
    if words[1:5] == ["session", "characteristics", "as", "transaction"]:
        return read_transaction(["set", *words[4:]], tokens, reading)
    parts = parted(tokens[1:]) if reading.family in _SEVERAL else [list(tokens[1:])]
    effects = [_assignment(part, reading) for part in parts]
    understood = tuple(effect for effect in effects if effect is not None)
    return understood if len(understood) == len(effects) else None


def read_alter(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """`ALTER SESSION` that sets, unsets, or runs queries in parallel."""
    if reading.family not in ("snowflake", "oracle") or words[1:2] != ["session"]:
        return None
    if words[2:3] == ["unset"] and len(words) == 4 and is_word(tokens[3]):
        return (effect_of(words[3], "", reading),)
    if words[2:3] in (["enable"], ["disable"]) and words[3:] in _PARALLEL:
        return (of_session("parallel"),)
    return _altered(tokens[3:], reading) if words[2:3] == ["set"] else None


def read_reset(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """`RESET [SESSION] name`."""
    if words[1:] == ["time", "zone"]:
        return (effect_of("timezone", "", reading),)
    before = 2 if words[1:2] == ["session"] and len(words) > 2 else 1
    # The first token may be two words.
    name = tokens[len(tokens) - len(words) + before :]
    if len(name) % 2 == 0 or not are_plain(name) or not all(map(is_word, name[::2])):
        return None
    if any(token.token_type is not TokenType.DOT for token in name[1::2]):
        return None
    return (effect_of("".join(token.text.lower() for token in name), "", reading),)


def read_unset(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """Snowflake's `UNSET name` of a variable."""
    named = reading.family == "snowflake" and len(words) == 2 and is_word(tokens[1])
    return (variable(),) if named else None


def _altered(tokens: Sequence[Token], reading: Reading) -> Effects:
    """`name = value`, several of them one after the other."""
    tokens = [token for token in tokens if token.token_type is not TokenType.COMMA]
    named, signs, valued = tokens[::3], tokens[1::3], tokens[2::3]
    if not tokens or len(tokens) % 3 or any(sign.text != "=" for sign in signs):
        return None
    if not all(one.text.isidentifier() for one in named):
        return None
    if not all(one.token_type in VALUES or one.text.isidentifier() for one in valued):
        return None
    pairs = zip(named, valued, strict=True)
    return tuple(_pair(name.text.lower(), value.text.lower(), reading) for name, value in pairs)


def _pair(name: str, value: str, reading: Reading) -> Effect:
    if name == "autocommit" and value in ON:
        return chosen(name)
    return effect_of(name, value, reading)


def _assignment(tokens: list[Token], reading: Reading) -> Effect | None:
    """One name with its value; None where either is more than plain words."""
    if not all(map(is_assigned, tokens)) or any(map(begins_statement, tokens[1:])):
        return None
    marked = tokens[:1] != [] and tokens[0].text == "@"
    if marked and not _names_system(tokens, reading):
        return variable() if sets_marked_variable(tokens) else None
    if sets_variable(tokens, reading):
        return variable()
    scope, words = _scope_and_words(tokens)
    if words[:2] == ["character", "set"] or words[:1] == ["charset"]:
        plain = len(words) < 4 and words[-1] in _UTF8
        return of_session("names") if plain else of_setting("names")
    if words[:1] == ["names"] and reading.family in ("mysql", "ansi"):
        return of_session("names") if words[1:2] and words[1] in _UTF8 else of_setting("names")
    return _of_family(scope, words, reading) or _of_name(scope, words, reading)


def _names_system(tokens: list[Token], reading: Reading) -> bool:
    """Whether BigQuery's two signs before a setting are there, where one marks a variable."""
    return reading.family == "bigquery" and [token.text for token in tokens[1:2]] == ["@"]


def _scope_and_words(tokens: list[Token]) -> tuple[str, list[str]]:
    words = [token.text.lower() for token in tokens if token.text not in ("@", "@@")]
    scope = words.pop(0) if words and words[0] in _SCOPES else ""
    while words and words[0] == ".":
        words.pop(0)
    return scope, words


def _of_family(scope: str, words: list[str], reading: Reading) -> Effect | None:
    """A setting that one family has, and that is judged by more than the lists of names."""
    name, _, _ = _name_and_value(words)
    if reading.family == "mysql" and name == "autocommit" and scope not in _WIDE_SCOPES:
        return chosen(name)
    if reading.family == "bigquery" and name == "time_zone":
        return of_session(name)
    if reading.family == "tsql" and name == "statistics" and _are_statistics(words[1:]):
        return of_session(name)
    return None


def _of_name(scope: str, words: list[str], reading: Reading) -> Effect | None:
    name, value, count = _name_and_value(words)
    if not name or (reading.family in _ONE_WORD and count > 1 and words[:2] != ["time", "zone"]):
        return None
    return of_setting(name, scope) if scope in _WIDE_SCOPES else effect_of(name, value, reading)


def _are_statistics(words: list[str]) -> bool:
    kinds = [word for word in words[:-1] if word != ","]
    commas = all(word == "," for word in words[1:-1:2])
    return bool(kinds) and commas and words[-1] in ("on", "off") and _STATISTICS.issuperset(kinds)


def _name_and_value(words: list[str]) -> tuple[str, str, int]:
    """The dotted name, the value without the sign before it, and how many words that is."""
    name = words[0] if words else ""
    at = 1
    while at + 1 < len(words) and words[at] == ".":
        name = f"{name}.{words[at + 1]}"
        at += 2
    rest = [word for word in words[at:] if word not in ("=", "to", ":=")]
    return name, "".join(rest), len(rest)
