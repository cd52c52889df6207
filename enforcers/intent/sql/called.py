"""
Calls by the names that the text writes.

The parser knows functions of every server, and puts other nodes in their place or takes two for one; to a server
that has no such function, the name is a user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.sql.words import words

_KEY = "called"
_OF_GRAMMAR = words("all case exists")
"""Words before parentheses that are no call, unless they are quoted."""
_OF_GRAMMAR_HERE = {
    **dict.fromkeys(("postgres", "redshift"), words("any some variadic")),
    **dict.fromkeys(("oracle", "snowflake"), words("any some")),
}
_COMPARING = words("= <=> <> != < <= > >=")
_COMPARED = {"mysql": words("any some")}
"""Words that are no call behind a comparison."""
WAYS_TO_PART = words("hash list range")
"""What a table is parted by, in front of the columns."""


def recording(base: type[Parser], family: str) -> type[Parser]:
    """The dialect's parser, which keeps the name of every call that it reads, be it in a way that it then gives up."""
    of_grammar = _OF_GRAMMAR | _OF_GRAMMAR_HERE.get(family, frozenset())
    compared = _COMPARED.get(family, frozenset())

    def _is_word(name: Token, before: Token | None) -> bool:
        behind = before is not None and before.text in _COMPARING
        known = of_grammar | compared if behind else of_grammar
        return name.token_type is not TokenType.IDENTIFIER and _name(name) in known

    class Recording(base):  # type: ignore[misc, valid-type]
        called: dict[int, Token]

        def reset(self) -> None:
            super().reset()
            self.called = {}

        def _parse_function_call(self, *args: object, **kwargs: object) -> exp.Expr | None:
            before, name, following = self._prev, self._curr, self._next
            found: exp.Expr | None = super()._parse_function_call(*args, **kwargs)
            opens = following and following.token_type is TokenType.L_PAREN
            qualified = before and before.token_type is TokenType.DOT
            if found is not None and opens and not qualified and not _is_word(name, before):
                self.called[name.start] = name
            return found

        def _parse_partitioned_by(self) -> exp.Expr:
            way = self._curr
            found: exp.Expr = super()._parse_partitioned_by()
            if way and _name(way) in WAYS_TO_PART:
                self.called.pop(way.start, None)
            return found

    return Recording


def keep(tree: exp.Expr, parser: Parser) -> None:
    """Put the names that a parser has kept beside the tree that it has made."""
    tokens: Iterable[Token] = getattr(parser, _KEY, {}).values()
    tree.meta[_KEY] = tuple(dict.fromkeys(map(_name, tokens)))


def called_in(tree: exp.Expr) -> Sequence[str]:
    """The names of the calls without a schema, in lower case; none where the dialect's are not kept."""
    found: Sequence[str] = tree.meta.get(_KEY, ())
    return found


def _name(token: Token) -> str:
    return token.text.lower()
