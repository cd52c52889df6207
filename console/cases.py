"""
Judges texts without Kafka: labelled cases and lines of a batch.

    kind + text + circumstances ──▶ payload, or opaque intent ──decide──▶ Judgement
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from console.circumstances import Changes, Circumstances, Context
from console.settings import in_lower_case
from enforcers.catalog.model import Catalog
from enforcers.contract.action import Payload, Target, ToolPayload
from enforcers.errors import ContractError
from enforcers.intent.model import Finding, Intent
from enforcers.policy.engine import Decision, PolicyEngine
from enforcers.policy.labelled import decide, payload_of

CASE_KINDS = {
    "git": "shell",
    "k8s": "shell",
    "cloud": "shell",
    "terraform": "shell",
    "mcp": "tool",
}
"""Kinds of labelled cases that are another kind of action; the others keep their name."""
SHELLS = frozenset({"", "sh", "bash", "dash"})
"""Shells whose command lines our reader understands."""
_REMEDY = "ask for approval outside production"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, how long it took with reading and rewriting, and the text that would run in place of the case's."""

    decision: Decision
    micros: int
    rewrite: str | None = None


@dataclass(frozen=True, slots=True)
class CaseJudge:
    """Judges cases under one policy, one catalog and one context."""

    policy: PolicyEngine
    catalog: Catalog
    context: Context

    def judge(
        self, kind: str, text: str, dialect: str | None = None, changes: Changes | None = None
    ) -> Judgement:
        """
        The judgement on one text.

        Raises ContractError where no gate could have sent it, SettingsError for an unknown grant.
        """
        found = self.context.circumstances(kind, changes)
        return assess(self.policy, self.catalog, CASE_KINDS.get(kind, kind), text, dialect, found)


def assess(
    policy: PolicyEngine,
    catalog: Catalog,
    kind: str,
    text: str,
    dialect: str | None,
    circumstances: Circumstances,
) -> Judgement:
    """Read a text, decide on it and rewrite it. Raises ContractError where no gate could have sent it."""
    try:
        sent = _sent(kind, text, circumstances)
        target = Target(system="case", environment=circumstances.environment, dialect=dialect)
    except ValidationError as error:
        raise ContractError(_refusal(error)) from error
    started = time.perf_counter_ns()
    decision, rewrite = decide(
        policy, catalog, sent, target, circumstances.principal_facts, circumstances
    )
    micros = (time.perf_counter_ns() - started) // 1_000
    return Judgement(decision, micros, rewrite.text if rewrite else None)


def _sent(kind: str, text: str, circumstances: Circumstances) -> Payload | Intent:
    """What a gate would send; an opaque intent where the kind is not built or the text does not fit it."""
    make = PAYLOADS.get(kind)
    payload = make(text, circumstances) if make else None
    return _unread(kind) if payload is None else payload


def _shell(text: str, circumstances: Circumstances) -> Payload | None:
    return payload_of("shell", text, circumstances) if circumstances.shell in SHELLS else None


def _tool(text: str, _: Circumstances) -> Payload | None:
    try:
        called: Any = json.loads(text)
        name = called.get("tool") or called.get("name")
        return ToolPayload(tool=name, arguments=called.get("arguments") or called.get("args") or {})
    except (ValueError, AttributeError, RecursionError):
        return None


PAYLOADS: Mapping[str, Callable[[str, Circumstances], Payload | None]] = {
    "sql": partial(payload_of, "sql"),
    "shell": _shell,
    "tool": _tool,
    "http": partial(payload_of, "http"),
    "file": partial(payload_of, "file"),
}
"""How a text of each kind is sent; a kind that is not here is opaque."""


def _unread(kind: str) -> Intent:
    message = f"actions of kind `{kind[:40]}` in this form are not read yet"
    return Intent(kind=kind[:40], opaque=(Finding("kind_not_read", message, _REMEDY),))


def _refusal(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"case refused at `{where}`: {in_lower_case(first['msg'])}"
