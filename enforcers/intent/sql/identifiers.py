"""Identifiers that are none: words of the language, and names that the server cuts off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.reserved import is_before_table, is_expression, is_value
from enforcers.intent.sql.state import State
from enforcers.intent.sql.words import words

MAX_NAME = 63
"""PostgreSQL cuts a longer name off, and so means another object."""


_FOLDS: dict[str, Callable[[str], str]] = {
    "postgres": str.lower,
    "ansi": str.lower,
    "oracle": str.upper,
    "snowflake": str.upper,
}
_BEFORE_LISTS = words("into table as references on with recursive ) .")
"""Before a quoted name with a list of columns behind it."""
_PLAIN_HERE = {
    **dict.fromkeys(("postgres", "redshift"), words("regexp rlike")),
    "oracle": words("fetch top"),
    "snowflake": words("fetch"),
}
"""Words that the parser takes for operators and clauses, and the server before parentheses for a function's name."""


def visit_identifier(state: State, node: exp.Expr, reserved: frozenset[str]) -> None:
    """Doubt a name that is a word of the language, or that is longer than the server keeps."""
    word = node.args.get("this")
    if type(word) is not str:
        return
    family = state.reading.family
    if len(word) > MAX_NAME and family == "postgres":
        state.doubt(Code.LONG_NAME, word)
    if node.args.get("quoted"):
        return
    lowered = word.lower()
    if (is_value(lowered, family) and _stands_alone(node)) or _names_table(node, lowered, state):
        state.doubt(Code.RESERVED_WORD, lowered)
    if lowered not in reserved or is_expression(lowered, family):
        return
    if _is_label(node, state):
        return
    state.doubt(Code.RESERVED_WORD, lowered)


def screen_calls(state: State, tokens: Sequence[Token]) -> None:
    """Doubt a function whose name is quoted in another case than the server's own, or is a word of other servers."""
    plain = _PLAIN_HERE.get(state.reading.family)
    if plain:
        _words_of_others(state, tokens, plain)
    folds = _FOLDS.get(state.reading.family)
    if folds is None or '"' not in state.text:
        return
    before = ""
    for token, following in pairwise(tokens):
        quoted = token.token_type is TokenType.IDENTIFIER and token.text != folds(token.text)
        called = following.token_type is TokenType.L_PAREN and before not in _BEFORE_LISTS
        if quoted and called:
            state.doubt(Code.UNKNOWN_FUNCTION, token.text)
        before = token.text.lower()


def _words_of_others(state: State, tokens: Sequence[Token], plain: frozenset[str]) -> None:
    for token, following in pairwise(tokens):
        if following.token_type is TokenType.L_PAREN and token.text.lower() in plain:
            state.doubt(Code.UNKNOWN_FUNCTION, token.text.lower())


def _stands_alone(node: exp.Expr) -> bool:
    """Whether the word is a table's whole name."""
    parent = node.parent
    return isinstance(parent, exp.Table) and node.arg_key == "this" and not parent.args.get("db")


def _names_table(node: exp.Expr, word: str, state: State) -> bool:
    """Whether `TABLE name`, which is a query, was read as a column with an alias."""
    if not is_before_table(word):
        return False
    column = node.parent
    labelled = column.parent if isinstance(column, exp.Column) else None
    if not isinstance(labelled, exp.Alias):
        return False
    start, end = node.meta.get("end"), labelled.args["alias"].meta.get("start")
    if not isinstance(start, int) or not isinstance(end, int):
        return True
    return state.text[start + 1 : end].strip().lower() != "as"


def _is_label(node: exp.Expr, state: State) -> bool:
    """After a dot any word is a name; so it is after AS in an output column, but for T-SQL."""
    start = node.meta.get("start")
    before = state.text[:start].rstrip().lower() if isinstance(start, int) else ""
    if isinstance(node.parent, exp.Alias) and state.reading.family != "tsql":
        return before[-3:-2].isspace() and before.endswith("as")
    return before.endswith(".") and state.reading.family != "tsql"
