"""
What in the records of one action contradicts that it was allowed and done as allowed.

    verdict that counts, outcome that counts, votes ──▶ codes of `unusual.MEANINGS`, the worst first

The table `population` asks the same of a whole period, in `queries/oddities.sql`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from analytics.said import VoteSeen
from analytics.seen import ActionSeen, OutcomeSeen, VerdictSeen

LATE = timedelta(seconds=60)
"""How far the clocks of judge and executor may lie apart before an execution is called late."""


def contradictions(seen: ActionSeen) -> tuple[str, ...]:
    """The codes of what is wrong with it; empty where nothing is."""
    return tuple(_found(seen))


def _found(seen: ActionSeen) -> Iterator[str]:
    verdict, outcome = seen.verdict, seen.outcome
    if outcome is not None and outcome.ran:
        yield from _ran(seen, verdict, outcome)
    if not seen.bytes_match:
        yield "bytes_changed"
    votes = list(_used_votes(seen))
    asked = verdict is not None and verdict.approval and verdict.decision == "allow"
    if verdict and asked and not any(_approves(vote, verdict) for vote in votes):
        yield "unapproved"
    if any(vote.own for vote in votes):
        yield "self_approval"


def _ran(seen: ActionSeen, verdict: VerdictSeen | None, outcome: OutcomeSeen) -> Iterator[str]:
    if verdict is None:
        yield "executed_without_verdict"
    elif verdict.decision != "allow":
        yield "executed_without_allow"
    else:
        if is_other(seen, outcome):
            yield "ran_other_bytes"
        if is_late(verdict, outcome):
            yield "executed_late"


def expected(seen: ActionSeen) -> str | None:
    """What had to run: the rewrite, or the text; None where the digest covers more than a text."""
    rewrite = seen.verdict.rewrite if seen.verdict else None
    if rewrite is not None:
        return rewrite
    return seen.text if seen.kind == "sql" else None


def is_other(seen: ActionSeen, outcome: OutcomeSeen) -> bool:
    """Whether the executor says that it ran other bytes than those that were allowed."""
    text, ran = expected(seen), outcome.executed_digest
    return text is not None and ran is not None and sha256(text.encode()).hexdigest() != ran


def is_late(verdict: VerdictSeen, outcome: OutcomeSeen) -> bool:
    """Whether it began after the verdict's time was over."""
    began, issued = outcome.began_at, verdict.issued_at
    if began is None or issued is None or verdict.valid_for_ms is None:
        return False
    try:
        return began > issued + timedelta(milliseconds=verdict.valid_for_ms) + LATE
    except OverflowError:
        # What holds to the end of the calendar cannot be late.
        return False


def _used_votes(seen: ActionSeen) -> Iterator[VoteSeen]:
    name = seen.verdict.approval if seen.verdict else None
    for approval in seen.words.approvals:
        if str(approval.id) == name:
            yield from (one for one in approval.votes if one.counts and one.choice == "approve")


def _approves(vote: VoteSeen, verdict: VerdictSeen) -> bool:
    """By somebody else unless he broke the glass, on this very proposal, before it was allowed."""
    said, judged = vote.evidence.recorded_at, verdict.evidence.recorded_at
    early = said is None or judged is None or said <= judged
    return early and vote.binds is not False and (vote.break_glass or not vote.own)
