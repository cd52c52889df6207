"""
The gate, with a judge in the same process.

Every ending but one is an error that says which it was, and the body never ran; the one is a verified allow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from enforcers.contract.action import Action, Proposal, SqlPayload
from enforcers.contract.digest import sha256_hex
from enforcers.contract.outcome import Status
from enforcers.contract.record import SignedRecord
from enforcers.contract.verdict import Decision, Obligation, Reason, Verdict
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ActionDeniedError, ApprovalNeededError, NoVerdictError, PermitError
from enforcers.gate import Gate
from enforcers.policy.engine import Decision as Ruling
from enforcers.refusing import refusal_of
from enforcers.testing import Keys
from tests.enforcers.wire import PATIENT_MS, SHORT_MS, Tamper, Wire, resealed, run, settled, silent

# --- what is allowed -------------------------------------------------------------------------------------


async def fail(
    gate: Gate,
    proposal: Proposal,
    error: BaseException,
    take: bool = True,
    rolled_back: bool = False,
) -> None:
    """A body that raises."""
    async with gate.admitted(proposal, PATIENT_MS) as permit:
        if take:
            permit.take()
        permit.rolled_back = rolled_back
        raise error


async def take_at(moment: float, gate: Gate, proposal: Proposal) -> None:
    """A body that takes its payload at a moment of the monotonic clock."""
    async with gate.admitted(proposal, PATIENT_MS) as permit:
        permit._clock = lambda: moment
        permit.take()


async def test_an_allowed_action_runs_once_and_its_outcome_is_reported(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    async with gate.admitted(proposal("SELECT 1"), PATIENT_MS) as permit:
        assert permit.take() == SqlPayload(statement="SELECT 1")
        permit.report_rows(3)
        permit.report_bytes(2**60)
        with pytest.raises(PermitError, match="used already"):
            permit.take()
    (outcome,) = wire.outcomes
    assert (outcome.status, outcome.rows, outcome.bytes, outcome.verdict_id) == (
        Status.SUCCEEDED,
        3,
        2**53 - 1,
        permit.verdict.id,
    )
    assert outcome.executed_digest == sha256_hex(b"SELECT 1")
    assert (outcome.principal, outcome.session, outcome.error) == ("agent-1", "s-1", None)


async def test_a_body_that_raises_is_reported_as_failed_and_its_error_passes(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    with pytest.raises(RuntimeError, match="disk"):
        await fail(gate, proposal(), RuntimeError("disk\nfull"))
    (outcome,) = wire.outcomes
    assert (outcome.status, outcome.error) == (Status.FAILED, "disk full")


@pytest.mark.parametrize("message", ["\udcff", "x" * 100_000, "\x00", ""])
async def test_an_error_in_whatever_words_is_reported(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal], message: str
) -> None:
    """Law 5: a file name that is no text must not lose the outcome."""
    error = LookupError(message)
    with pytest.raises(LookupError) as raised:
        await fail(gate, proposal(), error)
    assert raised.value is error
    (outcome,) = wire.outcomes
    assert outcome.status is Status.FAILED
    assert outcome.error


@pytest.mark.parametrize(("take", "status"), [(True, Status.UNKNOWN), (False, Status.BLOCKED)])
async def test_a_cancelled_body_is_reported(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal], take: bool, status: Status
) -> None:
    with pytest.raises(asyncio.CancelledError):
        await fail(gate, proposal(), asyncio.CancelledError(), take=take)
    assert [one.status for one in wire.outcomes] == [status]


async def test_a_permit_ends_with_its_body(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    """Law 5: a thread that goes on behind the outcome would run what is reported as not run."""
    async with gate.admitted(proposal(), PATIENT_MS) as permit:
        pass
    with pytest.raises(PermitError, match="ended with its block"):
        permit.take()
    (outcome,) = wire.outcomes
    assert (outcome.status, permit.used) == (Status.BLOCKED, False)


async def test_a_permit_that_nobody_used_is_no_success(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    async with gate.admitted(proposal(), PATIENT_MS):
        pass
    (outcome,) = wire.outcomes
    assert (outcome.status, outcome.executed_digest) == (Status.BLOCKED, None)


async def test_a_permit_used_too_late_runs_nothing_and_is_reported_as_expired(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    """Law 1."""
    with pytest.raises(PermitError, match="run out"):
        await take_at(float("inf"), gate, proposal())
    (outcome,) = wire.outcomes
    assert (outcome.status, outcome.executed_digest) == (Status.EXPIRED, None)


async def test_what_was_rolled_back_is_reported_so(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    with pytest.raises(ValueError, match="constraint"):
        await fail(gate, proposal(), ValueError("constraint"), rolled_back=True)
    assert [one.status for one in wire.outcomes] == [Status.ROLLED_BACK]


# --- what is not allowed ---------------------------------------------------------------------------------


async def test_a_denial_is_an_error_with_its_verdict(
    gate: Gate, wire: Wire, policy: Any, proposal: Callable[..., Proposal]
) -> None:
    reason = Reason(code="drops", message="drops a table", remedy="rename it")
    policy.answers["drop"] = Ruling(Decision.DENY, policy.hash, (reason,))
    with pytest.raises(ActionDeniedError, match="denied: drops a table; rename it") as denied:
        await run(gate, proposal("DROP TABLE t"), PATIENT_MS)
    assert denied.value.verdict is not None
    (outcome,) = await settled(wire)
    assert (outcome.status, outcome.verdict_id) == (Status.BLOCKED, denied.value.verdict.id)


async def test_nothing_matched_means_deny(gate: Gate, proposal: Callable[..., Proposal]) -> None:
    """Law 3."""
    with pytest.raises(ActionDeniedError, match="no rule allows it"):
        await run(gate, proposal("DROP TABLE t"), PATIENT_MS)


async def test_an_approval_is_asked_for(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    with pytest.raises(ApprovalNeededError) as asked:
        await run(gate, proposal("UPDATE t SET a = 1"), PATIENT_MS)
    assert asked.value.verdict is not None
    assert asked.value.verdict.proposal_digest is not None
    (outcome,) = await settled(wire)
    assert outcome.status is Status.BLOCKED


async def test_a_judge_that_fails_denies(
    gate: Gate, policy: Any, proposal: Callable[..., Proposal]
) -> None:
    """Law 2: trouble denies, and the denial names the trouble."""
    policy.answers = None
    with pytest.raises(ActionDeniedError, match="judge failed with AttributeError"):
        await run(gate, proposal(), PATIENT_MS)


async def test_an_obligation_that_the_executor_cannot_carry_out_is_a_denial(
    gate: Gate, policy: Any, proposal: Callable[..., Proposal]
) -> None:
    mask = Obligation(kind="mask", columns=("email",))
    policy.answers["select"] = Ruling(Decision.ALLOW, policy.hash, obligations=(mask,))
    with pytest.raises(ActionDeniedError, match="cannot carry out `mask`"):
        await run(gate, proposal(), PATIENT_MS)


@pytest.mark.parametrize("decision", Decision)
def test_only_an_allow_is_no_refusal(
    decision: Decision, action: Callable[..., Action], verdict: Callable[..., Verdict]
) -> None:
    """Law 1: of all decisions, one lets an executor act."""
    refused = refusal_of(verdict(action(), decision=decision), ())
    assert (refused is None) == (decision is Decision.ALLOW)


async def test_silence_is_no_verdict(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    """Law 1: silence."""
    wire.tamper = silent
    with pytest.raises(
        NoVerdictError, match=r"no verdict for action .* after 200 ms; nothing was executed"
    ):
        await run(gate, proposal())
    (outcome,) = await settled(wire)
    assert (outcome.status, outcome.verdict_id, outcome.executed_digest) == (
        Status.NO_VERDICT,
        None,
        None,
    )
    assert str(decode(Action, wire.sent[0].value).id) in (outcome.error or "")


def unsigned(answer: SignedRecord) -> Iterable[SignedRecord]:
    return [
        replace(
            answer, headers=tuple(one for one in answer.headers if one[0] not in {"kid", "sig"})
        )
    ]


def altered(answer: SignedRecord) -> Iterable[SignedRecord]:
    return [replace(answer, value=answer.value.replace(b'"obligations":[]', b'"obligations":[ ]'))]


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (lambda keys: resealed(Keys().judge), "not trusted as judge"),
        (lambda keys: resealed(keys.executor_signer), "not trusted as judge"),
        (lambda keys: resealed(keys.judge, action_digest="0" * 64), "other bytes"),
        (lambda keys: resealed(keys.judge, executor="executor-2"), "for executor"),
        (lambda keys: resealed(keys.judge, valid_for_ms=SHORT_MS + 1), "longer than was asked"),
        (lambda keys: unsigned, "not signed"),
        (lambda keys: altered, "does not match the record"),
    ],
    ids=["forged", "own key", "other bytes", "other executor", "too long", "unsigned", "altered"],
)
async def test_an_answer_that_must_not_be_obeyed_ends_in_no_verdict_that_names_it(
    gate: Gate,
    wire: Wire,
    keys: Keys,
    proposal: Callable[..., Proposal],
    tamper: Callable[[Keys], Tamper],
    named: str,
) -> None:
    """Laws 1 and 4."""
    wire.tamper = tamper(keys)
    with pytest.raises(NoVerdictError, match=f"ignored: .*{named}"):
        await run(gate, proposal())
    (outcome,) = await settled(wire)
    assert (outcome.status, outcome.executed_digest) == (Status.NO_VERDICT, None)
    assert gate.ignored["rejected"] == 1


async def test_an_allow_of_another_action_admits_nothing(
    gate: Gate, wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    """Law 4: an allow that was given once is worth nothing for other bytes."""
    allows: list[SignedRecord] = []

    def keep(answer: SignedRecord) -> Iterable[SignedRecord]:
        allows.append(answer)
        return [answer]

    wire.tamper = keep
    assert await run(gate, proposal("SELECT 1"), PATIENT_MS) == "SELECT 1"
    wire.tamper = lambda answer: [allows[0], retold(allows[0], answer)]
    with pytest.raises(NoVerdictError, match="ce_subject"):
        await run(gate, proposal("DROP TABLE t"))
    assert (gate.ignored["not_waiting"], gate.ignored["rejected"]) == (1, 1)


def retold(record: SignedRecord, answer: SignedRecord) -> SignedRecord:
    subject = header_map(answer.headers)["ce_subject"]
    headers = ((name, subject if name == "ce_subject" else value) for name, value in record.headers)
    return replace(record, headers=tuple(headers))


async def test_the_first_verdict_counts_and_the_second_is_ignored(
    gate: Gate, wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    """Law 4: once."""
    denial = resealed(keys.judge, decision=Decision.DENY)
    wire.tamper = lambda answer: [answer, *denial(answer), answer]
    assert await run(gate, proposal("SELECT 1"), PATIENT_MS) == "SELECT 1"
    assert gate.ignored == {"not_waiting": 2}
    wire.tamper = lambda answer: [*denial(answer), answer]
    with pytest.raises(ActionDeniedError):
        await run(gate, proposal("SELECT 1"), PATIENT_MS)


async def test_a_verdict_that_comes_after_the_deadline_is_ignored(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    """Law 1: late."""
    held: list[SignedRecord] = []

    def hold(answer: SignedRecord) -> Iterable[SignedRecord]:
        held.append(answer)
        return []

    wire.tamper = hold
    with pytest.raises(NoVerdictError):
        await run(gate, proposal())
    wire.channels[0]._receive(held[0])
    assert gate.ignored == {"not_waiting": 1}
