"""
Rights for a limited time, as an administrator says them; the same functions for every surface.

    request (an executor signs) ──▶ issue (an administrator signs) ──▶ used up, past, completed or revoked

INVARIANT: nobody issues a grant to himself, nor to whatever acts for him.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.administering import Consulted, Desk, chosen
from console.contracted import held_to_contract
from console.control_line import Line
from console.identity import load_executor
from console.plain import counted
from console.settings import Settings
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.grant import MAX_GRANT_DAYS, Grant, GrantRequest, GrantScope, GrantStatus
from enforcers.errors import ContractError, PolicyError
from enforcers.intent.model import ResourceType, Verb
from enforcers.policy.form import suggest
from enforcers.policy.granting import check_scope
from enforcers.principals import behind

TOPIC = "grants"


@dataclass(frozen=True)
class Terms:
    """What a grant is to say."""

    principal: str
    name: str
    scope: GrantScope
    lasts: timedelta
    begins: datetime | None = None
    """None: now."""
    max_uses: int | None = None
    ticket: str | None = None
    request: GrantRequest | None = None


@dataclass(frozen=True)
class Wish:
    """What somebody asks for."""

    name: str
    scope: GrantScope
    lasts: timedelta
    reason: str
    max_uses: int | None = None
    ticket: str | None = None
    on_behalf_of: str | None = None


def ask(settings: Settings, wish: Wish) -> GrantRequest:
    """
    Ask for a grant for the configured principal; this machine's executor signs, for it speaks for the principal.

    Raises ContractError, PolicyError, TrustError, BrokerError.
    """
    check_bounds(wish.scope)
    if not wish.reason.strip():
        raise ContractError("a reason is wanted: people read it; give it with --reason")
    executor = load_executor(settings)
    with held_to_contract():
        request = GrantRequest(
            id=uuid7(),
            executor=executor.id,
            principal=settings.principal,
            on_behalf_of=wish.on_behalf_of,
            name=wish.name,
            scope=wish.scope,
            reason=wish.reason,
            ticket=wish.ticket,
            seconds=int(wish.lasts.total_seconds()),
            max_uses=wish.max_uses,
            at=utc_now(),
        )
    with Line(settings) as line:
        line.publish(request, executor.signer, executor.id)
    return request


def terms_of(request: GrantRequest, lasts: timedelta | None, uses: int | None) -> Terms:
    """What a request asks for, or less. Raises ContractError where more is given."""
    wanted = timedelta(seconds=request.seconds)
    if lasts is not None and lasts > wanted:
        raise ContractError(f"the request is for {wanted} only; leave --for out, or give less")
    most = request.max_uses or None
    if uses is not None and most is not None and uses > most:
        raise ContractError(
            f"the request is for {counted(most, 'use')} only; leave --uses out, or give fewer"
        )
    return Terms(
        principal=request.principal,
        name=request.name,
        scope=request.scope,
        lasts=lasts or wanted,
        max_uses=uses or most,
        ticket=request.ticket,
        request=request,
    )


def issue(desk: Desk, terms: Terms, reason: str, *, force: bool = False) -> Grant:
    """
    Issue a grant; `force`: also to somebody who is not enrolled yet.

    Raises ContractError, PolicyError, BrokerError.
    """
    # (1) What it covers has bounds, and (2) so has its life.
    check_bounds(terms.scope)
    begins = terms.begins or desk.now
    ends = _end_of(begins, terms.lasts, desk.now)
    # (3) Somebody known gets it, (4) through an executor that may speak for it, (5) from somebody else.
    _check_standing(desk, terms, force)
    _check_executor(desk, terms.request)
    _check_apart(desk, terms)
    # (6) A request is answered once.
    _check_open(desk, terms.request)
    identity = uuid7()
    with held_to_contract():
        grant = Grant(
            id=uuid7(),
            issue=desk.first_issue(reason),
            grant=identity,
            name=terms.name,
            principal=terms.principal,
            scope=terms.scope,
            ticket=terms.ticket,
            not_before=begins,
            expires_at=ends,
            max_uses=terms.max_uses,
            request=terms.request.id if terms.request else None,
        )
    desk.publish(grant)
    return grant


def end(desk: Desk, text: str, status: GrantStatus, reason: str) -> Grant:
    """Complete or revoke a grant. One that ended stays as it ended. Raises ContractError, BrokerError."""
    found = one_of(desk, text)
    if found.status is not GrantStatus.ACTIVE:
        return found
    changes = {
        "id": uuid7(),
        "issue": desk.issue(TOPIC, found.subject, reason),
        "status": status,
    }
    ended = found.model_copy(update=changes)
    desk.publish(ended)
    return ended


def one_of(desk: Consulted, text: str) -> Grant:
    """The grant that an id, or the beginning of one, names. Raises ContractError."""
    known = desk.state.all_grants
    return known[chosen(text, known, "grant")]


def listed(desk: Consulted, *, every: bool = False) -> tuple[Grant, ...]:
    """Grants that hold now or will, the oldest first; with `every` also those that ended."""
    now = desk.now
    return tuple(
        one
        for _, one in sorted(desk.state.all_grants.items())
        if every or (one.status is GrantStatus.ACTIVE and now < one.expires_at)
    )


def wishes(desk: Consulted) -> tuple[tuple[GrantRequest, Grant | None], ...]:
    """Requests for grants, the oldest first, each with the grant that answered it."""
    answers = {one.request: one for one in desk.state.all_grants.values()}
    return tuple((one, answers.get(one.id)) for one in _asked(desk))


def wish_of(desk: Consulted, text: str) -> GrantRequest:
    """The request that an id, or the beginning of one, names. Raises ContractError."""
    asked = _asked(desk)
    identity = chosen(text, {one.id for one in asked}, "request for a grant")
    found = [one for one in asked if one.id == identity]
    if len(found) > 1:
        raise ContractError(
            f"{len(found)} requests call themselves {identity}; have it requested again"
        )
    return found[0]


def _asked(desk: Consulted) -> tuple[GrantRequest, ...]:
    """Requests for grants, each once: whoever can write to Kafka can store the same bytes again."""
    asked = (one for one in desk.requests() if isinstance(one, GrantRequest))
    return tuple(dict.fromkeys(asked))


def check_bounds(scope: GrantScope) -> None:
    """Raise PolicyError unless a scope covers something, and not everything."""
    check_scope(scope)
    for what, kind, names in (("verb", Verb, scope.verbs), ("type", ResourceType, scope.types)):
        known = [one.value for one in kind]
        for name in names:
            if name not in known:
                raise PolicyError(f"no effect has the {what} `{name}`{suggest(name, known)}")


def _end_of(begins: datetime, lasts: timedelta, now: datetime) -> datetime:
    ends = begins + lasts
    if ends <= now:
        raise ContractError("the grant would be past when it is issued; correct --from or --for")
    if ends > now + timedelta(days=MAX_GRANT_DAYS):
        raise ContractError(
            f"a grant ends within {MAX_GRANT_DAYS} days of its issue; give an earlier end"
        )
    return ends


def _check_standing(desk: Desk, terms: Terms, force: bool) -> None:
    known = desk.state.principals.get(terms.principal)
    if force:
        return
    if known is None:
        raise ContractError(
            f"`{terms.principal}` is not enrolled; enrol it with `sluicegate agents enroll`, or"
            " give --force"
        )
    if known.disabled:
        raise ContractError(
            f"`{terms.principal}` is disabled; run `sluicegate agents enable` first, or give --force"
        )


def _check_executor(desk: Desk, request: GrantRequest | None) -> None:
    """An executor asks only for those that it may speak for."""
    known = desk.state.principals.get(request.principal) if request else None
    if request and known and known.executors and request.executor not in known.executors:
        raise ContractError(
            f"executor `{request.executor}` may not speak for `{request.principal}`; find out who"
            " made the request"
        )


def _check_apart(desk: Desk, terms: Terms) -> None:
    concerned = concerned_in(desk.state.principals, terms)
    if concerned & {desk.key.id, desk.key.voice}:
        raise ContractError(
            f"`{desk.key.voice}` cannot issue a grant to `{terms.principal}`, who is or acts for the"
            " same person; ask another administrator"
        )


def concerned_in(principals: Mapping[str, EnrolledPrincipal], terms: Terms) -> frozenset[str]:
    """Who would gain: the principal, for whom it acts, and who answers for these."""
    on_behalf_of = terms.request.on_behalf_of if terms.request else None
    return behind(principals, terms.principal, on_behalf_of)


def _check_open(desk: Desk, request: GrantRequest | None) -> None:
    for grant in desk.state.all_grants.values():
        if request is not None and grant.request == request.id:
            raise ContractError(
                f"request {request.id} was answered with grant {grant.grant}; have it requested"
                " again"
            )
