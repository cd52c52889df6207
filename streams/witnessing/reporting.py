"""What a witness refuses, as a finding on the topic `findings`, so that alerts reach people."""

from __future__ import annotations

import logging

from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.record import Draft, seal
from enforcers.contract.signing import Signer
from enforcers.errors import ContractError
from streams.alerts.alert import clean
from streams.announcing import Announcement, Announcer
from streams.parcel import parcel
from streams.topics import zoned
from streams.witnessing.submitting import Report

CODE = "witness_refused"
MOST_LETTERS = 400

_log = logging.getLogger(__name__)


def reporting(signer: Signer, source: str, announcer: Announcer) -> Report:
    """What tells it; `source` is the id of the signer's key in the trust file."""

    def report(name: str, message: str) -> None:
        try:
            finding = _finding(name, message, source)
            one = parcel(finding)
            (record,) = seal([Draft(finding, one.value)], signer, source)
        except (ContractError, ValueError) as error:
            _log.error("a finding cannot be sent: %s", str(error).splitlines()[0])
            return
        topic = zoned(signer.zone, one.topic)
        announcer.tell(Announcement(topic, one.key, record.value, record.headers))

    return report


def _finding(name: str, message: str, source: str) -> Finding:
    return Finding(
        id=uuid7(),
        code=CODE,
        severity=Severity.ALERT,
        about=f"witness:{name}",
        message=clean(message, MOST_LETTERS),
        remedy="run `sluicegate audit verify`, and ask the witness's operator; see docs/witnesses.md",
        source=source,
        at=utc_now(),
    )
