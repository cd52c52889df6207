"""A bundle's own test, run as an action would be: its text read into an intent, decided, masked and limited."""

from __future__ import annotations

import json
from functools import lru_cache

from enforcers.catalog.loader import parse_catalog
from enforcers.catalog.model import Catalog
from enforcers.contract.action import Target
from enforcers.policy.bundle import Bundle, Case
from enforcers.policy.engine import Decision, PrincipalFacts
from enforcers.policy.labelled import decide, payload_of
from enforcers.policy.policy import Policy

_SYSTEM = "test"


def run_case(policy: Policy, case: Case) -> Decision:
    """Decide a bundle's test. Raises CatalogError if its `test_catalog` is not readable."""
    context = case.context
    target = Target(system=_SYSTEM, environment=context.environment, dialect=case.dialect)
    payload = payload_of(case.kind, case.text, context)
    principal = PrincipalFacts(
        _SYSTEM, context.principal_kind.value, context.enrolled, context.permissions
    )
    catalog = _catalog(_written(policy.bundle))
    return decide(policy, catalog, payload, target, principal, context)[0]


def _written(bundle: Bundle) -> str:
    # A catalog file is YAML, and JSON is YAML.
    return json.dumps(bundle.test_catalog)


@lru_cache(maxsize=4)
def _catalog(text: str) -> Catalog:
    return parse_catalog(text)
