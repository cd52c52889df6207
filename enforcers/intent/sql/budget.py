"""
A parser that gives up: every token that it steps back over is counted.

The token-shape screen refuses the known shapes on which the parser tries again and again. This is
the net below it for shapes that nobody knows yet: plain statements step back over less than one
token in five, and a shape that doubles with each word soon passes any bound.
"""

from __future__ import annotations

from functools import cache

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.parser import Parser

from enforcers.intent.sql.called import recording
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.functions import NAMED

PER_TOKEN = 10
AT_LEAST = 2_000


class OutOfBudgetError(SqlglotError):
    """The parser stepped back too often: the statement is taken as one that cannot be parsed."""


def budgeted(base: type[Parser]) -> type[Parser]:
    """The dialect's parser, with a budget of steps back."""

    class Budgeted(base):  # type: ignore[misc, valid-type]
        spent = 0

        def _retreat(self, index: int) -> None:
            back = self._index - index
            if back > 0:
                self.spent += back
                if self.spent > AT_LEAST + PER_TOKEN * len(self._tokens):
                    # No ParseError: the parser itself catches those, and tries the next way.
                    raise OutOfBudgetError("too many steps back")
            if back:
                # Most often it stands there already.
                super()._retreat(index)

        def _implicit_unnests_to_explicit(self, this: exp.Expr) -> exp.Expr:
            # It copies all that FROM joins, at every level of nesting, to find what is no table.
            joins = this.args.get("joins") or ()
            if any(len(getattr(join.this, "parts", ())) > 1 for join in joins):
                super()._implicit_unnests_to_explicit(this)
            return this

    return Budgeted


def parser_of(reading: Reading) -> Parser:
    """A fresh parser for one statement of the dialect."""
    return _class_of(reading)(dialect=reading.parser)


@cache
def _class_of(reading: Reading) -> type[Parser]:
    base = budgeted(reading.parser.parser_class)
    return recording(base, reading.family) if reading.name in NAMED else base
