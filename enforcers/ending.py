"""How an admitted action ended, as the outcome that is reported."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.verdict import Verdict
from enforcers.errors import PermitError
from enforcers.permit import Permit
from enforcers.waiting import Waiting

_MAX_ERROR = 500


@dataclass(frozen=True)
class Ending:
    """What became of one action."""

    status: Status
    duration_us: int = 0
    rows: int | None = None
    bytes: int | None = None
    error: str | None = None
    executed_digest: str | None = None


def ending_of(permit: Permit, started: float, error: BaseException | None) -> Ending:
    """The ending of a body that ran since `started` (perf_counter) and raised `error`, if any."""
    status = _status(permit, error)
    # Who gave up on it after a success is no error of the action; what the executor has to tell is.
    raised = None if status is Status.SUCCEEDED else _one_line(error)
    return Ending(
        status=status,
        duration_us=int((time.perf_counter() - started) * 1_000_000),
        rows=permit.rows,
        bytes=None if permit.rolled_back or permit.withheld else permit.bytes,
        error="; ".join(filter(None, (raised, permit.failure))) or None,
        executed_digest=permit.executed_digest,
    )


def outcome_of(waiting: Waiting, verdict: Verdict | None, ending: Ending) -> Outcome:
    """The record that reports an ending."""
    principal = waiting.action.proposal.principal
    return Outcome(
        id=uuid7(),
        action_id=waiting.action.id,
        action_digest=waiting.digest,
        verdict_id=verdict.id if verdict is not None else None,
        executor=waiting.action.executor,
        principal=principal.id,
        session=principal.session,
        status=ending.status,
        rows=ending.rows,
        bytes=ending.bytes,
        duration_us=ending.duration_us,
        error=ending.error[:_MAX_ERROR] if ending.error else None,
        executed_digest=ending.executed_digest,
        finished_at=utc_now(),
    )


def _status(permit: Permit, error: BaseException | None) -> Status:
    if isinstance(error, PermitError) and not permit.used:
        return Status.EXPIRED
    if permit.withheld:
        return Status.BLOCKED
    if permit.kept:
        return Status.SUCCEEDED
    if permit.in_doubt or permit.acting:
        return Status.UNKNOWN
    if permit.rolled_back:
        return Status.ROLLED_BACK
    if isinstance(error, asyncio.CancelledError):
        # Whoever took the payload may be at work still, in a thread or on another machine.
        return Status.UNKNOWN if permit.used else Status.BLOCKED
    if error is not None:
        return Status.FAILED
    if permit.failure is not None:
        return Status.FAILED
    return Status.SUCCEEDED if permit.used else Status.BLOCKED


def _one_line(error: BaseException | None) -> str | None:
    if error is None:
        return None
    text = " ".join(str(error).split()) or type(error).__name__
    # A file name may hold bytes that are no text; the outcome must be sent all the same.
    return text.encode("utf-8", "backslashreplace").decode()[:_MAX_ERROR]
