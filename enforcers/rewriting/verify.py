"""
Is the spliced text what was meant? It is parsed again and held against the tree that it should have.

INVARIANT: nothing is run that this did not compare; a difference is a refusal, whatever its reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from enforcers.catalog import Catalog
from enforcers.intent.model import Finding, Intent
from enforcers.intent.sql import read_sql
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.parse import parse_tokens, tokenize
from enforcers.rewriting.masking import Wrapper
from enforcers.rewriting.refusal import RefusedError


def parse(text: str, reading: Reading) -> exp.Expr:
    """The one tree of the text. Raises RefusedError."""
    tokens = tokenize(text, reading)
    tree = tokens if isinstance(tokens, Finding) else parse_tokens(tokens, text, reading)
    if isinstance(tree, Finding):
        raise _differs()
    return tree


def same(left: object, right: object) -> bool:
    """Whether two trees are equal to the letter, comments and places apart."""
    stack: list[tuple[object, object]] = [(left, right)]
    while stack:
        one, other = stack.pop()
        if isinstance(one, exp.Expr) and type(one) is type(other):
            mine, theirs = _args(one), _args(other)
            if mine.keys() != theirs.keys():
                return False
            stack.extend((value, theirs[key]) for key, value in mine.items())
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            stack.extend(zip(one, other, strict=True))
        elif type(one) is not type(other) or one != other:
            return False
    return True


def _args(node: object) -> dict[str, object]:
    args = node.args if isinstance(node, exp.Expr) else {}
    return {key: value for key, value in args.items() if value is not None and value != []}


def check_masked(
    tree: exp.Expr,
    bases: Sequence[exp.Table],
    wrappers: Sequence[Wrapper],
    text: str,
    reading: Reading,
) -> None:
    """The spliced text has the author's tree with the wrapped tables, and nothing else. Raises RefusedError."""
    meant = tree.copy()
    copies = dict(zip(map(id, tree.walk()), meant.walk(), strict=True))
    for base, wrapper in zip(bases, wrappers, strict=True):
        copy = copies[id(base)]
        copy.replace(_wrapped(copy, wrapper, reading))
    if not same(meant, parse(text, reading)):
        raise _differs()


def _wrapped(table: exp.Expr, wrapper: Wrapper, reading: Reading) -> exp.Expr:
    query = parse(f"SELECT * FROM {wrapper.text}", reading)
    source: object = query.args["from_"].this
    if not isinstance(source, exp.Subquery) or len(list(query.find_all(exp.Table))) != 1:
        raise _differs()
    for key in ("alias", "joins", "laterals"):
        if table.args.get(key):
            source.set(key, table.args[key])
    return source


def check_reach(before: Intent, text: str, dialect: str, catalog: Catalog) -> None:
    """The rewritten text is understood, and reads what the judged one reads. Raises RefusedError."""
    after = read_sql(text, dialect, catalog)
    if after.inadmissible or after.opaque:
        found = (*after.inadmissible, *after.opaque)[0]
        raise RefusedError("not_rewritten", found.message, found.remedy or "write it more simply")
    if _reach(after) != _reach(before) or after.flows != before.flows:
        raise _differs()


def _reach(intent: Intent) -> set[tuple[str, str, str, str]]:
    return {
        (one.verb.value, one.resource.type.value, one.resource.namespace, one.resource.name)
        for one in intent.effects
    }


def _differs() -> RefusedError:
    return RefusedError(
        "rewrite_differs",
        "the rewritten text would not mean what was meant",
        "write the query more simply: SELECT … FROM table AS alias",
    )
