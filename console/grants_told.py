"""Grants and requests for them in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from console.durations import SECONDS, shown, until
from console.plain import counted
from enforcers.contract.grant import Grant, GrantRequest, GrantScope, GrantStatus


def state_of(grant: Grant, now: datetime) -> str:
    """How a grant stands, in one word; its uses are counted by judges."""
    if grant.status is not GrantStatus.ACTIVE:
        return grant.status.value
    if now >= grant.expires_at:
        return "expired"
    return "waiting" if now < grant.not_before else "active"


def described(scope: GrantScope) -> str:
    """What a grant covers, in words."""
    lists = {
        "verbs": scope.verbs,
        "types": scope.types,
        "resources": scope.resources,
        "systems": scope.systems,
        "catalogs": scope.catalogs,
        "environments": scope.environments,
    }
    parts = [f"{what} {' '.join(names)}" for what, names in lists.items() if names]
    if scope.condition is not None:
        parts.append(f"where {scope.condition}")
    return "; ".join(parts) or "nothing"


def body(grant: Grant, now: datetime) -> dict[str, object]:
    """A grant as JSON, with its state."""
    written = grant.model_dump(mode="json", exclude_none=True, exclude={"id"})
    return {**written, "state": state_of(grant, now)}


def told(grant: Grant, now: datetime) -> Iterator[tuple[str, str]]:
    """A grant as lines, each with what it is about."""
    yield "grant", str(grant.grant)
    yield "state", state_of(grant, now)
    yield "name", grant.name
    yield "principal", grant.principal
    yield "covers", described(grant.scope)
    yield "from", shown(grant.not_before)
    yield "until", shown(grant.expires_at)
    yield "uses", str(grant.max_uses or "any number")
    yield "by", f"{grant.issue.by}, {shown(grant.issue.at)}, version {grant.issue.version}"
    yield "reason", grant.issue.reason
    if grant.ticket:
        yield "ticket", grant.ticket
    if grant.request:
        yield "request", str(grant.request)


def told_briefly(grant: Grant, now: datetime) -> Iterator[str]:
    """What holds of a grant now."""
    state, what = state_of(grant, now), f"`{grant.name}` for {grant.principal}"
    yield f"grant {grant.grant}"
    if state in ("active", "waiting"):
        begins = f"from {shown(grant.not_before)} " if state == "waiting" else ""
        uses = f", {counted(grant.max_uses, 'use')}" if grant.max_uses else ""
        yield f"{state}: {what} {begins}{until(grant.expires_at)}{uses}"
        yield f"covers: {described(grant.scope)}"
    else:
        yield f"{state} since {shown(grant.issue.at)} by {grant.issue.by}: {what}"


def cells(grant: Grant, now: datetime) -> Sequence[str]:
    """A grant as a row."""
    return (
        str(grant.grant),
        state_of(grant, now),
        grant.name,
        grant.principal,
        described(grant.scope),
        shown(grant.not_before),
        shown(grant.expires_at),
        str(grant.max_uses or ""),
        grant.issue.by,
        grant.issue.reason,
    )


def lasting(seconds: int) -> str:
    """A duration as it is written: the largest unit that needs no fraction."""
    unit = max((one for one in SECONDS if seconds % SECONDS[one] == 0), key=SECONDS.__getitem__)
    return f"{seconds // SECONDS[unit]}{unit}"


def asked(request: GrantRequest, answer: Grant | None) -> dict[str, object]:
    """A request as JSON, with the grant that answered it."""
    written = request.model_dump(mode="json", exclude_none=True)
    return {**written, "grant": str(answer.grant) if answer else None}


def asked_cells(request: GrantRequest, answer: Grant | None) -> Sequence[str]:
    """A request as a row."""
    return (
        str(request.id),
        shown(request.at),
        request.name,
        request.principal,
        request.executor,
        described(request.scope),
        lasting(request.seconds),
        str(request.max_uses or ""),
        request.reason,
        str(answer.grant) if answer else "",
    )
