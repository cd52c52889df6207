"""
`rewrite_sql`: a judged statement and its obligations → the text that runs in its place, or why there is none.

    read ─▶ screen ─▶ find base tables ─▶ wrap and splice ─▶ parse and compare ─▶ limit ─▶ read again
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from enforcers.catalog import Catalog
from enforcers.catalog.held import Held
from enforcers.contract.verdict import Obligation
from enforcers.intent.model import Intent, ResourceType, Verb
from enforcers.intent.sql import read_sql
from enforcers.intent.sql.dialects import Reading, reading_of
from enforcers.intent.sql.words import words
from enforcers.rewriting.limiting import limit_rows
from enforcers.rewriting.masking import declare, splice, values_of, wrap
from enforcers.rewriting.masks import Mask, masks_of
from enforcers.rewriting.refusal import Refusal, RefusedError
from enforcers.rewriting.screening import screen_functions, screen_intent, screen_names, screen_tree
from enforcers.rewriting.sources import base_tables
from enforcers.rewriting.styles import Style, style_of
from enforcers.rewriting.verify import check_masked, check_reach, parse

CACHED = 1_024
KINDS = ("mask", "limit_rows")
"""Obligations that are carried out by another text."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The text that runs, and the columns that it masks, such as `users.email`."""

    text: str
    masked: tuple[str, ...] = ()


def rewrite_sql(
    statement: str, dialect: str, catalog: Catalog, obligations: Sequence[Obligation]
) -> Rewritten | Refusal:
    """
    What runs in place of the statement; the same text where nothing need change.

    Never raises; the same statement is rewritten once per catalog and obligations.
    """
    return _cached(statement, dialect, tuple(obligations), catalog.fingerprint, Held(catalog))


@lru_cache(maxsize=CACHED)
def _cached(
    statement: str,
    dialect: str,
    obligations: tuple[Obligation, ...],
    fingerprint: str,
    held: Held,
) -> Rewritten | Refusal:
    try:
        return _rewritten(statement, dialect, held.catalog, obligations)
    except RefusedError as error:
        return error.refusal
    except (RecursionError, ValueError, TypeError, AttributeError, LookupError) as error:
        # A tree of a shape that no step expects.
        why = f"the statement cannot be rewritten ({type(error).__name__.lower()})"
        return Refusal("not_rewritten", why, "write it more simply")


def _rewritten(
    statement: str, dialect: str, catalog: Catalog, obligations: Sequence[Obligation]
) -> Rewritten:
    style, reading = style_of(dialect), reading_of(dialect, statement)
    masks = masks_of(obligations)
    _screen_constants(statement, masks)
    intent = read_sql(statement, dialect, catalog)
    limits = [
        one.value for one in obligations if one.kind == "limit_rows" and one.value is not None
    ]
    if _is_session(intent):
        return Rewritten(statement)
    masking = any(one.kind == "mask" for one in obligations)
    if _is_kind(intent, _WRITES if masking else _WRITES | _SILENT):
        _screen_write(statement, intent, masks, bool(limits), reading, catalog)
        return Rewritten(statement)
    done = Rewritten(statement)
    if masking:
        screen_intent(intent)
        done = _masked(statement, intent, masks, catalog, reading, style)
    if limits:
        done = replace(done, text=limit_rows(done.text, min(limits), reading))
    if done.text != statement:
        check_reach(intent, done.text, dialect, catalog)
    return done


def _screen_constants(statement: str, masks: Sequence[Mask]) -> None:
    """A masked value that was read and comes back would be compared, or stored in place of the true one."""
    lowered = statement.lower()
    if any(mask.constant and mask.constant.lower() in lowered for mask in masks):
        raise RefusedError(
            "holds_mask",
            "the statement holds the text that stands for masked values",
            "do not use masked values that you have read",
        )


def _masked(
    text: str,
    intent: Intent,
    masks: Sequence[Mask],
    catalog: Catalog,
    reading: Reading,
    style: Style,
) -> Rewritten:
    tree = parse(text, reading)
    screen_tree(tree)
    bases = base_tables(tree, reading)
    tables = [declare(base, catalog, reading) for base in bases]
    functions = intent.sql.functions if intent.sql else ()
    screen_names(tree, bases, [one.table for one in tables], functions)
    # A constant equals itself: with two tables at hand a join on it would pair every row with every row.
    single = len(list(tree.find_all(exp.Table))) == 1
    wrappers = [wrap(one, values_of(one, masks, constants=single), text, style) for one in tables]
    spliced = splice(text, wrappers)
    check_masked(tree, bases, wrappers, spliced, reading)
    return Rewritten(spliced, tuple(dict.fromkeys(name for one in wrappers for name in one.masked)))


def _is_session(intent: Intent) -> bool:
    """Nothing but the session itself is touched, as by BEGIN."""
    understood = not intent.opaque and not intent.inadmissible and bool(intent.effects)
    return understood and all(
        one.verb is Verb.CONFIGURE and one.resource.type is ResourceType.SESSION
        for one in intent.effects
    )


def _is_kind(intent: Intent, kinds: frozenset[str]) -> bool:
    understood = not intent.opaque and not intent.inadmissible
    return understood and intent.sql is not None and intent.sql.statement in kinds


_WRITES = words("insert update delete")
_SILENT = words("merge create drop alter truncate grant revoke comment")
"""Statements that return no rows of their own accord; nothing of them is masked."""


def _screen_write(
    text: str,
    intent: Intent,
    masks: Sequence[Mask],
    limited: bool,
    reading: Reading,
    catalog: Catalog,
) -> None:
    """A write may run as it is if it touches no table that has a masked column. Raises RefusedError."""
    tree = parse(text, reading)
    if limited and tree.args.get("returning"):
        raise _write("returns rows, which cannot be limited", "leave RETURNING out")
    if not masks:
        return
    if any(node.args.get("field") for node in tree.find_all(exp.In)):
        raise _write("names a table behind IN", "write a sub-query")
    for table in tree.find_all(exp.Table):
        if values_of(declare(table, catalog, reading), masks, constants=False):
            raise _write("touches a table with masked columns", "ask for a grant that shows them")
    if any(one.resource.type is not ResourceType.TABLE for one in intent.effects):
        raise _write("touches more than tables", "write to tables only")
    screen_functions(intent.sql.functions if intent.sql else ())


def _write(what: str, remedy: str) -> RefusedError:
    return RefusedError("masked_write", f"the statement {what}", remedy)
