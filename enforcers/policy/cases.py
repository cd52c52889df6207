"""A bundle's own test, run as an action would be: its text read into an intent, decided, masked and limited."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from enforcers.catalog.loader import parse_catalog
from enforcers.catalog.model import Catalog
from enforcers.contract.action import Payload, Target
from enforcers.contract.grant import Grant
from enforcers.contract.issue import Issue
from enforcers.policy.bundle import Bundle, Case, CaseContext
from enforcers.policy.case import CaseGrant
from enforcers.policy.engine import Decision, PrincipalFacts
from enforcers.policy.labelled import Occasion, decide, payload_of
from enforcers.policy.policy import Policy

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def run_case(policy: Policy, case: Case) -> Decision:
    """Decide a bundle's test. Raises CatalogError if its `test_catalog` is not readable."""
    context = case.context
    return decide(
        policy,
        catalog_of(policy.bundle),
        payload_of_case(case),
        target_of(case),
        principal_of(context),
        context,
        occasion_of(context),
    )[0]


def payload_of_case(case: Case) -> Payload:
    """What a gate would send."""
    if case.payload is not None:
        return case.payload
    if case.kind is None or case.text is None:
        raise ValueError("a test proposes one action; write `kind` and `text`, or `payload`")
    return payload_of(case.kind, case.text, case.context)


def target_of(case: Case) -> Target:
    """Where it would act."""
    context = case.context
    return Target(
        system=context.system,
        environment=context.environment,
        catalog=context.catalog,
        dialect=case.dialect,
    )


def principal_of(context: CaseContext) -> PrincipalFacts:
    """Who proposes it."""
    return PrincipalFacts(
        id=context.principal,
        kind=context.principal_kind.value,
        enrolled=context.enrolled,
        permissions=context.permissions,
        on_behalf_of=context.on_behalf_of,
        session=context.session_id,
        owner=context.owner,
        groups=context.groups,
    )


def occasion_of(context: CaseContext) -> Occasion:
    """When it is proposed, what came before, and what was granted."""
    return Occasion(
        now=context.now.astimezone(UTC) if context.now else None,
        history=context.history.facts,
        session=context.session.facts,
        grants=tuple(_grant(n, one, context) for n, one in enumerate(context.grants, start=1)),
        approvers=context.approvals,
        asked=context.asked or bool(context.approvals),
    )


def _grant(number: int, written: CaseGrant, context: CaseContext) -> Grant:
    start = context.now or _NO_TIME
    return Grant(
        id=UUID(int=number),
        issue=Issue(version=1, by=context.principal, at=start),
        grant=UUID(int=number),
        name=written.name,
        principal=context.principal,
        scope=written.scope,
        not_before=start,
        expires_at=start + timedelta(hours=1),
    )


def catalog_of(bundle: Bundle) -> Catalog:
    """The catalog that a bundle's tests assume. Raises CatalogError."""
    # A catalog file is YAML, and JSON is YAML.
    return _catalog(json.dumps(bundle.test_catalog))


@lru_cache(maxsize=4)
def _catalog(text: str) -> Catalog:
    return parse_catalog(text)
