"""
The nearest change of circumstances that would pass: one thing different, the text as it is.

    capability · reason · ticket · approval · grant · permission · time · environment ──first that allows──▶ Change

Every candidate is decided by the policy itself. Changes that need no standing right come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Literal
from uuid import UUID

from pydantic import ValidationError

from enforcers.contract.action import Capability
from enforcers.contract.grant import Grant, GrantScope
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import Decision as Answer
from enforcers.intent.model import Effect
from enforcers.policy.bundle import PRODUCTION, Mode, RuleEffect
from enforcers.policy.engine import Decision, Facts
from enforcers.policy.examining import Examination, ExaminedPolicy, RuleSeen, conjuncts
from enforcers.policy.granting import full_name

Decide = Callable[[Facts], Decision]
"""The whole decision on these facts, masks and limits included."""
Kind = Literal[
    "capability", "reason", "ticket", "approval", "grant", "permission", "time", "environment"
]
HOURS = 7 * 24
"""How far ahead another time is looked for."""
_SOMETHING = "given"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would have to be different."""

    kind: Kind
    text: str
    """What to do, for people."""
    asks: bool = False
    """Whether a person still has to approve it then."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    change: Change
    facts: Facts


def nearest_change(
    policy: ExaminedPolicy, facts: Facts, decide: Decide, seen: Examination
) -> Change | None:
    """The first change that gives an allow, or else the first that leaves it to a person; None without one."""
    decision = decide(facts)
    if decision.decision is Answer.ALLOW:
        return None
    if decision.decision is Answer.REQUIRE_APPROVAL:
        alone = chain(_capabilities(facts), _words(facts))
        change, _ = _first(alone, decide)
        return change or Change("approval", f"{_wanted(decision)} approves it", asks=True)
    change, asking = _first(_candidates(policy, facts, seen), decide)
    return change or asking


def _first(candidates: Iterable[_Candidate], decide: Decide) -> tuple[Change | None, Change | None]:
    """The first that gives an allow, and before it the first that leaves it to a person."""
    asking: Change | None = None
    for one in candidates:
        found = decide(one.facts)
        if found.decision is Answer.ALLOW:
            return one.change, asking
        if asking is None and found.decision is Answer.REQUIRE_APPROVAL:
            text = f"{one.change.text}; then {_wanted(found)} approves it"
            asking = Change(one.change.kind, text, asks=True)
    return None, asking


def _wanted(decision: Decision) -> str:
    """Who has to approve, in words."""
    told = []
    for ask in decision.asks:
        joined = " and " if ask.all_groups else " or "
        groups = joined.join(f"`{group}`" for group in ask.groups) or "anybody who may vote"
        told.append(f"{groups} ({ask.count})" if ask.count > 1 else groups)
    return ", and ".join(dict.fromkeys(told)) or "a person"


def _candidates(policy: ExaminedPolicy, facts: Facts, seen: Examination) -> Iterator[_Candidate]:
    return chain(
        _capabilities(facts),
        _words(facts),
        _approvers(policy, facts),
        _grants(policy, facts, seen),
        _permissions(policy, facts),
        _times(policy, facts),
        _environments(policy, facts),
    )


def _approvers(policy: ExaminedPolicy, facts: Facts) -> Iterator[_Candidate]:
    """For rules that look at approvals themselves."""
    for group in _named(policy, "approvals.groups"):
        change = Change("approval", f"`{group}` approves it", asks=True)
        yield _Candidate(change, replace(facts, approvers=(*facts.approvers, group)))


def _capabilities(facts: Facts) -> Iterator[_Candidate]:
    missing = [one.value for one in Capability if one.value not in facts.capabilities]
    pair = [one.value for one in (Capability.MASK, Capability.LIMIT_ROWS) if one.value in missing]
    for names in dict.fromkeys([*((name,) for name in missing), tuple(pair), tuple(missing)]):
        if names:
            listed = " and ".join(f"`{name}`" for name in names)
            change = Change("capability", f"an executor that was granted {listed} carries it out")
            yield _Candidate(change, replace(facts, capabilities=facts.capabilities | {*names}))


def _words(facts: Facts) -> Iterator[_Candidate]:
    if not facts.reason:
        change = Change("reason", "it is proposed with a reason")
        yield _Candidate(change, replace(facts, reason=_SOMETHING))
    if not facts.ticket:
        change = Change("ticket", "it is proposed with a ticket")
        yield _Candidate(change, replace(facts, ticket=_SOMETHING))


def _grants(policy: ExaminedPolicy, facts: Facts, seen: Examination) -> Iterator[_Candidate]:
    wanted = _not_allowed(seen.view.effects, seen.rules)
    scope = _scope(wanted) if wanted else None
    for name in [*_named(policy, "grants.names"), "access"] if scope else ():
        change = Change("grant", f"a grant `{name}` for {_told(wanted)}")
        grant = _grant(name, facts.principal.id, scope or GrantScope())
        yield _Candidate(change, replace(facts, grants=(*facts.grants, grant)))


def _not_allowed(effects: Sequence[Effect], seen: Sequence[RuleSeen]) -> tuple[Effect, ...]:
    """Effects that no rule allows, or that a rule asks about; all where there is no such effect."""
    speaking = [one for one in seen if one.applies and one.rule.mode is Mode.ENFORCE]
    allowed = [one.named for one in speaking if one.rule.effect is RuleEffect.ALLOW and one.named]
    asked = [one for one in speaking if one.rule.effect is RuleEffect.REQUIRE_APPROVAL]
    found = tuple(
        effect
        for index, effect in enumerate(effects)
        if not any(named[index] for named in allowed)
        or any(not one.named or one.named[index] for one in asked)
    )
    return found or tuple(effects)


def _scope(effects: Sequence[Effect]) -> GrantScope | None:
    """Exactly these effects; None where a grant cannot name them."""
    try:
        return GrantScope(
            verbs=tuple(dict.fromkeys(one.verb.value for one in effects)),
            resources=tuple(dict.fromkeys(full_name(one) for one in effects)),
            types=tuple(dict.fromkeys(one.resource.type.value for one in effects)),
        )
    except ValidationError:
        return None


def _told(effects: Iterable[Effect]) -> str:
    return ", ".join(dict.fromkeys(f"{one.verb.value} `{full_name(one)}`" for one in effects))


def _grant(name: str, principal: str, scope: GrantScope) -> Grant:
    # Made up to be tried, so nothing of it is checked but its scope.
    return Grant.model_construct(
        id=_NO_ID,
        issue=Issue.model_construct(version=1, by="nobody", at=_LONG_AGO),
        grant=_NO_ID,
        name=name,
        principal=principal,
        scope=scope,
        not_before=_LONG_AGO,
        expires_at=_LONG_AGO,
    )


def _permissions(policy: ExaminedPolicy, facts: Facts) -> Iterator[_Candidate]:
    who = facts.principal
    for name in _named(policy, "principal.permissions"):
        if name not in who.permissions:
            principal = replace(who, permissions=(*who.permissions, name))
            change = Change("permission", f"`{who.id}` is given the permission `{name}`")
            yield _Candidate(change, replace(facts, principal=principal))


def _times(policy: ExaminedPolicy, facts: Facts) -> Iterator[_Candidate]:
    if facts.now is None or "time" not in policy.reads:
        return
    start = facts.now.replace(minute=0, second=0, microsecond=0)
    for hours in range(1, HOURS + 1):
        moment = start + timedelta(hours=hours)
        change = Change("time", f"it is proposed at {moment:%a %Y-%m-%d %H:%M} UTC")
        yield _Candidate(change, replace(facts, now=moment))


def _environments(policy: ExaminedPolicy, facts: Facts) -> Iterator[_Candidate]:
    for name in (*policy.bundle.non_production, PRODUCTION):
        if name != facts.target.environment:
            change = Change("environment", f"it is proposed for a target in `{name}`")
            target = replace(facts.target, environment=name)
            yield _Candidate(change, replace(facts, target=target))


def _named(policy: ExaminedPolicy, path: str) -> list[str]:
    """Texts that conditions compare an attribute with, in the order in which they are written."""
    found = (
        constant
        for rule in policy.compiled
        for one in conjuncts(rule)
        if path in one.paths
        for constant in one.constants
    )
    return list(dict.fromkeys(found))
