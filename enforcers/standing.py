"""
May this principal propose here at all? A numbered procedure, before any meaning is read.

    1 enrolled──2 enabled──3 as what it is──4 by an executor that may──5 signed──6 within its scope──▶ None
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from enforcers.admission import Refusal
from enforcers.contract.action import Action, Proposal
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal, Scope
from enforcers.contract.proof import check_proposal
from enforcers.errors import SignatureError


def standing_of(
    action: Action, known: EnrolledPrincipal | None, now: datetime, zone: str = ""
) -> Refusal | None:
    """Why the principal may not propose this here, in this zone; None where it may."""
    claimed = action.proposal.principal
    # (1) Somebody enrolled it.
    if known is None:
        return Refusal(
            "not_enrolled",
            f"principal `{claimed.id}` is not enrolled",
            "enrol it with `sluicegate agents enroll`, or propose as a principal that is",
        )
    # (2) Nobody disabled it, and its time is not over.
    if known.disabled or (known.not_after is not None and known.not_after <= now):
        what = "is disabled" if known.disabled else "was enrolled until a moment that is past"
        return Refusal(
            "principal_disabled", f"principal `{claimed.id}` {what}", "ask who administers it"
        )
    # (3) It is what it says.
    if known.kind is not claimed.kind:
        return Refusal(
            "wrong_kind",
            f"principal `{claimed.id}` is enrolled as {known.kind}, not as {claimed.kind}",
            "propose as what it is",
        )
    # (4) The executor may speak for it.
    if known.executors and action.executor not in known.executors:
        return Refusal(
            "wrong_executor",
            f"executor `{action.executor}` may not speak for principal `{claimed.id}`",
            "use an executor that it is enrolled with",
        )
    # (5) Where it has keys, it signed this itself.
    if known.public_keys:
        try:
            check_proposal(action, known.public_keys, zone)
        except SignatureError as error:
            return Refusal(
                "principal_not_signed",
                str(error),
                "sign it with an enrolled key (setting `principal_key`)",
            )
    # (6) It may propose such things there.
    outside = _outside(known.scope, action.proposal)
    if outside:
        return Refusal(
            "out_of_scope",
            f"principal `{claimed.id}` is not enrolled for {outside}",
            "ask who administers it for `sluicegate agents scope`",
        )
    return None


def quarantine_of(
    proposal: Proposal, quarantines: Iterable[Control], now: datetime
) -> Refusal | None:
    """The refusal of a proposal that a quarantine stops; None where none does."""
    for one in quarantines:
        if (one.expires_at is None or now < one.expires_at) and _stops(one.stops, proposal):
            until = (
                f"until {one.expires_at:%Y-%m-%d %H:%M:%SZ}"
                if one.expires_at
                else "until it is lifted"
            )
            return Refusal(
                "quarantined",
                f"stopped by `{one.issue.by}` {until}: {one.issue.reason or 'no reason given'}",
                f"ask an administrator to lift quarantine {one.control}",
            )
    return None


def _stops(stops: Quarantined, proposal: Proposal) -> bool:
    principal, target = proposal.principal, proposal.target
    wanted = (
        (stops.principal, (principal.id, principal.on_behalf_of)),
        (stops.session, (principal.session,)),
        (stops.system, (target.system,)),
        (stops.catalog, (target.catalog,)),
        (stops.environment, (target.environment,)),
    )
    return stops.everything or all(name is None or name in found for name, found in wanted)


def _outside(scope: Scope, proposal: Proposal) -> str:
    """What of the proposal lies outside a scope; empty where nothing does."""
    target = proposal.target
    checks: tuple[tuple[str, Sequence[str], str | None], ...] = (
        ("kind", scope.kinds, proposal.payload.kind),
        ("system", scope.systems, target.system),
        ("catalog", scope.catalogs, target.catalog),
        ("environment", scope.environments, target.environment),
    )
    for what, admitted, value in checks:
        if admitted and value not in admitted:
            return f"{what} `{value}`" if value else f"a target without a {what}"
    return ""
