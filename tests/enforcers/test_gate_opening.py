"""The gate's life: opening behind a canary, losing the connection, limits, and many proposals at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from nacl.signing import SigningKey

from enforcers.contract.action import (
    Action,
    Capability,
    Principal,
    PrincipalKind,
    Proposal,
    SqlPayload,
    Target,
)
from enforcers.contract.base import utc_now
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.outcome import Status
from enforcers.contract.proof import sign_proposal
from enforcers.contract.record import SignedRecord
from enforcers.contract.signing import Signer
from enforcers.contract.verdict import Decision, Reason
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ActionDeniedError, ContractError, NoVerdictError
from enforcers.gate import Executor, Gate
from enforcers.sync_gate import SyncGate
from enforcers.testing import Keys
from enforcers.world import World
from tests.enforcers.wire import PATIENT_MS, Wire, faithful, opened, resealed, run, sent, silent


async def test_a_gate_that_was_never_opened_admits_nothing(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    shut = Gate(keys.executor, wire.channel())
    assert not shut.ready
    with pytest.raises(NoVerdictError, match="never opened"):
        await run(shut, proposal())
    with pytest.raises(NoVerdictError, match="never opened"):
        await shut.propose(proposal())
    assert wire.sent == []


async def test_a_gate_does_not_open_without_a_canary(
    wire: Wire, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 1: ready only after a round trip."""
    monkeypatch.setattr("enforcers.gate.CANARY_VALID_MS", 200)
    wire.canary_tamper = silent
    shut = Gate(keys.executor, wire.channel())
    with pytest.raises(NoVerdictError, match="no judge answered"):
        await shut.open(timeout_s=0.0)
    assert not shut.ready


async def test_a_judge_that_can_allow_nothing_does_not_open_a_gate(wire: Wire, keys: Keys) -> None:
    stale = Reason(code="world_stale", message="not read for 3 s")
    wire.canary_tamper = resealed(keys.judge, reasons=(stale,))
    shut = Gate(keys.executor, wire.channel())
    with pytest.raises(NoVerdictError, match="no judge answered"):
        await shut.open(timeout_s=0.0)
    assert not shut.ready


async def test_a_forged_canary_does_not_open_a_gate(
    wire: Wire, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enforcers.gate.CANARY_VALID_MS", 200)
    wire.canary_tamper = resealed(Keys().judge)
    shut = Gate(keys.executor, wire.channel())
    with pytest.raises(NoVerdictError, match="no judge answered"):
        await shut.open(timeout_s=0.0)
    assert not shut.ready


async def test_a_closed_gate_admits_nothing_and_fails_what_waits(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    async with opened(wire, keys) as gate:
        wire.tamper = silent
        waiting = asyncio.create_task(run(gate, proposal(), PATIENT_MS))
        await sent(wire, 1)
    with pytest.raises(NoVerdictError, match="it was closed"):
        await waiting
    with pytest.raises(NoVerdictError, match="it was closed"):
        await run(gate, proposal())


async def test_a_lost_connection_fails_everything_that_waits_and_reopens_behind_a_canary(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    """Law 1: a lost broker. The waiting actions are valid for 5 s; none waits for that."""
    wire.tamper = wire.canary_tamper = silent
    tasks = [asyncio.create_task(run(gate, proposal(), PATIENT_MS)) for _ in range(5)]
    await sent(wire, 5)
    wire.lose("broker is gone")
    for task in tasks:
        with pytest.raises(NoVerdictError, match="broker is gone; nothing was executed"):
            await task
    assert not gate.ready
    with pytest.raises(NoVerdictError, match=r"not open .*broker is gone"):
        await run(gate, proposal())
    assert len(wire.sent) == 5
    wire.tamper = wire.canary_tamper = faithful
    await reopened(gate)
    assert await run(gate, proposal(), PATIENT_MS) == "SELECT 1"


async def reopened(gate: Gate) -> None:
    """Wait until the gate is ready again."""
    async with asyncio.timeout(30):
        while not gate.ready:
            await asyncio.sleep(0.01)


async def test_a_broker_that_does_not_store_an_action_shuts_the_gate(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    """Law 5: what Kafka never acknowledged is not executed."""
    wire.broken = "kafka did not store the record"
    with pytest.raises(NoVerdictError, match="kafka did not store the record"):
        await run(gate, proposal(), PATIENT_MS)
    assert not gate.ready
    wire.broken = ""
    await reopened(gate)
    assert await run(gate, proposal(), PATIENT_MS) == "SELECT 1"


async def test_a_broker_that_does_not_store_an_outcome_shuts_the_gate(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    async with gate.admitted(proposal(), PATIENT_MS) as permit:
        permit.take()
        wire.broken = "disk full"
    assert not gate.ready


async def test_waiting_actions_are_limited_and_the_next_one_fits_again(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    async with opened(wire, keys, limit=3) as gate:
        wire.tamper = silent
        tasks = [asyncio.create_task(gate.propose(proposal(), PATIENT_MS)) for _ in range(3)]
        await sent(wire, 3)
        with pytest.raises(NoVerdictError, match="3 actions wait"):
            await gate.propose(proposal(), PATIENT_MS)
        assert len(wire.sent) == 3
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        wire.tamper = faithful
        assert (await gate.propose(proposal(), PATIENT_MS)).decision is Decision.ALLOW


async def test_a_caller_that_gives_up_leaves_nothing_behind(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    held: list[SignedRecord] = []
    wire.tamper = lambda answer: held.append(answer) or []  # type: ignore[func-returns-value]
    task = asyncio.create_task(run(gate, proposal(), PATIENT_MS))
    await sent(wire, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate._room._waiting == {}
    wire.channels[0]._receive(held[0])
    assert gate.ignored == {"not_waiting": 1}


async def test_two_gates_on_one_reply_partition_do_not_disturb_each_other(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    async with opened(wire, keys) as one, opened(wire, keys) as other:
        results = await asyncio.gather(
            *(
                run(gate, proposal(f"SELECT {n}"), PATIENT_MS)
                for n in range(10)
                for gate in (one, other)
            )
        )
        assert results == [f"SELECT {n}" for n in range(10) for _ in range(2)]
        assert one.ignored.keys() | other.ignored.keys() == {"not_waiting"}


async def test_proposals_of_one_turn_share_signatures(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    verdicts = await asyncio.gather(
        *(gate.propose(proposal(f"SELECT {n}"), PATIENT_MS) for n in range(100))
    )
    assert {one.decision for one in verdicts} == {Decision.ALLOW}
    assert len(wire.sent) == 100
    assert len({header_map(one.headers)["sig"][5:69] for one in wire.sent}) == 2


async def test_a_proposal_that_is_too_large_is_refused_before_it_is_sent(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    with pytest.raises(ContractError, match="smaller payload"):
        await run(gate, proposal("é" * 200_000))
    assert wire.sent == []
    assert gate._room._waiting == {}


async def test_a_gate_that_claims_more_than_its_key_grants_gets_only_denials(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    boastful = Executor(keys.executor_id, keys.executor_signer, keys.trust, (Capability.MASK,))
    gate = Gate(boastful, wire.channel())
    async with gate:
        with pytest.raises(ActionDeniedError, match="does not grant"):
            await run(gate, proposal(), PATIENT_MS)


async def test_an_unenrolled_principal_is_denied_before_any_rule_is_asked(
    gate: Gate, policy: Any
) -> None:
    stranger = Proposal(
        principal=Principal(id="nobody", kind=PrincipalKind.AGENT),
        target=Target(system="crm", environment="production", dialect="sqlite"),
        payload=SqlPayload(statement="SELECT 1"),
    )
    verdict = await gate.propose(stranger, PATIENT_MS)
    assert [one.code for one in verdict.reasons] == ["not_enrolled"]
    assert policy.asked == []


def test_code_without_an_event_loop_has_the_same_gate(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    with SyncGate(lambda: Gate(keys.executor, wire.channel())) as gate:
        with gate.admitted(proposal("SELECT 1"), PATIENT_MS) as permit:
            assert permit.take() == SqlPayload(statement="SELECT 1")
        with pytest.raises(ActionDeniedError), gate.admitted(proposal("DROP TABLE t"), PATIENT_MS):
            pytest.fail("the body of a denied action ran")
        with pytest.raises(KeyError), gate.admitted(proposal("SELECT 2"), PATIENT_MS) as permit:
            raise KeyError("body")
        assert gate.propose(proposal("SELECT 3"), PATIENT_MS).decision is Decision.ALLOW
    assert sorted(one.status for one in wire.outcomes) == [
        Status.BLOCKED,
        Status.FAILED,
        Status.SUCCEEDED,
    ]
    with pytest.raises(RuntimeError, match="not open"):
        gate.propose(proposal())


@pytest.mark.parametrize(
    ("seed", "code"), [(7, ""), (8, "principal_not_signed"), (None, "principal_not_signed")]
)
async def test_a_principal_with_keys_must_sign_with_one_of_them(
    keys: Keys, policy: Any, proposal: Callable[..., Proposal], seed: int | None, code: str
) -> None:
    own = Signer(SigningKey(bytes([7]) * 32))
    public = bytes(own.key.verify_key).hex()
    known = EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT, public_keys=(public,))
    wire = Wire(World(policy, {known.id: known}, keys.judge_id), keys)
    signer = Signer(SigningKey(bytes([seed]) * 32)) if seed is not None else None
    sign = (lambda what, to: sign_proposal(what, to, utc_now(), signer)) if signer else None
    async with opened(wire, keys, sign=sign) as gate:
        verdict = await gate.propose(proposal(), PATIENT_MS)
    assert [one.code for one in verdict.reasons] == ([code] if code else [])
    assert (decode(Action, wire.sent[0].value).signed is None) == (seed is None)
