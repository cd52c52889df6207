"""
`read_intent`: the one door from an action to its meaning.

INVARIANT: total. A kind that is not read, and a reader that fails, give an opaque intent, never an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from enforcers.catalog.model import EMPTY_CATALOG, Catalog
from enforcers.contract.action import Payload, ShellPayload, SqlPayload, Target
from enforcers.intent.model import Finding, Intent
from enforcers.intent.shell import read_argv, read_line
from enforcers.intent.sql import read_sql

Reader = Callable[[Any, Target, Catalog], Intent]


def read_intent(payload: Payload, target: Target, catalog: Catalog) -> Intent:
    """What the payload would do on the target."""
    reader = READERS.get(payload.kind, _unread)
    try:
        return reader(payload, target, catalog)
    except Exception as error:
        return _opaque(payload.kind, "reader_failed", f"reader failed with {type(error).__name__}")


def _sql(payload: SqlPayload, target: Target, catalog: Catalog) -> Intent:
    return read_sql(payload.statement, target.dialect or "ansi", catalog)


def _shell(payload: ShellPayload, target: Target, catalog: Catalog) -> Intent:
    cwd, workspace = payload.cwd or "", payload.workspace or ""
    if (payload.line is None) == (not payload.argv):
        return _opaque("shell", "ambiguous_command", "command needs either an argv or a line")
    if payload.line is not None:
        return read_line(payload.line, cwd=cwd, workspace=workspace, read_sql=_nested_sql)
    return read_argv(
        payload.argv,
        program=payload.program or "",
        cwd=cwd,
        workspace=workspace,
        read_sql=_nested_sql,
    )


def _nested_sql(text: str, dialect: str) -> Intent:
    return read_sql(text, dialect, EMPTY_CATALOG)


def _unread(payload: Payload, target: Target, catalog: Catalog) -> Intent:
    return _opaque(
        payload.kind, "kind_not_read", f"actions of kind `{payload.kind}` are not read yet"
    )


def _opaque(kind: str, code: str, message: str) -> Intent:
    return Intent(
        kind=kind, opaque=(Finding(code, message, "ask for approval outside production"),)
    )


READERS: dict[str, Reader] = {"sql": _sql, "shell": _shell}
"""Kinds that are read; every other kind is opaque."""
