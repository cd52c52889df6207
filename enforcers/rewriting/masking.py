"""
Masking: every base table in the author's text becomes a sub-query that has no masked value.

    FROM users u   →   FROM (SELECT s."id", CAST(NULL AS TEXT) AS "email" FROM users AS s WHERE …) u

Nothing else of the text changes, so whatever the query does, it does to rows that hold no masked value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from enforcers.catalog import Catalog, Table
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.tables import node_name
from enforcers.rewriting.masks import Mask
from enforcers.rewriting.refusal import RefusedError
from enforcers.rewriting.styles import INNER, Style

_COLUMN = re.compile(r"[a-z_][a-z0-9_$ ]*", re.ASCII)
_TYPE = re.compile(r"[a-z_][a-z0-9_ ]*(\(\d+(, ?\d+)?\))?[a-z ]*(\[\d*\])*", re.ASCII | re.I)
_TEXTS = ("text", "varchar", "char", "string", "nvarchar", "bpchar", "clob")


@dataclass(frozen=True, slots=True)
class Declared:
    """A base table of the query and the name under which the catalog declares it."""

    node: exp.Table
    name: tuple[str, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The text that stands in place of `text[start:end]`."""

    start: int
    end: int
    text: str
    alias: str
    """Written behind it where the author wrote none."""
    masked: tuple[str, ...] = ()
    """Its masked columns, such as `users.email`."""


def declare(node: exp.Table, catalog: Catalog, reading: Reading) -> Declared:
    """Find the table in the catalog, under exactly the name that is written. Raises RefusedError."""
    name, schema = (part.lower() for part in node_name(node))
    for candidate in _candidates(schema, name, reading.default_schema):
        table = catalog.tables.get(candidate)
        if table is not None and table.columns:
            return _base_table(Declared(node, tuple(candidate.split(".")), table))
    raise RefusedError(
        "unknown_table",
        f"table `{name[:60]}` is not declared with its columns",
        "add it to the catalog, or leave it out",
    )


def _base_table(declared: Declared) -> Declared:
    if declared.table.view:
        raise RefusedError(
            "view",
            f"`{'.'.join(declared.name)[:60]}` is a view, behind which nothing can be masked",
            "query the tables that it is made of",
        )
    return declared


def _candidates(schema: str, name: str, default: str) -> list[str]:
    if not schema:
        return [name, f"{default}.{name}"]
    return [f"{schema}.{name}", *([name] if schema == default else [])]


def values_of(declared: Declared, masks: Sequence[Mask], *, constants: bool) -> dict[str, str]:
    """What stands in place of each masked column, by its name. Raises RefusedError."""
    for mask in masks:
        if mask.misses(declared.name, declared.table):
            raise RefusedError(
                "unknown_mask",
                f"the policy masks `{'.'.join(mask.parts)}`, which the catalog does not have",
                "correct the policy or scan the catalog again",
            )
    keys = {column for key in declared.table.keys for column in key}
    found = {}
    for name, column in declared.table.columns.items():
        covering = [mask for mask in masks if mask.covers(declared.name, name, column.tags)]
        if covering:
            allowed = constants and name not in keys
            found[name] = _value(covering, column.type, name, constants=allowed)
    return found


def _value(masks: Sequence[Mask], declared: str, name: str, *, constants: bool) -> str:
    kind = declared.strip()
    if not _TYPE.fullmatch(kind):
        raise RefusedError(
            "unknown_type",
            f"masked column `{name}` has no plain type in the catalog",
            "declare its type as the database names it",
        )
    given = {mask.constant for mask in masks}
    (constant,) = given if len(given) == 1 else (None,)
    textual = kind.lower().startswith(_TEXTS) and not kind.endswith("]")
    value = f"'{constant}'" if constants and textual and constant is not None else "NULL"
    return f"CAST({value} AS {kind})"


def wrap(declared: Declared, values: dict[str, str], text: str, style: Style) -> Wrapper:
    """The sub-query that takes the table's place. Raises RefusedError."""
    parts = [_written(part, text, style) for part in declared.node.parts]
    columns = []
    for name in declared.table.columns:
        if not _COLUMN.fullmatch(name) or name == style.hidden:
            raise _unplaceable(f"column `{name[:60]}`")
        value = values.get(name)
        columns.append(f'{value} AS "{name}"' if value else f'{INNER}."{name}"')
    hint, fence = (style.hint, style.fence) if values else ("", "")
    source = f"{'.'.join(parts)} AS {INNER}{hint}"
    query = f"SELECT {', '.join(columns)} FROM {source} WHERE {style.guard}{fence}"
    first, last = declared.node.parts[0].meta["start"], declared.node.parts[-1].meta["end"] + 1
    alias = "" if declared.node.args.get("alias") else parts[-1]
    masked = tuple(".".join((*declared.name, column)) for column in values)
    return Wrapper(first, last, f"({query})" + (f" AS {alias}" if alias else ""), alias, masked)


def _written(part: exp.Expr, text: str, style: Style) -> str:
    """The name as the author wrote it: bare or in double quotes."""
    start, end = part.meta.get("start"), part.meta.get("end")
    if not isinstance(start, int) or not isinstance(end, int):
        raise _unplaceable("a table without a place in the text")
    word = text[start : end + 1]
    quoted = word == f'"{part.name}"' and '"' not in part.name
    if not (quoted or word == part.name) or not part.name.replace("$", "_").isidentifier():
        raise _unplaceable(f"table name `{word[:60]}`")
    if quoted and style.keeps_case and part.name != part.name.lower():
        raise _unplaceable(f"table name `{word[:60]}` with capital letters")
    return word


def _unplaceable(what: str) -> RefusedError:
    return RefusedError(
        "not_spliced",
        f"{what} cannot be wrapped",
        "use plain lower-case names of tables and columns",
    )


def splice(text: str, wrappers: Sequence[Wrapper]) -> str:
    """The text with every wrapper in its place."""
    done, at = [], 0
    for one in sorted(wrappers, key=lambda wrapper: wrapper.start):
        done += [text[at : one.start], one.text]
        at = one.end
    return "".join([*done, text[at:]])
