"""
What a detection found, and the finding that is sent of it.

    row of a macro ──▶ Odd ──(detection, agent, key, hour)──▶ id ──▶ Finding

INVARIANT: one thing within one hour has one id, whoever computes it and however often.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from analytics.anomalies.registry import BY_NAME
from enforcers.contract.base import rfc3339, uuid7_of
from enforcers.contract.finding import Finding, Severity

MOST_EVIDENCE = 20
_LINE = 1_900
_IDENTIFIER = 200


@dataclass(frozen=True, slots=True)
class Odd:
    """One row of a detection."""

    name: str
    at: datetime
    agent: str
    key: str
    """What it turns on: a rule, a resource; the same one is not told twice in an hour."""
    score: float
    baseline: float
    reason: str
    evidence: tuple[str, ...]
    """Ids of actions, or records as `topic/partition/offset`."""
    severity: Severity

    @property
    def hour(self) -> datetime:
        """The hour within which it is told once."""
        return self.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

    @property
    def id(self) -> UUID:
        """The same for the same thing in the same hour: version 7, of that hour, its tail a digest."""
        parts = (self.name, self.agent, self.key, rfc3339(self.hour))
        told = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return uuid7_of(max(0, round(self.hour.timestamp() * 1_000)), sha256(told).digest()[:10])


def odd_of(row: tuple[Any, ...]) -> Odd:
    """A row of a macro. What strangers wrote is bounded here, and harmless for UTF-8."""
    name, at, agent, key, score, baseline, reason, evidence, severity = row
    return Odd(
        name=name,
        at=at,
        agent=_text(agent)[:_LINE],
        key=_text(key)[:_LINE],
        score=round(float(score or 0), 3),
        baseline=round(float(baseline or 0), 3),
        reason=_text(reason)[:_LINE],
        evidence=tuple(str(one)[:_IDENTIFIER] for one in (evidence or ())[:MOST_EVIDENCE]),
        severity=Severity(severity),
    )


def finding_of(odd: Odd, source: str) -> Finding:
    """What is sent to the topic `findings`, signed by the key `source`."""
    return Finding(
        id=odd.id,
        code=odd.name,
        severity=odd.severity,
        about=_identifier(odd.agent),
        message=odd.reason,
        remedy=BY_NAME[odd.name].remedy if odd.name in BY_NAME else "",
        source=source,
        at=odd.at.astimezone(UTC),
        evidence=tuple(_identifier(one) for one in odd.evidence),
    )


def _text(value: Any) -> str:
    return str("" if value is None else value).encode("utf-8", "replace").decode()


def _identifier(text: str) -> str:
    """The contract has printable ASCII there; what is not becomes `?`."""
    return re.sub(r"[^!-~]", "?", text)[:_IDENTIFIER] or "-"
