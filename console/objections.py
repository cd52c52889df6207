"""
What judges say of a vote that they do not count, though this machine's trust file holds the voter's key.

    vote stored ──▶ judge that read another trust file ──▶ finding `control_ignored` ──▶ objection

Judges read the trust file when they start, so a voter who was added since is heard by none that did not start again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from enforcers.contract.finding import Finding
from enforcers.contract.record import check_dear, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ContractError, SignatureError

if TYPE_CHECKING:
    from console.administering import Desk
    from enforcers.administration import ControlRecord
    from enforcers.approving import CountedVote

LISTEN_S = 0.5
"""How long is waited for a judge's word; it says so some 100 ms after it read the vote."""
_LOOKS_BACK_MS: Final = 60_000


def objection(desk: Desk, cast: CountedVote) -> str:
    """What a judge has against a vote that was stored; empty where none said anything. Raises BrokerError."""
    from streams.topics import FINDINGS

    time.sleep(LISTEN_S)
    newest = replace(FINDINGS, looks_back_ms=_LOOKS_BACK_MS)
    said = _findings(desk.read(newest), desk.trust)
    return next((_words(one) for one in said if _is_about(one, cast)), "")


def _is_about(finding: Finding, cast: CountedVote) -> bool:
    """A judge stamps it with the moment when the broker stored the record."""
    about = (finding.code, finding.about, finding.at)
    return about == ("control_ignored", cast.vote.subject, cast.appended)


def _words(finding: Finding) -> str:
    return (
        f"judge `{finding.source}` does not count it: {finding.message}; start the judges again"
        " where their trust file has changed since"
    )


def _findings(records: list[ControlRecord], trust: Trust) -> Iterator[Finding]:
    """Those that judges signed."""
    memory = RootMemory()
    for record in records:
        try:
            yield _finding(record, trust, memory)
        except (ContractError, UnicodeDecodeError):
            continue


def _finding(record: ControlRecord, trust: Trust, memory: RootMemory) -> Finding:
    headers, value = header_map(record.headers), record.value or b""
    proof = (headers, trust, Role.JUDGE, record.appended, memory)
    check_dear(Finding, value, *proof)
    finding = decode(Finding, value)
    check_headers(finding, headers, finding.source)
    key = check_signature(Finding, value, *proof)
    if key.id != finding.source:
        raise SignatureError(f"key of `{key.id}` signed for `{finding.source}`; look who holds it")
    return finding
