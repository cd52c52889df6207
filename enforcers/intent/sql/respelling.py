"""
What servers know and the parser does not, put into tokens that it knows. The places in the text stay.

    REPLACE INTO t …   the same as  INSERT OR REPLACE INTO t …
    ?1 and :1          binds by number, read as binds by name
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.sql.dialects import Reading

_REPLACES = frozenset({"mysql", "sqlite"})
_NUMBERED = {"sqlite": TokenType.PLACEHOLDER, "oracle": TokenType.COLON}
"""The sign before the number of a bind."""
_INSERT = (
    (TokenType.INSERT, "INSERT"),
    (TokenType.OR, "OR"),
    (TokenType.REPLACE, "REPLACE"),
)


def respelled(tokens: Sequence[Token], reading: Reading) -> list[Token]:
    """The tokens of one statement as the parser is to read them."""
    sign = _NUMBERED.get(reading.family)
    found = list(tokens) if sign is None else _binds(tokens, sign)
    replaces = reading.family in _REPLACES and [one.text.lower() for one in found[:2]] == [
        *("replace", "into")
    ]
    return [*(_as(found[0], *word) for word in _INSERT), *found[1:]] if replaces else found


def _binds(tokens: Sequence[Token], sign: TokenType) -> list[Token]:
    found = list(tokens)
    for at, (token, number) in enumerate(pairwise(tokens)):
        counted = number.token_type is TokenType.NUMBER and number.text.isdigit()
        if token.token_type is sign and counted and number.start == token.end + 1:
            found[at] = _as(token, TokenType.COLON, ":")
            found[at + 1] = _as(number, TokenType.VAR, number.text)
    return found


def _as(token: Token, kind: TokenType, text: str) -> Token:
    """Another token at the place of one."""
    return Token(kind, text, token.line, token.col, token.start, token.end, token.comments)
