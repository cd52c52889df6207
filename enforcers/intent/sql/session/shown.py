"""SHOW: what it asks for, and what that reveals beside names and settings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot.tokenizer_core import Token

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.file_names import name_path
from enforcers.intent.sql.session.effects import Effects, shows
from enforcers.intent.sql.session.plain import LITERALS, VALUES, are_plain, is_word
from enforcers.intent.sql.words import words as names

_SECRETS = (("create", "user"), ("binlog",), ("relaylog",), ("credentials",), ("secrets",))
_OTHERS_VALUES = (
    ("processlist",),
    ("full", "processlist"),
    ("profile",),
    ("profiles",),
    ("engine",),
    ("explain",),
    ("analyze",),
    ("stats",),
    ("stats_buckets",),
    ("stats_topn",),
    ("stats_histograms",),
    ("column", "stats"),
    ("column_stats_usage",),
)
"""Texts of running statements, and values that statistics took from columns."""
_SECRET = re.compile(r"secret|passw|token|credential|conninfo|private_?key|api_?key")
_STRUCTURE = names("table tables view views columns fields index indexes keys")
_LISTS = frozenset({"in", "partition"})
"""Words behind which a parenthesis holds constants, and calls nothing."""
_PIVOTS = names("pivot pivot_wider")


def read_show(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """`SHOW words`, with no more than constants in it."""
    if words[-3:] == ["current_user", "(", ")"]:
        words, tokens = words[:-2], tokens[:-2]
    if words[1:5] == ["count", "(", "*", ")"] and words[5:] in (["warnings"], ["errors"]):
        return shows(words[5])
    words, tokens = _without_list(words, tokens)
    shown = tokens[2:] if words[1:2] == ["create"] else tokens[1:]
    if not shown or not are_plain(shown) or any(map(_is_rest, shown)):
        return None
    if reading.family == "duckdb" and _queries(shown):
        return None
    return shows(" ".join(words[1:]), tags_of_show(words[1:], reading))


def _is_rest(token: Token) -> bool:
    """
    Whether it is several words that the tokenizer made one literal, as Athena's does behind SHOW.

    Around a true literal there are quotes, so that it takes more room than its text.
    """
    room = token.end + 1 - token.start
    return len(token.text.split()) > 1 and room <= len(token.text)


def _queries(tokens: Sequence[Token]) -> bool:
    """Whether DuckDB, whose SHOW is its DESCRIBE, opens a file or names columns after values."""
    pivots = any(one.token_type not in VALUES and one.text.lower() in _PIVOTS for one in tokens)
    return pivots or name_path(tokens)


def _without_list(words: list[str], tokens: Sequence[Token]) -> tuple[list[str], Sequence[Token]]:
    """The words without a last parenthesis of constants, or as they are."""
    start = words.index("(") if "(" in words else 0
    inside = tokens[start + 1 : -1]
    constants = all(
        token.token_type in LITERALS or token.text in (",", "=") or _names_value(inside, at)
        for at, token in enumerate(inside)
    )
    if start and words[-1] == ")" and constants and words[start - 1] in _LISTS:
        return words[:start], tokens[:start]
    return words, tokens


def _names_value(tokens: Sequence[Token], at: int) -> bool:
    """Whether `=` and a constant are behind the word."""
    assigned = [token.text for token in tokens[at + 1 : at + 2]] == ["="]
    constant = at + 2 < len(tokens) and tokens[at + 2].token_type in LITERALS
    return assigned and constant and is_word(tokens[at])


def tags_of_show(words: list[str], reading: Reading) -> tuple[str, ...]:
    """What SHOW of these words may reveal beside names and settings."""
    if _shows_secret(words, reading):
        return ("secret",)
    # ClickHouse lists its profiles of settings so, and not statements that ran.
    profiles = reading.family == "clickhouse" and words[:1] == ["profiles"]
    return ("pii",) if not profiles and _begins(words, _OTHERS_VALUES) else ()


def _shows_secret(words: list[str], reading: Reading) -> bool:
    if _begins(words, _SECRETS):
        return True
    hashes = reading.family in ("mysql", "ansi")
    if hashes and words[:2] == ["grants", "for"] and words[2:3] != ["current_user"]:
        # MariaDB shows the hash of the password.
        return True
    return _STRUCTURE.isdisjoint(words) and any(_SECRET.search(word) for word in words)


def _begins(words: list[str], beginnings: tuple[tuple[str, ...], ...]) -> bool:
    return any(tuple(words[: len(start)]) == start for start in beginnings)
