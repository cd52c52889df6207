"""
Reads one record of `findings` or `denials`: what it has to tell, or that it is forged.

    value, headers, key ──▶ signed by a judge (or an archiver), headers as signed, in its place? ──▶ Sighting
                                              └─ no ──▶ Sighting that only says so

INVARIANT: nothing that the trust file does not vouch for is told as true, and nothing of it is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from enforcers.contract.base import utc_now
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.record import check_dear, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.verdict import Decision, Reason, Verdict
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ContractError, SignatureError
from streams.alerts.alert import Kind, Place, Sighting, Subject, clean, label
from streams.ranges import stored_at
from streams.routing import actions_partition
from streams.topics import DENIALS, FINDINGS, zoned

TOLD = (FINDINGS, DENIALS)
"""The topics that are told."""
AHEAD = timedelta(minutes=5)
"""How far a signer's clock may be ahead of ours."""
_NO_REASON = Reason(code="denied", message="denied without a reason")
ARCHIVE_READ = "archive_read"
"""The code of findings that say who read the archive: whoever reads signs them, with the key at hand."""
_JUDGES = (Role.JUDGE,)
_FINDERS = (Role.JUDGE, Role.ARCHIVER)
_ANYBODY = tuple(Role)
_BY_BROKER = 1
"""Kafka's timestamp type of a topic whose broker writes the time."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sighting, and what tells a second copy of it."""

    sighting: Sighting
    key: tuple[str, ...] | None
    """None: whatever is forged counts as often as it comes."""


@dataclass
class Reader:
    """Reads records in one zone by one trust file."""

    trust: Trust
    _memory: RootMemory = field(default_factory=RootMemory)

    @property
    def topics(self) -> dict[str, str]:
        """The names of the topics in the zone, each with its own name."""
        return {zoned(self.trust.zone, one.name): one.name for one in TOLD}

    def read(self, record: Any) -> Told:
        """What a record of Kafka's has to tell."""
        place = Place(self.topics[record.topic], record.partition, record.offset)
        try:
            if place.topic == DENIALS.name:
                return self._denial(place, record)
            return self._finding(place, record)
        except Exception as error:
            # Whatever a record does to its reader, the next one is read: it would be read again for ever.
            return Told(_forged(place, error), None)

    def _finding(self, place: Place, record: Any) -> Told:
        finding = self._checked(Finding, record, _ANYBODY)
        subject = Subject(
            Kind.FINDING, label(finding.code), label(finding.about), "", finding.severity
        )
        sighting = Sighting(
            place,
            subject,
            label(finding.source),
            clean(finding.message),
            clean(finding.remedy),
            tuple(label(one) for one in finding.evidence),
            finding.at,
        )
        # Ids of detections can be known before: a stranger who takes one silences nobody else.
        return Told(sighting, (Kind.FINDING, finding.source, finding.code, str(finding.id)))

    def _denial(self, place: Place, record: Any) -> Told:
        verdict = self._checked(Verdict, record, _JUDGES)
        key = bytes(record.key or b"")
        if verdict.decision is not Decision.DENY:
            raise ContractError("verdict denies nothing; leave it on its own topic")
        if key and actions_partition(key) != place.partition:
            raise ContractError("denial lies where its principal does not belong; leave it")
        reason = verdict.reasons[0] if verdict.reasons else _NO_REASON
        subject = Subject(
            Kind.DENIAL,
            label(reason.code),
            label(key.decode("utf-8", "replace")) or "unknown",
            label(reason.rule or ""),
            Severity.WARNING,
        )
        sighting = Sighting(
            place,
            subject,
            label(verdict.judge),
            clean(reason.message),
            clean(reason.remedy),
            (str(verdict.action_id),),
            verdict.issued_at,
        )
        return Told(sighting, (Kind.DENIAL, str(verdict.action_id), reason.code))

    def _checked(self, kind: Any, record: Any, roles: tuple[Role, ...]) -> Any:
        """The model in a record, once `roles` could have signed it and those who may did. Raises ContractError."""
        value = record.value or b""
        headers = header_map((name, content or b"") for name, content in record.headers)
        check_dear(kind, value, headers, self.trust, roles, stored_at(record), self._memory)
        model = decode(kind, value)
        source = model.source if kind is Finding else model.judge
        check_headers(model, headers, source)
        proof = (headers, self.trust, _signers(model), _signed_at(model, record), self._memory)
        signer = check_signature(kind, value, *proof)
        if signer.id != source:
            raise SignatureError(f"key of `{signer.id}` signed for `{source}`; leave it")
        return model


def _signers(model: Finding | Verdict) -> tuple[Role, ...]:
    """Who may have said this."""
    if isinstance(model, Verdict):
        return _JUDGES
    harmless = model.code == ARCHIVE_READ and model.severity is Severity.NOTICE
    return _ANYBODY if harmless else _FINDERS


def _signed_at(model: Finding | Verdict, record: Any) -> datetime:
    """When it was signed: by the broker's clock where that is in the record, else by the signer's own."""
    if record.timestamp_type == _BY_BROKER:
        return stored_at(record)
    said = model.at if isinstance(model, Finding) else model.issued_at
    if said > utc_now() + AHEAD:
        raise SignatureError("record was signed in the future; set the signer's clock")
    return said


def _forged(place: Place, error: Exception) -> Sighting:
    """That a record is not genuine. What it says is left out: its writer chose it."""
    subject = Subject(Kind.FORGED_RECORD, "forged_record", place.topic, "", Severity.ALERT)
    why = clean(str(error)) if isinstance(error, ContractError) else "record cannot be read"
    remedy = "find out who may write to this topic; what it says was not told"
    return Sighting(place, subject, "", why, remedy, (str(place),), utc_now())
