"""Plain tokens, of which session statements are made: words, names, literals and signs, and no query or call."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.file_names import has_path_sign
from enforcers.intent.sql.reserved import reserved_words
from enforcers.intent.sql.words import words

LITERALS = frozenset({TokenType.STRING, TokenType.NUMBER, TokenType.NATIONAL_STRING})
VALUES = LITERALS | {TokenType.IDENTIFIER}
_PLAIN = VALUES | {
    TokenType.DOT,
    TokenType.COMMA,
    TokenType.EQ,
    TokenType.DASH,
    TokenType.PERCENT,
    TokenType.STAR,
}
_STATEMENTS = words(
    "select insert update delete replace merge upsert truncate drop alter create rename grant ",
    "revoke deny exec execute call do shutdown kill backup restore load unload copy export import ",
    "into outfile dumpfile format union",
)
"""Words that begin a statement, or a part of one that writes elsewhere."""


def begins_statement(token: Token) -> bool:
    """Whether the word, unquoted as it is, may begin another statement."""
    return token.token_type not in VALUES and token.text.lower() in _STATEMENTS


def is_word(token: Token) -> bool:
    """Whether the token is a name or a word, perhaps with dollar signs in it."""
    return token.text.replace("$", "_").isidentifier()


def is_word_at(tokens: Sequence[Token], at: int) -> bool:
    """Whether there is a token at the index, and it is a word."""
    return at < len(tokens) and is_word(tokens[at])


def is_literal(tokens: Sequence[Token]) -> bool:
    """Whether the tokens are one constant and nothing else."""
    return len(tokens) == 1 and tokens[0].token_type in LITERALS


def are_plain(tokens: Sequence[Token]) -> bool:
    """Words, literals and signs only: no call, no query, no comment that hides one."""
    if any(map(begins_statement, tokens)):
        return False
    return all(token.token_type in _PLAIN or is_word(token) for token in tokens)


def is_name(tokens: Sequence[Token], reading: Reading) -> bool:
    """A dotted name, perhaps with a column after it; no file and no query."""
    if not tokens or not are_plain(tokens) or tokens[0].token_type in LITERALS:
        return False
    dots = all(token.token_type is TokenType.DOT for token in tokens[1::2])
    return dots and all(_is_part(token, reading) for token in tokens[::2])


def _is_part(token: Token, reading: Reading) -> bool:
    if token.token_type is TokenType.IDENTIFIER:
        return not has_path_sign(token.text)
    return is_word(token) and token.text.lower() not in reserved_words(reading.family)


def parted(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens between the commas."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.token_type is TokenType.COMMA:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
