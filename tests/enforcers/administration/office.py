"""Everybody who administers in tests, with keys that are the same in every run, and records as they sign them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from nacl.signing import SigningKey

from enforcers.administration import Administration, ControlRecord
from enforcers.contract.action import PrincipalKind
from enforcers.contract.approval import Choice, Vote
from enforcers.contract.base import uuid7_of
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment
from enforcers.contract.grant import Grant, GrantScope
from enforcers.contract.issue import Issue
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.contract.record import Controlling, Draft, seal
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, Trust, TrustedKey, TrustFile, build_trust
from enforcers.contract.wire import encode

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = "pay"
SIGNERS = {
    name: Signer(SigningKey(bytes([number]) * 32), ZONE)
    for number, name in enumerate(
        ("alice", "bob", "carol", "judge-1", "judge-2", "executor-1", "archiver-1", "left", "new",
         "stranger"), start=21
    )
}  # fmt: skip
ROLES = {
    "alice": Role.ADMINISTRATOR,
    "bob": Role.ADMINISTRATOR,
    "carol": Role.APPROVER,
    "judge-1": Role.JUDGE,
    "judge-2": Role.JUDGE,
    "executor-1": Role.EXECUTOR,
    "archiver-1": Role.ARCHIVER,
    "left": Role.ADMINISTRATOR,
    "new": Role.ADMINISTRATOR,
}
"""Those in the trust file; the stranger is in none."""
TOPICS: dict[type, str] = {
    Enrolment: "principals",
    Grant: "grants",
    Vote: "approvals",
    Control: "controls",
    Publication: "policies",
}


def trust() -> Trust:
    """Alice, Bob and Carol, the judges and the others; one who left and one who is to come."""
    more: dict[str, dict[str, Any]] = {
        "carol": {"groups": ("dba", "payments"), "person": "human:carol"},
        "left": {"not_after": NOW - HOUR},
        "new": {"not_before": NOW + HOUR},
    }
    return build_trust(
        TrustFile(
            keys=tuple(
                TrustedKey(
                    id=name,
                    role=role,
                    public_key=bytes(SIGNERS[name].key.verify_key).hex(),
                    **more.get(name, {}),
                )
                for name, role in ROLES.items()
            )
        ),
        ZONE,
    )


def numbered(number: int) -> UUID:
    """An id that is the same in every run."""
    return uuid7_of(1_000, number.to_bytes(10, "big"))


def issue(version: int = 1, by: str = "alice", at: datetime = NOW, reason: str = "") -> Issue:
    return Issue(version=version, by=by, at=at, reason=reason)


def enrolment(version: int = 1, by: str = "alice", at: datetime = NOW, **more: Any) -> Enrolment:
    fields: dict[str, Any] = {"id": "agent-1", "kind": PrincipalKind.AGENT, **more}
    principal = EnrolledPrincipal(**fields)
    said = issue(version, by, at)
    return Enrolment(id=numbered(version), issue=said, principal=principal)


def grant(version: int = 1, by: str = "alice", at: datetime = NOW, **more: Any) -> Grant:
    fields: dict[str, Any] = {
        "id": numbered(version),
        "issue": issue(version, by, at),
        "grant": numbered(7),
        "name": "bulk-dml",
        "principal": "agent-1",
        "scope": GrantScope(resources=("billing.*",)),
        "not_before": at,
        "expires_at": at + HOUR,
        **more,
    }
    return Grant(**fields)


def vote(version: int = 1, by: str = "carol", at: datetime = NOW, **more: Any) -> Vote:
    fields: dict[str, Any] = {
        "id": numbered(version),
        "issue": issue(version, by, at),
        "request": numbered(8),
        "proposal_digest": "ab" * 32,
        "policy": "cd" * 32,
        "requester": "agent-1",
        "choice": Choice.APPROVE,
        "expires_at": at + HOUR,
        **more,
    }
    return Vote(**fields)


def control(version: int = 1, by: str = "alice", at: datetime = NOW, **more: Any) -> Control:
    fields: dict[str, Any] = {
        "id": numbered(version),
        "issue": issue(version, by, at),
        "control": numbered(9),
        "stops": Quarantined(principal="agent-1"),
        "expires_at": at + HOUR,
        **more,
    }
    return Control(**fields)


def publication(
    version: int = 1, by: str = "alice", at: datetime = NOW, **more: Any
) -> Publication:
    fields: dict[str, Any] = {
        "id": numbered(version),
        "issue": issue(version, by, at),
        "bundle": "payments",
        "digest": f"{version:064x}",
        "files": (PolicyFile(name="policy.yaml", text=f"version {version}"),),
        **more,
    }
    return Publication(**fields)


@functools.lru_cache(1_024)
def record(
    model: Controlling,
    *,
    signer: str = "",
    offset: int = 0,
    appended: datetime | None = None,
    topic: str = "",
) -> ControlRecord:
    """The record as the broker stores it; signed by whom it says, unless somebody else is named."""
    (sealed,) = seal(
        [Draft(model, encode(model))], SIGNERS[signer or model.issue.by], model.issue.by
    )
    stored = appended or model.issue.at
    return ControlRecord(
        topic=topic or TOPICS[type(model)],
        partition=0,
        offset=offset,
        timestamp_ms=int(stored.timestamp() * 1000),
        key=model.subject.encode(),
        headers=sealed.headers,
        value=sealed.value,
    )


def filled(records: Iterable[ControlRecord], **more: Any) -> Administration:
    """What these records come to."""
    administration = Administration(trust(), **more)
    for one in records:
        administration.apply(one)
    return administration


def state(of: Administration) -> tuple[Any, ...]:
    """All that a judge sees."""
    return (
        of.principals,
        of.grants,
        of.votes,
        of.quarantines,
        [one.issue.version for one in of.publications[-1:]],
    )
