"""Values: one unusual case, all of a period, and what each code means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from analytics.audit.period import Period
from analytics.evidence import Evidence

MEANINGS: dict[str, str] = {
    "executed_without_verdict": "an executor says that something ran, and no verdict on it counts",
    "executed_without_allow": "an executor says that something ran, and the verdict that counts did not allow it",
    "ran_other_bytes": "what ran is not what was allowed",
    "executed_late": "it began more than a minute after its verdict had ended, by the executor's clock",
    "bytes_changed": "a record's bytes are not those that were archived",
    "forged_action": "a proposal that its executor did not sign",
    "forged_verdict": "a verdict that no trusted judge signed; it counts for nothing",
    "forged_outcome": "a report that its executor did not sign; it counts for nothing",
    "forged_word": "a vote, grant, control, policy or enrolment that nobody signed who may",
    "unapproved": "allowed on people's word, and no vote for it is archived that counts",
    "self_approval": "somebody voted for what he, or whoever he answers for, had asked for",
    "break_glass_unreviewed": "an emergency that nobody else has looked at since",
    "break_glass_reviewed": "an emergency that somebody else looked at afterwards",
    "warned_only": "allowed, though a rule in warn mode would have denied it",
    "allow_without_outcome": "allowed, and nobody said what became of it",
    "outcome_unknown": "its executor does not know what became of it",
    "no_verdict": "no verdict on it counts, and nobody says that it ran",
    "policy_published": "another policy was handed out",
    "principal_disabled": "a principal was switched off",
    "principal_changed": "a principal was enrolled, or its rights, keys or scope were changed",
    "kill_switch": "everything was stopped",
    "quarantine_lifted": "a quarantine was ended before its time",
}
"""Every code, the worst first."""


@dataclass(frozen=True, slots=True)
class ExceptionSeen:
    """One unusual case with the records that show it."""

    code: str
    at: datetime | None
    who: str
    what: str
    actions: tuple[UUID, ...]
    records: tuple[Evidence, ...]

    @property
    def order(self) -> int:
        """Where it stands among cases of its kind."""
        return self.records[0].seq if self.records else 0


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Everything unusual of a period."""

    period: Period
    cases: tuple[ExceptionSeen, ...]
    """The worst codes first, and in each in the order in which they were recorded; of many only the first."""
    counts: dict[str, int]
    """All of them, by code."""
    checked: bool
    """Whether signatures were looked at."""
