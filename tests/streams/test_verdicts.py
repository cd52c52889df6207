"""What the judge's writer sends: verdicts as they are, or a denial where no record can hold them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from enforcers.admission import Received
from enforcers.contract.base import MAX_BYTES
from enforcers.contract.verdict import Decision, EffectSummary, Obligation, Reason, Verdict
from enforcers.contract.wire import decode
from streams.verdicts import Reply, sendable

RECEIVED = Received(b"{}", (), b"agent-1", 0, 7, 1_000)


def verdict(**changes: object) -> Verdict:
    plain = Verdict(
        id=UUID(int=1),
        action_id=UUID(int=2),
        action_digest="a" * 64,
        executor="executor-1",
        decision=Decision.ALLOW,
        policy="b" * 64,
        judge="judge-1",
        issued_at=datetime(2026, 1, 2, tzinfo=UTC),
        valid_for_ms=1_000,
    )
    return plain.model_copy(update=changes)


def reply(one: Verdict) -> Reply:
    return Reply(RECEIVED, one, 3, False, "", lambda: None)


LARGE = {
    "reasons": (Reason(code="denied", message="ä" * 2_000, remedy="ß" * 2_000),) * 40,
    "obligations": (Obligation(kind="mask", columns=("c" * MAX_BYTES,)),),
    "intent": (EffectSummary(verb="read", type="table", name="t" * MAX_BYTES, extent="none"),),
}


@pytest.mark.parametrize("field", LARGE)
def test_a_verdict_that_no_record_can_hold_becomes_a_denial_that_alerts(field: str) -> None:
    large = verdict(**{field: LARGE[field]})
    sent = sendable(reply(large), large)
    assert decode(Verdict, sent.value) == sent.verdict
    assert (sent.verdict.decision, sent.verdict.reasons[0].code) == (Decision.DENY, "oversized")
    assert (sent.verdict.action_id, sent.verdict.action_digest) == (
        large.action_id,
        large.action_digest,
    )
    assert (sent.verdict.valid_for_ms, sent.verdict.obligations, sent.alert) == (0, (), True)


def test_a_verdict_that_has_no_json_form_becomes_a_denial() -> None:
    odd = verdict(
        intent=(EffectSummary(verb="read", type="table", name="\ud800", extent="none"),),
    )
    sent = sendable(reply(odd), odd)
    assert decode(Verdict, sent.value).decision is Decision.DENY


def test_a_verdict_of_ordinary_size_is_sent_as_it_is() -> None:
    plain = verdict()
    sent = sendable(reply(plain), plain)
    assert (sent.verdict, sent.alert) == (plain, False)
    assert decode(Verdict, sent.value) == plain
