"""Signed records as Kafka gives them, for the tests of alerts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiokafka import ConsumerRecord
from nacl.signing import SigningKey

from enforcers.contract.base import utc_now
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, Trust, TrustFile, build_trust
from enforcers.contract.verdict import Decision, Reason, Verdict
from enforcers.contract.wire import encode
from enforcers.testing import trusted
from streams.routing import actions_partition

SOURCES = {"judge-1": Role.JUDGE, "archiver-1": Role.ARCHIVER, "executor-1": Role.EXECUTOR}
BY_RULE = Reason(code="drops_table", rule="no-drops", message="drops a table", remedy="rename it")


def denial(judge: str = "judge-1", **changes: Any) -> Verdict:
    plain = Verdict(
        id=uuid.uuid4(),
        action_id=uuid.uuid4(),
        action_digest="a" * 64,
        executor="executor-1",
        decision=Decision.DENY,
        reasons=(BY_RULE,),
        policy="b" * 64,
        judge=judge,
        issued_at=utc_now(),
        valid_for_ms=0,
    )
    return plain.model_copy(update=changes)


def finding(source: str = "archiver-1", **changes: Any) -> Finding:
    plain = Finding(
        id=uuid.uuid4(),
        code="denied_often",
        severity=Severity.WARNING,
        about="agent-1",
        message="was denied 40 times in a minute",
        remedy="ask its owner",
        source=source,
        at=utc_now(),
        evidence=("018f", "0190"),
    )
    return plain.model_copy(update=changes)


@dataclass
class Cast:
    """A key for each role of one zone, one that nobody trusts, and one whose time is over."""

    zone: str = ""
    signers: dict[str, Signer] = field(init=False)

    def __post_init__(self) -> None:
        names = (*SOURCES, "stranger", "old")
        self.signers = {name: Signer(SigningKey.generate(), self.zone) for name in names}

    @property
    def trust(self) -> Trust:
        known = [trusted(name, role, self.signers[name]) for name, role in SOURCES.items()]
        ended = utc_now() - timedelta(days=1)
        old = trusted("judge-1", Role.JUDGE, self.signers["old"])
        keys = (*known, old.model_copy(update={"not_after": ended}))
        return build_trust(TrustFile(keys=keys), self.zone)

    def sealed(self, model: Travelling, by: str = "") -> SignedRecord:
        """A model signed by the one whom it names, or by another."""
        source = str(getattr(model, "source", "") or getattr(model, "judge", ""))
        (made,) = seal([Draft(model, encode(model))], self.signers[by or source], source)
        return made

    def record(self, model: Travelling, by: str = "", offset: int = 0, **changes: Any) -> Any:
        """The record of a model on its topic."""
        topic, key = ("findings", b"agent-1")
        if isinstance(model, Verdict):
            topic = "denials"
        partition = actions_partition(key) if topic == "denials" else 0
        sealed = self.sealed(model, by)
        fields = {
            "topic": f"{self.zone}.{topic}" if self.zone else topic,
            "partition": partition,
            "offset": offset,
            "timestamp": round(utc_now().timestamp() * 1_000),
            "timestamp_type": 0,
            "key": key,
            "value": sealed.value,
            "checksum": None,
            "serialized_key_size": 0,
            "serialized_value_size": 0,
            "headers": sealed.headers,
        }
        return ConsumerRecord(**(fields | changes))
