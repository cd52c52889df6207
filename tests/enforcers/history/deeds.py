"""What is done in the tests of the ledger, and how it is looked at afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from enforcers.contract.action import Action
from enforcers.contract.approval import ApprovalRequest
from enforcers.contract.grant import Grant, GrantScope
from enforcers.contract.issue import Issue
from enforcers.contract.outcome import Outcome, Status
from enforcers.history.ledger import Ledger, Stamp
from enforcers.intent.model import Effect, Intent, Resource, ResourceType, Verb
from enforcers.judge import Judgement
from enforcers.past import Past

STAMP = Stamp(UUID(int=5), "judge-1", datetime.fromisoformat("2026-01-02T03:04:05.678901+00:00"))
GRANT = UUID(int=77)

Act = Callable[..., Action]
Judge = Callable[..., Judgement]


def effect(verb: Verb, name: str, kind: ResourceType = ResourceType.TABLE, *tags: str) -> Effect:
    return Effect(verb, Resource(kind, name, tags=tags))


def intent(*effects: Effect) -> Intent:
    return Intent("sql", effects)


WRITE = intent(effect(Verb.WRITE, "t"))


def grant(expires_at: datetime) -> Grant:
    return Grant(
        id=UUID(int=1),
        issue=Issue(version=1, by="administrator-1", at=STAMP.at),
        grant=GRANT,
        name="repair",
        principal="agent-1",
        scope=GrantScope(resources=("t",)),
        not_before=STAMP.at,
        expires_at=expires_at,
        max_uses=1,
    )


def counted(ledger: Ledger, act: Act, now: datetime, session: str | None = "s-1") -> Past:
    return ledger.past(act(session), now)


def outcome(
    of: Action, rows: int | None, at: datetime, number: int = 1, size: int | None = None
) -> Outcome:
    return Outcome(
        id=UUID(int=number),
        action_id=of.id,
        action_digest="a" * 64,
        executor="executor-1",
        principal=of.proposal.principal.id,
        session=of.proposal.principal.session,
        status=Status.SUCCEEDED,
        rows=rows,
        bytes=size,
        finished_at=at,
    )


def asking(number: int, until: datetime) -> ApprovalRequest:
    return ApprovalRequest.model_construct(
        id=UUID(int=number),
        proposal_digest=f"{number:064x}",
        policy="b" * 64,
        expires_at=until,
    )
