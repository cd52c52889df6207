"""Sealing and checking records: who signed, as what, and that headers repeat what was signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from enforcers.contract.action import Action
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.record import Draft, SignedRecord, check_headers, check_signature, seal
from enforcers.contract.signing import RootMemory, Signer
from enforcers.contract.trust import Role, Trust, TrustedKey, TrustFile, build_trust
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import encode, header_map
from enforcers.errors import ContractError, SignatureError

HOUR = timedelta(hours=1)


@pytest.fixture
def checked(cast: Any, now: datetime) -> Callable[..., TrustedKey]:
    """Check a record as a verdict of a judge, unless said otherwise."""

    def check(
        record: SignedRecord,
        kind: type[Any] = Verdict,
        role: Role = Role.JUDGE,
        trust: Trust = cast.trust,
        moment: datetime = now,
    ) -> TrustedKey:
        return check_signature(
            kind, record.value, header_map(record.headers), trust, role, moment, RootMemory()
        )

    return check


@pytest.fixture
def signed(
    cast: Any, action: Callable[..., Action], verdict: Callable[..., Verdict]
) -> Callable[..., SignedRecord]:
    """The judge's verdict on an action, signed by whoever."""

    def sign(signer: Signer = cast.judge) -> SignedRecord:
        record: SignedRecord = cast.sign(verdict(action()), signer, "judge-1")
        return record

    return sign


def test_the_key_that_signed_is_found(
    checked: Callable[..., TrustedKey], signed: Callable[..., SignedRecord]
) -> None:
    assert checked(signed()).id == "judge-1"


@pytest.mark.parametrize("signer", ["executor", "other_executor", "stranger"])
def test_only_a_judge_signs_verdicts(
    cast: Any, checked: Callable[..., TrustedKey], signed: Callable[..., SignedRecord], signer: str
) -> None:
    """Law 4: a judge key that was given beforehand."""
    with pytest.raises(SignatureError, match="is not trusted as judge"):
        checked(signed(getattr(cast, signer)))


def test_a_judge_signs_no_actions(
    cast: Any, action: Callable[..., Action], checked: Callable[..., TrustedKey]
) -> None:
    record = cast.sign(action(), cast.judge, "judge-1")
    with pytest.raises(SignatureError, match="is not trusted as executor"):
        checked(record, Action, Role.EXECUTOR)


def test_a_signature_of_one_type_is_none_of_another(
    cast: Any, now: datetime, action: Callable[..., Action], verdict: Callable[..., Verdict],
    checked: Callable[..., TrustedKey],
) -> None:  # fmt: skip
    outcome = Outcome(
        id=UUID(int=1), action_id=UUID(int=2), action_digest="0" * 64, executor="executor-1",
        principal="agent-1", status=Status.UNKNOWN, finished_at=now,
    )  # fmt: skip
    for model in (outcome, action()):
        with pytest.raises(SignatureError, match="does not match"):
            checked(cast.sign(model, cast.judge, "judge-1"))
    assert checked(cast.sign(verdict(action()), cast.judge, "judge-1")).role is Role.JUDGE


@pytest.mark.parametrize("name", ["kid", "sig"])
def test_an_unsigned_record_is_refused(
    checked: Callable[..., TrustedKey], signed: Callable[..., SignedRecord],
    with_changed_header: Callable[..., SignedRecord], name: str,
) -> None:  # fmt: skip
    with pytest.raises(SignatureError, match="not signed"):
        checked(with_changed_header(signed(), name, None))


@pytest.mark.parametrize("kid", [b"", b"0" * 16, b"\xff\xfe", b"k" * 100_000])
def test_an_unknown_key_is_refused_in_a_short_message(
    checked: Callable[..., TrustedKey], signed: Callable[..., SignedRecord],
    with_changed_header: Callable[..., SignedRecord], kid: bytes,
) -> None:  # fmt: skip
    with pytest.raises(SignatureError, match="is not trusted as judge") as refusal:
        checked(with_changed_header(signed(), "kid", kid))
    assert len(str(refusal.value)) < 200


def test_the_kid_of_a_trusted_key_does_not_lend_its_trust(
    cast: Any, checked: Callable[..., TrustedKey], signed: Callable[..., SignedRecord],
    with_changed_header: Callable[..., SignedRecord],
) -> None:  # fmt: skip
    forged = with_changed_header(signed(cast.stranger), "kid", cast.judge.kid.encode())
    with pytest.raises(SignatureError, match="does not match"):
        checked(forged)


@pytest.mark.parametrize(
    ("bounds", "valid"),
    [
        ({}, True),
        ({"not_before": 0}, True),
        ({"not_before": 1}, False),
        ({"not_after": 1}, True),
        ({"not_after": 0}, False),
        ({"not_before": -2, "not_after": -1}, False),
        ({"not_before": -1, "not_after": 1}, True),
    ],
)
def test_a_key_is_valid_from_not_before_until_just_before_not_after(
    cast: Any, now: datetime, trust_entry: Callable[..., TrustedKey], checked: Callable[..., TrustedKey],
    signed: Callable[..., SignedRecord], bounds: dict[str, int], valid: bool,
) -> None:  # fmt: skip
    moments = {name: now + hours * HOUR for name, hours in bounds.items()}
    trust = build_trust(
        TrustFile(keys=(trust_entry("judge-1", Role.JUDGE, cast.judge, **moments),)),
        cast.judge.zone,
    )
    if valid:
        assert checked(signed(), trust=trust).id == "judge-1"
    else:
        with pytest.raises(SignatureError, match="is not valid now"):
            checked(signed(), trust=trust)


@pytest.mark.parametrize("zone", ["", "pay2"])
def test_a_record_of_another_zone_is_refused(
    cast: Any, checked: Callable[..., TrustedKey], signed: Callable[..., SignedRecord], zone: str
) -> None:
    """Though the keys are the same; the refusal says for which zone it wants a signature."""
    elsewhere = replace(cast.judge, zone=zone)
    assert checked(signed(elsewhere), trust=replace(cast.trust, zone=zone)).id == "judge-1"
    with pytest.raises(SignatureError, match=f"for zone `{cast.judge.zone}`"):
        checked(signed(elsewhere))


def test_a_changed_value_is_refused(
    checked: Callable[..., TrustedKey], signed: Callable[..., SignedRecord]
) -> None:
    record = signed()
    with pytest.raises(SignatureError):
        checked(replace(record, value=record.value.replace(b'"allow"', b'"deny"')))


def test_many_drafts_are_sealed_in_order_with_few_signatures(
    cast: Any, action: Callable[..., Action], checked: Callable[..., TrustedKey]
) -> None:
    drafts = [Draft(one, encode(one)) for one in (action(number=number) for number in range(130))]
    records = seal(drafts, cast.executor, "executor-1")
    assert [record.value for record in records] == [draft.value for draft in drafts]
    assert len({header_map(record.headers)["sig"][5:69] for record in records}) == 3
    assert {checked(record, Action, Role.EXECUTOR).id for record in records} == {"executor-1"}
    assert seal([], cast.executor, "executor-1") == []


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_subject", "ce_source"])
@pytest.mark.parametrize("value", [None, b"", b"something else"])
def test_a_header_that_differs_from_the_signed_body_is_named(
    action: Callable[..., Action], verdict: Callable[..., Verdict], signed: Callable[..., SignedRecord],
    with_changed_header: Callable[..., SignedRecord], name: str, value: bytes | None,
) -> None:  # fmt: skip
    model = verdict(action())
    check_headers(model, header_map(signed().headers), "judge-1")
    changed = header_map(with_changed_header(signed(), name, value).headers)
    with pytest.raises(ContractError, match=f"header `{name}` differs"):
        check_headers(model, changed, "judge-1")
