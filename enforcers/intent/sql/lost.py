"""
What the tokens say and the tree does not: names that the parser took for something else.

    date_trunc(ssn, now())   a unit called SSN          format(1, ssn)   a format
    char(ssn) 'x'            a string of the type char(ssn), where the server calls a function and names its result
    FROM values v            a list of values with the one value v, where the server has a table of that name
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.functions import harmless
from enforcers.intent.sql.state import State

_WITHOUT_TYPED_STRINGS = frozenset({"mysql", "sqlite", "tsql"})
"""Where `type(1) 'x'` is a call with a name for its result."""
_OF_TYPES = frozenset({TokenType.NUMBER, TokenType.COMMA})
"""What stands between the parentheses of a type."""


_WITH_BARE_VALUES = frozenset({"spark", "trino"})
"""Where `VALUES 1, 2` is a list."""
_BEFORE_TABLES = frozenset(
    {TokenType.FROM, TokenType.JOIN, TokenType.COMMA, TokenType.USING, TokenType.LATERAL}
)
_IN_LISTS = frozenset({TokenType.L_PAREN, TokenType.ROW})
"""What begins a list of values."""


def screen_lost(state: State, tree: exp.Expr, tokens: Sequence[Token]) -> None:
    """Take each lost name of a tagged column for a read of it; doubt calls and tables that were read otherwise."""
    _columns(state, tree, tokens)
    _calls(state, tokens)
    _tables(state, tokens)


def _columns(state: State, tree: exp.Expr, tokens: Sequence[Token]) -> None:
    names = _tagged(state)
    if not names:
        return
    found = [one for one in tokens if one.text.lower() in names and _is_name(one)]
    if found:
        kept = {node.meta.get("start") for node in tree.find_all(exp.Identifier)}
        lost = (one.text.lower() for one in found if one.start not in kept)
        state.columns.extend(("", name) for name in dict.fromkeys(lost))


def _tagged(state: State) -> set[str]:
    seen = [*state.reads, *(table for _, table, _ in state.writes)]
    tables = {id(one): one for table in seen for one in table.holders(state.catalog) if one.tags}
    return {
        name for table in tables.values() for name, column in table.columns.items() if column.tags
    }


def _is_name(token: Token) -> bool:
    return token.token_type is TokenType.IDENTIFIER or not token.token_type.name.endswith("STRING")


def _calls(state: State, tokens: Sequence[Token]) -> None:
    types = state.reading.parser.parser_class.TYPE_TOKENS
    known = harmless(state.reading.family)
    for at, text in enumerate(tokens[1:]):
        if text.token_type is not TokenType.STRING:
            continue
        if tokens[at].token_type is not TokenType.R_PAREN:
            continue
        opening = _opening(tokens, at)
        called = tokens[opening - 1]
        name = called.text.lower()
        if opening and called.token_type in types and name not in known:
            inside = {one.token_type for one in tokens[opening + 1 : at]}
            if state.reading.family in _WITHOUT_TYPED_STRINGS or not inside <= _OF_TYPES:
                state.doubt(Code.UNKNOWN_FUNCTION, name)


def _tables(state: State, tokens: Sequence[Token]) -> None:
    if state.reading.family in _WITH_BARE_VALUES:
        return
    for at, token in enumerate(tokens[1:-1]):
        if token.token_type is not TokenType.VALUES:
            continue
        before, behind = tokens[at].token_type, tokens[at + 2].token_type
        if before in _BEFORE_TABLES and behind not in _IN_LISTS:
            state.doubt(Code.RESERVED_WORD, "values")


def _opening(tokens: Sequence[Token], closing: int) -> int:
    """Where the parenthesis opens that closes there."""
    depth = 0
    for at in range(closing, -1, -1):
        kind = tokens[at].token_type
        depth += (kind is TokenType.R_PAREN) - (kind is TokenType.L_PAREN)
        if depth == 0:
            return at
    return 0
