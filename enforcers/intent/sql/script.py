"""
Several statements in one text: read one by one, and judged as the union of what each would do.

What an earlier statement changes for the later ones, such as a setting, an encoding or the schema, would make their
reading false; so behind such a statement nothing is understood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, TypeVar

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Effect, Finding, Intent, ResourceType, SqlFacts, Verb
from enforcers.intent.sql.codes import Code, finding
from enforcers.intent.sql.dialects import Reading

MAX_STATEMENTS = 64

_ROWS = frozenset({Verb.READ, Verb.WRITE, Verb.DELETE, Verb.TRUNCATE, Verb.EXECUTE, Verb.EXPORT})
"""What changes rows or leaves the database, but not how the next statement is read."""
_BEGINS = frozenset({"begin", "start"})
_ENDS = frozenset({"commit", "end", "rollback", "abort", "release"})
_ENCODINGS = frozenset({"names", "client_encoding", "character_set_results"})
"""Plain settings that change which byte ends a string."""
_WITH_PIPES = frozenset({"snowflake"})
"""Where `->>` stands before a statement that may read what those before it gave, as tables `$1`, `$2` …"""

Item = TypeVar("Item")


class Part(NamedTuple):
    """One statement of a text: its tokens, and how many stand before it in its pipe."""

    tokens: list[Token]
    piped: int = 0


def statements_of(tokens: Sequence[Token], reading: Reading) -> list[Part]:
    """The tokens of each statement, without the semicolons or arrows between them."""
    pipes = reading.family in _WITH_PIPES
    found = [Part([])]
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            found.append(Part([]))
        elif pipes and token.token_type is TokenType.DARROW:
            found.append(Part([], found[-1].piped + 1))
        else:
            found[-1].tokens.append(token)
    return [one for one in found if one.tokens]


def read_script(parts: Sequence[Part], read: Callable[[Part], Intent]) -> Intent:
    """What all the statements would do together; `read` reads one of them."""
    if len(parts) > MAX_STATEMENTS:
        return Intent("sql", opaque=(finding(Code.SEVERAL_STATEMENTS, str(len(parts))),))
    intents = [read(part) for part in parts]
    joined = _union(intents)
    doubts = [
        *(_changed(intent) for intent in intents[:-1]),
        _escapes(part.tokens for part in parts),
    ]
    return replace(joined, opaque=_each((joined.opaque, [one for one in doubts if one])))


def _changed(intent: Intent) -> Finding | None:
    """Why what follows the statement cannot be understood, if it cannot."""
    for effect in intent.effects:
        if effect.verb not in _ROWS and not _is_plain_setting(effect):
            return finding(Code.SEVERAL_STATEMENTS, f"{effect.verb.value} before another")
    return None


def _escapes(parts: Iterable[Sequence[Token]]) -> Finding | None:
    """The end of a transaction that the script did not begin, so that it would be the executor's own."""
    opened = False
    saved: set[str] = set()
    for words in ([token.text.lower() for token in part] for part in parts):
        inner = words[0] == "release" or "to" in words[1:3]
        known = opened or (inner and words[-1] in saved)
        if words[0] in _ENDS and not known:
            return finding(Code.SEVERAL_STATEMENTS, f"{words[0]} of a transaction not begun here")
        if words[0] == "savepoint":
            saved.add(words[-1])
        elif words[0] in _ENDS and not inner:
            opened, saved = False, set()
        opened = opened or words[0] in _BEGINS
    return None


def _is_plain_setting(effect: Effect) -> bool:
    of_session = effect.verb is Verb.CONFIGURE and effect.resource.type is ResourceType.SESSION
    return of_session and effect.resource.name not in _ENCODINGS


def _union(intents: Sequence[Intent]) -> Intent:
    facts = [one.sql for one in intents if one.sql]
    return Intent(
        "sql",
        effects=_each(one.effects for one in intents),
        flows=_each(one.flows for one in intents),
        inadmissible=_each(one.inadmissible for one in intents),
        opaque=_each(one.opaque for one in intents),
        assumed=_each(one.assumed for one in intents),
        sql=SqlFacts(
            facts[0].dialect if facts else "",
            "script",
            _each(one.functions for one in facts),
            _each(one.columns for one in facts),
        ),
    )


def _each(groups: Iterable[Iterable[Item]]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(groups)))
