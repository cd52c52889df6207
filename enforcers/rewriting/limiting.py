"""
`limit_rows`: the outermost query gives no more rows than that.

A plain LIMIT is lowered, a missing one is added; both leave the query's ORDER BY in force. A limit that is no plain
number is wrapped from outside, unless an order depends on it.
"""

from __future__ import annotations

from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Finding
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.limits import row_limit
from enforcers.intent.sql.parse import tokenize
from enforcers.rewriting.refusal import RefusedError
from enforcers.rewriting.styles import INNER
from enforcers.rewriting.verify import parse, same

_BOUNDS = ("limit", "offset", "sample", "locks")


def limit_rows(text: str, rows: int, reading: Reading) -> str:
    """The text, giving at most `rows` rows. Raises RefusedError."""
    tree = parse(text, reading)
    if not isinstance(tree.unnest(), exp.Select | exp.SetOperation | exp.Values):
        raise _refused()
    written = row_limit(tree)
    if written is not None and written <= rows:
        return text
    tokens = tokenize(text, reading)
    if isinstance(tokens, Finding) or not tokens:
        raise _refused()
    if written is not None and tree.args.get("limit"):
        return _lowered(text, tokens, rows, tree, reading)
    if not any(tree.args.get(bound) for bound in _BOUNDS):
        return _added(text, tokens, rows, tree, reading)
    return _wrapped(text, tokens, rows, tree, reading)


def _lowered(text: str, tokens: list[Token], rows: int, tree: exp.Expr, reading: Reading) -> str:
    number = _last_limit(tokens)
    if number is None:
        return _wrapped(text, tokens, rows, tree, reading)
    done = text[: number.start] + str(rows) + text[number.end + 1 :]
    return _checked(done, rows, tree, reading)


def _last_limit(tokens: list[Token]) -> Token | None:
    """The number behind the last LIMIT outside of any parentheses."""
    depth, found = 0, None
    for token, following in pairwise(tokens):
        depth += token.token_type is TokenType.L_PAREN
        depth -= token.token_type is TokenType.R_PAREN
        if depth == 0 and token.token_type is TokenType.LIMIT:
            found = following if following.token_type is TokenType.NUMBER else None
    return found


def _added(text: str, tokens: list[Token], rows: int, tree: exp.Expr, reading: Reading) -> str:
    end = tokens[-1].end + 1
    # Right behind the last word, so that no comment that follows can swallow it.
    return _checked(f"{text[:end]}\nLIMIT {rows}{text[end:]}", rows, tree, reading)


def _checked(text: str, rows: int, tree: exp.Expr, reading: Reading) -> str:
    done = parse(text, reading)
    if row_limit(done) != rows or not same(_unlimited(done), _unlimited(tree)):
        raise _refused()
    return text


def _unlimited(tree: exp.Expr) -> exp.Expr:
    copy = tree.copy()
    copy.set("limit", None)
    return copy


def _wrapped(text: str, tokens: list[Token], rows: int, tree: exp.Expr, reading: Reading) -> str:
    if tree.args.get("order"):
        # No database promises that a sub-query's order survives outside of it.
        raise _refused()
    start, end = tokens[0].start, tokens[-1].end + 1
    done = f"SELECT * FROM (\n{text[start:end]}\n) AS {INNER} LIMIT {rows}"
    outer = parse(done, reading)
    source = outer.args["from_"].this
    if row_limit(outer) != rows or not same(source.args.get("this"), tree):
        raise _refused()
    return done


def _refused() -> RefusedError:
    return RefusedError(
        "not_limited",
        "the number of rows cannot be limited in this statement",
        "send one SELECT and write LIMIT as a plain number",
    )
