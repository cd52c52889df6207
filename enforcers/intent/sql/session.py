"""
A small reader of its own for session and catalog statements, from the tokens alone.

It knows whole statements: a word too many, an expression or a parenthesis, and the statement is
not one of these. What it cannot place is left to the parser, and so in the end is opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Effect, Extent, Resource, ResourceType, Verb
from enforcers.intent.sql import settings
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.reserved import reserved_words


@dataclass(frozen=True, slots=True)
class Session:
    """A session or catalog statement that was understood."""

    statement: str
    effects: tuple[Effect, ...]


_TSQL = frozenset({"set", "use", "begin", "commit", "rollback"})
"""The words that T-SQL has; any other is a procedure that runs, and the batch goes on behind it."""
_LITERALS = {TokenType.STRING, TokenType.NUMBER, TokenType.NATIONAL_STRING}
_SIGNS = {TokenType.DOT, TokenType.COMMA, TokenType.EQ, TokenType.DASH, TokenType.PERCENT}


def read_session(tokens: Sequence[Token], reading: Reading) -> Session | None:
    """The statement, if it is a session or catalog statement that is understood."""
    reader = _READERS.get(tokens[0].text.lower()) if tokens else None
    if reading.family == "tsql" and tokens and tokens[0].text.lower() not in _TSQL:
        return None
    if reader is None or tokens[0].token_type in _LITERALS | {TokenType.IDENTIFIER}:
        return None
    words = [token.text.lower() for token in tokens]
    effects = reader(words, tokens, reading)
    return Session(words[0], effects) if effects is not None else None


def _effect(
    verb: Verb, kind: ResourceType, name: str, tags: tuple[str, ...] = ()
) -> tuple[Effect, ...]:
    return (Effect(verb, Resource(kind, name, tags=tags), Extent.NONE),)


def _transaction(
    words: list[str], tokens: Sequence[Token], reading: Reading
) -> tuple[Effect, ...] | None:
    rest = " ".join(word for word in words[1:] if word != ",")
    if words[0] in ("savepoint", "release", "rollback") and _names_savepoint(words, reading):
        return _effect(Verb.CONFIGURE, ResourceType.SESSION, "transaction")
    if words[0] == "start" and not rest.startswith("transaction"):
        return None
    if "read write" in rest and _is_transaction(rest.replace("read write", "").strip()):
        return _effect(Verb.CONFIGURE, ResourceType.SETTING, "transaction_read_only")
    if not _is_transaction(rest):
        return None
    return _effect(Verb.CONFIGURE, ResourceType.SESSION, "transaction")


_PHRASES = (
    "isolation level read committed",
    "isolation level read uncommitted",
    "isolation level repeatable read",
    "isolation level serializable",
    "isolation level snapshot",
    "with consistent snapshot",
    "not deferrable",
    "deferrable",
    "read only",
    "transaction",
    "tran",
    "work",
    "deferred",
    "immediate",
    "exclusive",
    "and no chain",
)


def _is_transaction(rest: str) -> bool:
    while rest:
        phrase = next((p for p in _PHRASES if rest == p or rest.startswith(p + " ")), None)
        if phrase is None:
            return False
        rest = rest[len(phrase) :].strip()
    return True


def _names_savepoint(words: list[str], reading: Reading) -> bool:
    tail = [word for word in words[1:] if word not in ("work", "transaction", "to", "savepoint")]
    plain = len(tail) == 1 and tail[0].isidentifier()
    if reading.family == "tsql" and words[1] not in ("tran", "transaction"):
        return False
    return plain and tail[0] not in reserved_words(reading.family) and tail[0] != "prepared"


def _show(words: list[str], tokens: Sequence[Token], reading: Reading) -> tuple[Effect, ...] | None:
    if words[-3:] == ["current_user", "(", ")"]:
        words, tokens = words[:-2], tokens[:-2]
    shown = tokens[2:] if words[1:2] == ["create"] else tokens[1:]
    if not shown or not _plain(shown):
        return None
    tags = settings.tags_of_show(words[1:], reading)
    return _effect(Verb.READ, ResourceType.SETTING, " ".join(words[1:])[:200], tags)


def _describe(
    words: list[str], tokens: Sequence[Token], reading: Reading
) -> tuple[Effect, ...] | None:
    skip = 1
    while skip < len(words) - 1 and words[skip] in settings.DESCRIBE_WORDS:
        skip += 1
    name = tokens[skip:]
    if not _is_name(name, reading):
        return None
    return _effect(Verb.READ, ResourceType.OBJECT, "".join(words[skip:]), ("structure",))


def _is_name(tokens: Sequence[Token], reading: Reading) -> bool:
    """A dotted name, perhaps with a column after it; no file and no query."""
    if not tokens or not _plain(tokens) or tokens[0].token_type in _LITERALS:
        return False
    reserved = reserved_words(reading.family)
    for token in tokens[::2]:
        quoted = token.token_type is TokenType.IDENTIFIER
        if not quoted and (not _word(token) or token.text.lower() in reserved):
            return False
        if quoted and any(char in token.text for char in "/\\:"):
            return False
    return all(token.token_type is TokenType.DOT for token in tokens[1::2])


def _word(token: Token) -> bool:
    return token.text.replace("$", "_").isidentifier()


def _plain(tokens: Sequence[Token]) -> bool:
    """Words, literals and signs only: no call, no query, no comment that hides one."""
    if any(map(settings.begins_statement, tokens)):
        return False
    return all(
        token.token_type in _LITERALS
        or token.token_type in _SIGNS
        or token.token_type is TokenType.IDENTIFIER
        or token.token_type is TokenType.STAR
        or _word(token)
        for token in tokens
    )


def _set(words: list[str], tokens: Sequence[Token], reading: Reading) -> tuple[Effect, ...] | None:
    if words[1:2] == ["transaction"] or words[1:3] == ["session", "transaction"]:
        return _transaction(["set", *words[words.index("transaction") :]], tokens, reading)
    return settings.read_set(tokens[1:], reading)


def _alter(
    words: list[str], tokens: Sequence[Token], reading: Reading
) -> tuple[Effect, ...] | None:
    if words[1:3] != ["session", "set"] or reading.family not in ("snowflake", "oracle"):
        return None
    return settings.read_altered(tokens[3:], reading)


def _reset(
    words: list[str], tokens: Sequence[Token], reading: Reading
) -> tuple[Effect, ...] | None:
    if len(words) != 2 or not _word(tokens[1]) or not _plain(tokens[1:]):
        return None
    return (settings.effect_of(words[1], "", reading),)


def _use(words: list[str], tokens: Sequence[Token], reading: Reading) -> tuple[Effect, ...] | None:
    if len(words) < 2 or not _plain(tokens[1:]) or (reading.family == "tsql" and len(words) > 2):
        return None
    return _effect(Verb.CONFIGURE, ResourceType.SETTING, "use " + " ".join(words[1:])[:200])


def _pragma(
    words: list[str], tokens: Sequence[Token], reading: Reading
) -> tuple[Effect, ...] | None:
    if reading.family not in ("sqlite", "duckdb"):
        return None
    return settings.read_pragma(tokens[1:])


_Reader = Callable[[list[str], Sequence[Token], Reading], "tuple[Effect, ...] | None"]
_READERS: dict[str, _Reader] = {
    "show": _show,
    "describe": _describe,
    "desc": _describe,
    "set": _set,
    "alter": _alter,
    "reset": _reset,
    "use": _use,
    "pragma": _pragma,
    "begin": _transaction,
    "start": _transaction,
    "commit": _transaction,
    "rollback": _transaction,
    "abort": _transaction,
    "end": _transaction,
    "savepoint": _transaction,
    "release": _transaction,
}
