"""
Text → tokens → one tree. The tokens are made once and given to the parser.

Whatever the parser raises becomes a finding; its warnings are silenced, as they quote the text.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenizerCore, TokenType
from sqlglot.tokens import Tokenizer

from enforcers.intent.model import Finding
from enforcers.intent.sql.budget import parser_of
from enforcers.intent.sql.called import keep
from enforcers.intent.sql.codes import Code, finding
from enforcers.intent.sql.comments import screen_gaps, without_templates
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.respelling import respelled
from enforcers.intent.sql.shape import MAX_TOKENS, screen_tokens

logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)

COMMANDS = {
    TokenType.COMMAND,
    TokenType.EXECUTE,
    TokenType.FETCH,
    TokenType.SHOW,
    TokenType.RENAME,
}
"""First words after which the parser keeps the rest of the statement as it is."""

_STRINGS = {
    TokenType.STRING,
    TokenType.NATIONAL_STRING,
    TokenType.RAW_STRING,
    TokenType.HEREDOC_STRING,
    TokenType.BYTE_STRING,
    TokenType.HEX_STRING,
    TokenType.BIT_STRING,
}


_LOOKS = frozenset({128, 256, 512, 1_024, 2_048, MAX_TOKENS + 1})
"""Lengths at which the tokens are screened while there are still more to come."""


_SHORT = 1_024
"""Characters of a text whose tokens are soon made: it is screened when they all are."""


_BEHIND_SIGN = re.compile(r'[\w{"]')


class _OutOfShapeError(SqlglotError):
    """The tokens so far break a bound: no more of them are made."""


class _Screened(TokenizerCore):
    """A tokenizer that stops where the tokens that it has made break a bound."""

    __slots__ = ()

    def _add(self, token_type: TokenType, text: str | None = None) -> None:
        super()._add(token_type, text)
        if len(self.tokens) in _LOOKS:
            problem = screen_tokens(self.tokens)
            if problem is not None:
                raise _OutOfShapeError(problem)


def _tokens(text: str, reading: Reading) -> list[Token]:
    tokenizer = reading.parser.tokenizer(dialect=reading.parser)
    for one in _parts(tokenizer):
        core = one._core
        # What follows a command would be made one string, be it several statements.
        core.commands = set()
        core.comments, core.keywords = without_templates(type(one))  # type: ignore[arg-type]
        if len(text) > _SHORT:
            core.__class__ = _Screened
    # Behind a `$` it looks for the end of a dollar-quoted string, and fails on two quotes at the end of the text.
    return list(tokenizer.tokenize(f"{text}\n" if "$" in text else text))


def _parts(tokenizer: Tokenizer) -> list[Tokenizer]:
    """Athena's tokenizer has one for each of the two servers behind it as well."""
    return [tokenizer, *(one for one in vars(tokenizer).values() if isinstance(one, Tokenizer))]


def tokenize(text: str, reading: Reading) -> list[Token] | Finding:
    """The tokens of the text without trailing semicolons, or why there are none."""
    try:
        tokens = _tokens(text, reading)
    except (SqlglotError, RecursionError, ValueError, IndexError) as error:
        if isinstance(error.__cause__, _OutOfShapeError):
            shape: Finding = error.__cause__.args[0]
            return shape
        return finding(Code.UNPARSABLE, type(error).__name__.lower())
    problem = screen_gaps(tokens, text, reading)
    if problem is not None:
        return problem
    if "$" in text and _has_lone_sign(tokens, text):
        return finding(Code.UNPARSABLE, "$")
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    return tokens


def _has_lone_sign(tokens: Sequence[Token], text: str) -> bool:
    """Whether a `$` has no name behind it: the tokenizer fails on it at the end of a text, and passes it elsewhere."""
    signs = (one for one in tokens if one.token_type is TokenType.PARAMETER and one.text == "$")
    return any(not _BEHIND_SIGN.match(text, one.end + 1) for one in signs)


def screen_names(tokens: Sequence[Token], text: str) -> Finding | None:
    """Letters outside ASCII in a name, and `U&` before a string or a name."""
    if not tokens or (text.isascii() and "&" not in text):
        return None
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.token_type is TokenType.UNICODE_STRING or _escapes(token, following, text):
            return finding(Code.UNICODE_ESCAPE, span=(token.start, token.end + 1))
        if not token.text.isascii() and token.token_type not in _STRINGS:
            return finding(Code.NON_ASCII_NAME, token.text, (token.start, token.end + 1))
    return None


def _escapes(token: Token, following: Token | None, text: str) -> bool:
    joined = following is not None and following.start == token.end + 1
    return joined and token.text.lower() == "u" and text[token.end + 1 : token.end + 2] == "&"


def parse_tokens(tokens: Sequence[Token], text: str, reading: Reading) -> exp.Expr | Finding:
    """The tree of the one statement that the tokens hold, or why there is none."""
    parser = parser_of(reading)
    try:
        trees = parser.parse(respelled(tokens, reading), text)
    except SqlglotError:
        return finding(Code.UNPARSABLE, first_word(tokens))
    except (RecursionError, ValueError, TypeError, AttributeError, LookupError) as error:
        return finding(Code.UNPARSABLE, type(error).__name__.lower())
    if len(trees) != 1 or trees[0] is None:
        return finding(Code.SEVERAL_STATEMENTS if len(trees) > 1 else Code.UNPARSABLE)
    keep(trees[0], parser)
    return trees[0]


def first_word(tokens: Sequence[Token]) -> str:
    """The keyword that names the statement, lower case; empty where there is none."""
    for token in tokens:
        if token.token_type is not TokenType.L_PAREN:
            return token.text.lower() if token.text.replace("_", "a").isalnum() else ""
    return ""
