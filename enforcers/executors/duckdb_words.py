"""Words of a statement as DuckDB's own lexer sees them: never those in comments, strings and quoted names."""

from __future__ import annotations

from collections.abc import Iterator

_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def returns_rows(statement: str) -> bool:
    """Whether a statement that changes rows gives rows back, and not DuckDB's count of them."""
    depth, before = 0, ""
    for word, keyword in _tokens(statement):
        depth += _DEPTH.get(word, 0)
        # The word is reserved: elsewhere it can only be the name behind AS or a dot.
        if keyword and word == "returning" and not depth and before not in ("as", "."):
            return True
        before = word
    return False


def has_with(statement: str) -> bool:
    """Whether a statement may hold others, whose rows DuckDB does not count."""
    return any(keyword and word == "with" for word, keyword in _tokens(statement))


def _tokens(statement: str) -> Iterator[tuple[str, bool]]:
    """Every token but comments, in lower case, and whether it is a keyword."""
    import duckdb

    text = statement.encode()
    found = duckdb.tokenize(statement)
    ends = [*(start for start, _ in found[1:]), len(text)]
    for (start, kind), end in zip(found, ends, strict=True):
        if kind != duckdb.token_type.comment:
            # A token reaches to the next one: white space between them is not part of it.
            word = text[start:end].decode().strip().lower()
            yield word, kind == duckdb.token_type.keyword
