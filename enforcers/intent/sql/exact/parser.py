"""PostgreSQL's own parser, from the wheel of libpg_query, if it is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from enforcers.intent.sql.dialects import Reading

Tree = dict[str, Any]
"""A node of the parse tree: its fields, or its type as the only key."""

_NAMES = frozenset({"postgres", "postgresql"})
"""Dialects whose texts go to PostgreSQL itself, and not to a server that is only like it."""


class RefusedError(Exception):
    """PostgreSQL's parser does not take the text."""


def _load() -> Callable[[str], list[Tree]] | None:
    try:
        found: Callable[[str], list[Tree]] = importlib.import_module("pgparse").parse
    except ImportError:
        return None
    return found


_PARSE = _load()


@contextmanager
def set_aside() -> Iterator[None]:
    """As where the wheel is not installed, for the whole process: to measure what the second reading costs."""
    global _PARSE
    installed, _PARSE = _PARSE, None
    try:
        yield
    finally:
        _PARSE = installed


def is_read_exactly(reading: Reading) -> bool:
    """Whether a text of this dialect is read a second time."""
    return _PARSE is not None and reading.name in _NAMES


def statements_in(text: str) -> list[Tree]:
    """The trees of the statements. The text holds no NUL byte: the gate has seen it before."""
    if _PARSE is None:
        return []
    try:
        return [raw["stmt"] for raw in _PARSE(text)]
    except Exception as error:
        # The wheel raises an error of its own, and those of decoding and of depth.
        raise RefusedError(str(error).partition("\n")[0][:80]) from error
