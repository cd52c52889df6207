"""A bundle's own test, run as an action would be: its text read into an intent, decided, masked and limited."""

from __future__ import annotations

import json
from functools import lru_cache

from enforcers.catalog.loader import parse_catalog
from enforcers.catalog.model import Catalog
from enforcers.contract.action import (
    Payload,
    ShellPayload,
    SqlPayload,
    Target,
    TextPayload,
    ToolPayload,
)
from enforcers.intent.read import read_intent
from enforcers.policy.bundle import Bundle, Case
from enforcers.policy.engine import Decision, Facts, PrincipalFacts, TargetFacts
from enforcers.policy.policy import Policy
from enforcers.rewriting.duty import carry_out

_SYSTEM = "test"


def run_case(policy: Policy, case: Case) -> Decision:
    """Decide a bundle's test. Raises CatalogError if its `test_catalog` is not readable."""
    context = case.context
    target = Target(system=_SYSTEM, environment=context.environment, dialect=case.dialect)
    payload, catalog = _payload(case), _catalog(_written(policy.bundle))
    intent = read_intent(payload, target, catalog)
    principal = PrincipalFacts(
        _SYSTEM, context.principal_kind.value, context.enrolled, context.permissions
    )
    ruling = policy.decide(
        Facts(
            principal=principal,
            target=TargetFacts(_SYSTEM, context.environment, dialect=case.dialect or ""),
            intent=intent,
            reason=context.reason,
            ticket=context.ticket,
            capabilities=frozenset(one.value for one in context.capabilities),
        )
    )
    return carry_out(ruling, payload, target, catalog)[0]


def _payload(case: Case) -> Payload:
    if case.kind == "sql":
        return SqlPayload(statement=case.text)
    if case.kind == "shell":
        return ShellPayload(line=case.text, cwd=case.context.cwd, workspace=case.context.workspace)
    if case.kind == "tool":
        return ToolPayload(tool=case.text)
    return TextPayload(kind=case.kind, text=case.text)


def _written(bundle: Bundle) -> str:
    # A catalog file is YAML, and JSON is YAML.
    return json.dumps(bundle.test_catalog)


@lru_cache(maxsize=4)
def _catalog(text: str) -> Catalog:
    return parse_catalog(text)
