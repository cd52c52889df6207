"""
The token-shape screen: bounds that keep the parser's time and stack small.

The parser is exponential on a chain of joins without conditions and on nested constructors, and
recursive in depth; these bounds are far above what people and agents write.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Finding
from enforcers.intent.sql.codes import Code, finding

MAX_TOKENS = 4_000
MAX_DEPTH = 32
MAX_JOINS = 4
MAX_CONSTRUCTORS = 4
MAX_SUBSCRIPTS = 8

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
_CONSTRUCTORS = {
    TokenType.STRUCT,
    TokenType.ARRAY,
    TokenType.MAP,
    TokenType.ROW,
    TokenType.NESTED,
    TokenType.OBJECT,
    TokenType.LIST,
    TokenType.UNION,
}
_BEFORE_LISTS = {*_OPEN, TokenType.COMMA, None}
_JOINS = {TokenType.JOIN, TokenType.STRAIGHT_JOIN}
_FREE_JOINS = {TokenType.CROSS, TokenType.NATURAL}
_MET = {TokenType.ON, TokenType.USING}
_PREFIX = {TokenType.NOT, TokenType.DASH, TokenType.TILDE, TokenType.PLUS, TokenType.CASE}
_WATCHED = _OPEN | _CLOSE | _CONSTRUCTORS | _MET | _PREFIX | _JOINS | {TokenType.LT, TokenType.GT}


def screen_tokens(tokens: Sequence[Token]) -> Finding | None:
    """The first bound that the tokens break, if they break one."""
    if len(tokens) > MAX_TOKENS:
        return finding(Code.TOO_MANY_TOKENS)
    shape = _Shape()
    previous = None
    for token in tokens:
        kind = token.token_type
        if kind in _WATCHED:
            found = shape.meet(kind, previous)
            if found:
                return finding(found, span=(token.start, token.end + 1))
        else:
            shape.prefixes = 0
            shape.chain = 0 if previous is not TokenType.L_BRACKET else shape.chain
        previous = kind
    return None


class _Shape:
    """What is open at one token."""

    def __init__(self) -> None:
        self.joins = [0]
        self.constructors = [0]
        self.chains: list[int] = []
        self.chain = 0
        self.prefixes = 0
        self.angles = 0
        self.typed = False
        """Whether the last token closed the angles of a type: what follows is its constructor."""

    def meet(self, kind: TokenType, previous: TokenType | None) -> Code | None:
        """Count one watched token; the code of the bound that it breaks."""
        if kind in _OPEN:
            return self._open(kind, previous)
        if kind in _CLOSE:
            return self._close(kind)
        self.chain = 0
        self.typed = kind is TokenType.GT and self.angles > 0
        if kind in _JOINS:
            return self._join(previous)
        if kind in _MET:
            self.joins[-1] = max(0, self.joins[-1] - 1)
        elif kind in _PREFIX:
            self.prefixes += 1
        elif kind is TokenType.LT:
            self.angles += previous in _CONSTRUCTORS
        elif kind is TokenType.GT:
            self.angles = max(0, self.angles - 1)
        too_deep = max(self.prefixes, self.angles * 4) > MAX_DEPTH
        return Code.TOO_DEEP if too_deep else None

    def _join(self, previous: TokenType | None) -> Code | None:
        self.joins[-1] += previous not in _FREE_JOINS
        return Code.TOO_MANY_JOINS if self.joins[-1] > MAX_JOINS else None

    def _open(self, kind: TokenType, previous: TokenType | None) -> Code | None:
        built = (
            previous in _CONSTRUCTORS
            or (previous is TokenType.GT and self.typed)
            or (kind is not TokenType.L_PAREN and previous in _BEFORE_LISTS)
        )
        self.constructors.append(self.constructors[-1] + built)
        self.joins.append(0)
        is_subscript = kind is TokenType.L_BRACKET
        self.chain = self.chain + 1 if is_subscript else 0
        self.chains.append(self.chain)
        if self.constructors[-1] > MAX_CONSTRUCTORS or len(self.joins) > MAX_DEPTH + 1:
            return Code.TOO_DEEP
        return Code.TOO_MANY_SUBSCRIPTS if self.chain > MAX_SUBSCRIPTS else None

    def _close(self, kind: TokenType) -> Code | None:
        if len(self.joins) > 1:
            self.joins.pop()
            self.constructors.pop()
            opened = self.chains.pop()
            self.chain = opened if kind is TokenType.R_BRACKET else 0
        return None
