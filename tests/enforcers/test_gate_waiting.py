"""A gate that waits for people: what it hears only makes it ask again, and every other ending is an error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from enforcers.asking import Patience
from enforcers.contract.action import Action, Proposal
from enforcers.contract.approval import Choice
from enforcers.contract.outcome import Status
from enforcers.contract.wire import decode
from enforcers.errors import (
    ApprovalNeededError,
    NoVerdictError,
)
from enforcers.gate import Gate
from enforcers.sync_gate import SyncGate
from enforcers.testing import Keys
from tests.enforcers.votes import LONG_S, RISKY, approving_wire, asked, attempt, listening, vote
from tests.enforcers.wire import PATIENT_MS, RecordingChannel, Wire, faithful, opened, silent


@pytest.fixture
def wire(keys: Keys, policy: Any) -> Wire:
    """A judge that has one person approve every UPDATE; `agent-1` is answered for by `ann`."""
    return approving_wire(keys, policy)


@pytest.fixture
def channel(gate: Gate, wire: Wire) -> RecordingChannel:
    """The gate's channel, whose judge the tests can talk to."""
    return wire.channels[0]


async def test_a_waiting_gate_goes_on_when_it_hears_of_the_vote(
    gate: Gate, channel: RecordingChannel, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    request = await asked(channel)
    await listening(channel)
    channel.cast(vote(request))
    assert await waiting == "allowed"
    # Every attempt is an action of its own, with an outcome of its own.
    ids = [decode(Action, record.value).id for record in wire.sent]
    assert len(set(ids)) == len(ids) == 2
    ends = {one.action_id: one.status for one in wire.outcomes}
    assert ends == {ids[0]: Status.BLOCKED, ids[1]: Status.SUCCEEDED}


async def test_a_vote_between_verdict_and_waiting_is_not_missed(
    gate: Gate, channel: RecordingChannel, proposal: Callable[..., Proposal]
) -> None:
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    channel.cast(vote(await asked(channel)))
    assert await waiting == "allowed"


async def test_a_vote_that_nobody_told_of_is_found_all_the_same(
    gate: Gate,
    channel: RecordingChannel,
    proposal: Callable[..., Proposal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enforcers.asking.ASK_EVERY_S", 0.01)
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    channel.count(vote(await asked(channel)))
    assert await waiting == "allowed"


async def test_a_judge_that_hears_of_the_vote_later_than_the_gate_is_asked_once_more(
    gate: Gate, channel: RecordingChannel, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    request = await asked(channel)
    channel.rumour(request.id)
    async with asyncio.timeout(10):
        while len(wire.sent) < 2:
            await asyncio.sleep(0)
    channel.count(vote(request))
    assert await waiting == "allowed"


async def test_lying_hints_admit_nothing(
    gate: Gate, channel: RecordingChannel, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    request = await asked(channel)
    async with asyncio.timeout(10):
        while len(wire.sent) < 3:
            channel.rumour(request.id)
            await asyncio.sleep(0)
    assert not waiting.done()
    channel.cast(vote(request, choice=Choice.DENY))
    assert await waiting == "ActionDeniedError"


async def test_a_vote_against_it_ends_the_waiting(
    gate: Gate, channel: RecordingChannel, proposal: Callable[..., Proposal]
) -> None:
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    channel.cast(vote(await asked(channel), choice=Choice.DENY))
    assert await waiting == "ActionDeniedError"


async def test_a_vote_taken_back_before_it_was_used_denies(
    gate: Gate, channel: RecordingChannel, proposal: Callable[..., Proposal]
) -> None:
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    request = await asked(channel)
    channel.count(vote(request))
    channel.cast(vote(request, "eve", choice=Choice.REVOKE))
    assert await waiting == "ActionDeniedError"


async def test_who_waits_in_vain_is_told_the_request(
    gate: Gate,
    channel: RecordingChannel,
    wire: Wire,
    proposal: Callable[..., Proposal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listened = [0.0]

    async def nothing_heard(_: UUID, timeout_s: float) -> bool:
        listened.append(timeout_s)
        return False

    # Time that goes only while the gate listens: however slow the machine, it listens once.
    monkeypatch.setattr("enforcers.gate.Patience", lambda s: Patience(s, lambda: sum(listened)))
    monkeypatch.setattr(channel, "voted", nothing_heard)
    with pytest.raises(ApprovalNeededError) as needed:
        async with gate.admitted(proposal(RISKY), PATIENT_MS, 1.0):
            pytest.fail("the body ran without an approval")
    assert str(channel.requests[0].id) in str(needed.value)
    assert sum(listened) == 1.0
    # Once more when the time was over: a vote may have come without a hint.
    assert (len(channel.requests), len(wire.sent)) == (1, 2)


async def test_what_needs_nobody_waits_for_nobody(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    assert await attempt(gate, proposal("SELECT 1"), LONG_S) == "allowed"
    assert await attempt(gate, proposal("DROP TABLE t"), LONG_S) == "ActionDeniedError"
    assert len(wire.sent) == 2


async def test_whoever_gives_up_waiting_has_proposed_nothing_that_is_open(
    gate: Gate, channel: RecordingChannel, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    request = await asked(channel)
    await listening(channel)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    channel.cast(vote(request))
    assert [one.status for one in wire.outcomes] == [Status.BLOCKED]
    assert (gate._room._waiting, channel._hearsay._waiting, len(wire.sent)) == ({}, {}, 1)
    # The approval is there for whoever proposes it again.
    assert await attempt(gate, proposal(RISKY)) == "allowed"


async def test_a_gate_that_is_closed_meanwhile_admits_nothing(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    async with opened(wire, keys) as gate:
        waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
        channel = wire.channels[0]
        request = await asked(channel)
        await listening(channel)
    channel.cast(vote(request))
    assert await waiting == "NoVerdictError"
    assert [one.status for one in wire.outcomes] == [Status.BLOCKED]


async def test_a_gate_that_was_closed_before_it_begins_to_wait_does_not_begin(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal]
) -> None:
    async with opened(wire, keys) as gate:
        verdict = await gate.propose(proposal(RISKY), PATIENT_MS)
    with pytest.raises(NoVerdictError, match="it was closed"):
        async with asyncio.timeout(10):
            await gate._may_ask_again(verdict, Patience(LONG_S))


async def test_a_connection_that_is_lost_while_it_waits_only_costs_time(
    gate: Gate,
    channel: RecordingChannel,
    wire: Wire,
    proposal: Callable[..., Proposal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enforcers.gate.CANARY_VALID_MS", 100)
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    request = await asked(channel)
    await listening(channel)
    wire.canary_tamper = silent
    wire.lose("broker restarts")
    channel.cast(vote(request))
    # Long enough for it to hear of the vote, and to find the gate shut.
    await asyncio.sleep(0.3)
    assert (waiting.done(), gate.ready, len(wire.sent)) == (False, False, 1)
    wire.canary_tamper = faithful
    assert await waiting == "allowed"


async def test_silence_while_it_waits_is_no_verdict(
    gate: Gate, channel: RecordingChannel, wire: Wire, proposal: Callable[..., Proposal]
) -> None:
    """Law 1: an approval that a lost verdict used is not there any more, and nothing ran."""
    waiting = asyncio.create_task(attempt(gate, proposal(RISKY), LONG_S))
    request = await asked(channel)
    await listening(channel)
    wire.tamper = lambda _: []
    gate.__dict__["_send"] = lambda what, _: Gate._send(gate, what, 100)
    channel.cast(vote(request))
    assert await waiting == "NoVerdictError"
    assert Status.SUCCEEDED not in {one.status for one in wire.outcomes}


def test_code_without_an_event_loop_waits_alike(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enforcers.asking.ASK_EVERY_S", 0.01)
    with SyncGate(lambda: Gate(keys.executor, wire.channel())) as gate:
        with (
            pytest.raises(ApprovalNeededError),
            gate.admitted(proposal(RISKY), PATIENT_MS, wait_s=0.05),
        ):
            pytest.fail("the body ran without an approval")
        wire.channels[0].count(vote(wire.channels[0].requests[0]))
        with gate.admitted(proposal(RISKY), PATIENT_MS, wait_s=LONG_S) as permit:
            permit.take()
    assert wire.outcomes[-1].status is Status.SUCCEEDED


def test_an_interrupt_ends_the_waiting_and_nothing_is_admitted_later(
    wire: Wire, keys: Keys, proposal: Callable[..., Proposal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the thread that waits: an approval that comes then must find nobody who takes it."""

    def interrupted(work: Any, loop: asyncio.AbstractEventLoop) -> Any:
        monkeypatch.undo()
        running = asyncio.run_coroutine_threadsafe(work, loop)
        asyncio.run_coroutine_threadsafe(listening(wire.channels[0]), loop).result(10)
        monkeypatch.setattr(running, "result", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        return running

    with SyncGate(lambda: Gate(keys.executor, wire.channel())) as gate:
        monkeypatch.setattr("enforcers.sync_gate.asyncio.run_coroutine_threadsafe", interrupted)
        with (
            pytest.raises(KeyboardInterrupt),
            gate.admitted(proposal(RISKY), PATIENT_MS, wait_s=LONG_S),
        ):
            pytest.fail("the body ran without an approval")
        channel = wire.channels[0]
        channel.count(vote(channel.requests[0]))
        with gate.admitted(proposal(RISKY), PATIENT_MS) as permit:
            permit.take()
        assert channel._hearsay._waiting == {}
    assert [one.status for one in wire.outcomes] == [Status.BLOCKED, Status.SUCCEEDED]
