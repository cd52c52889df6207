"""Two zones that trust the same keys: what is signed for one of them is believed by no reader of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from console.administering import _request
from enforcers.administration import Administration, ControlRecord
from enforcers.administration.administration import BOOKS
from enforcers.admission import Admission, Received
from enforcers.contract import samples
from enforcers.contract.action import Action
from enforcers.contract.digest import action_digest
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.finding import Finding
from enforcers.contract.outcome import Outcome
from enforcers.contract.proof import sign_proposal
from enforcers.contract.record import Draft, SignedRecord, Travelling, check_signature, seal
from enforcers.contract.samples import MOMENT
from enforcers.contract.signing import RootMemory, Signer
from enforcers.contract.trust import Role, Trust, TrustFile, build_trust
from enforcers.contract.vectors import ADMINISTRATOR, EXECUTOR, JUDGE, PRINCIPAL
from enforcers.contract.wire import TYPES, encode, header_map
from enforcers.errors import ContractError
from enforcers.judge import judge
from enforcers.testing import trusted
from enforcers.waiting import Waiting, WaitingRoom
from enforcers.world import World
from streams.control_log import key_of
from streams.history import HistoryReader
from streams.outcomes import OutcomeReader
from streams.routing import actions_partition

ZONES = ("", "pay", "pay2")
MOMENT_MS = int(MOMENT.timestamp() * 1_000)
ACTION = samples.action(1, samples.payloads()[0])
FILE = TrustFile(
    keys=(
        trusted("executor-1", Role.EXECUTOR, EXECUTOR, ACTION.capabilities),
        trusted("judge-1", Role.JUDGE, JUDGE),
        trusted("admin-1", Role.ADMINISTRATOR, ADMINISTRATOR),
    )
)
"""What both zones trust."""


@dataclass(frozen=True)
class Stored:
    """A record of one zone on another zone's topic."""

    model: Travelling
    sealed: SignedRecord
    key: bytes

    @property
    def of_kafka(self) -> Any:
        """As a consumer gets it."""
        return SimpleNamespace(
            value=self.sealed.value,
            headers=self.sealed.headers,
            key=self.key,
            partition=actions_partition(self.key),
            offset=0,
            timestamp=MOMENT_MS,
        )

    def on(self, topic: str) -> ControlRecord:
        """As administrators and judges get it."""
        headers, value = self.sealed.headers, self.sealed.value
        return ControlRecord(topic, 0, 0, MOMENT_MS, self.key, headers, value)


Reader = Callable[[Stored, Trust], Awaitable[bool]]
"""Whether a reader that trusts these keys in its own zone believes a record."""


async def by_the_judge(one: Stored, trust: Trust) -> bool:
    value, headers = one.sealed.value, one.sealed.headers
    found = Received(value, headers, one.key, actions_partition(one.key), 0, MOMENT_MS)
    return isinstance(Admission(trust, actions_partition).check(found, MOMENT_MS), Action)


async def by_the_gate(one: Stored, trust: Trust) -> bool:
    value = encode(ACTION)
    room = WaitingRoom("executor-1", trust, 1, lambda: 0.0, lambda: MOMENT)
    waiting = Waiting(ACTION, value, action_digest(value), deadline=1.0)
    room.enter(waiting)
    room.receive(one.sealed)
    obeyed = waiting.answer.done()
    waiting.answer.cancel()
    return obeyed


async def by_administration(one: Stored, trust: Trust) -> bool:
    (topic,) = (book.topic for book in BOOKS if book.model is type(one.model))
    return Administration(trust).apply(one.on(topic)) is None


async def by_people(one: Stored, trust: Trust) -> bool:
    try:
        _request(one.on("requests"), trust, RootMemory())
    except ContractError:
        return False
    return True


async def by_the_next_owner(one: Stored, trust: Trust) -> bool:
    reader = HistoryReader("127.0.0.1:1", "", trust)
    try:
        return reader.history_of(one.of_kafka) is not None
    finally:
        await reader.stop()


async def by_who_counts(one: Stored, trust: Trust) -> bool:
    counted: list[Any] = []
    reader = OutcomeReader("127.0.0.1:1", "", trust, lambda *found: counted.append(found))
    reader._take(one.of_kafka)
    await asyncio.gather(reader._consumer.stop(), reader._earlier.stop())
    return bool(counted)


async def by_who_is_alerted(one: Stored, trust: Trust) -> bool:
    """Nothing of ours acts on findings; whoever does checks them so."""
    headers = header_map(one.sealed.headers)
    try:
        check_signature(Finding, one.sealed.value, headers, trust, Role.JUDGE, MOMENT, RootMemory())
    except ContractError:
        return False
    return True


READERS: list[tuple[Travelling, Signer, str, Reader]] = [
    (ACTION, EXECUTOR, "executor-1", by_the_judge),
    (samples.allow(ACTION), JUDGE, "judge-1", by_the_gate),
    (samples.deny(ACTION), JUDGE, "judge-1", by_the_gate),
    (samples.outcome(ACTION), EXECUTOR, "executor-1", by_who_counts),
    (samples.history(), JUDGE, "judge-1", by_the_next_owner),
    (samples.finding(), JUDGE, "judge-1", by_who_is_alerted),
    (samples.approval_request(ACTION), JUDGE, "judge-1", by_people),
    (samples.grant_request(), EXECUTOR, "executor-1", by_people),
    *((one, ADMINISTRATOR, "admin-1", by_administration) for one in samples.controls(ACTION)),
]


def stored(model: Travelling, signer: Signer, source: str) -> Stored:
    (sealed,) = seal([Draft(model, encode(model))], signer, source)
    key = b"agent-1" if isinstance(model, Action | Outcome) else key_of(model)
    return Stored(model, sealed, key)


@pytest.mark.parametrize(
    ("model", "signer", "source", "believed"),
    [pytest.param(*one, id=f"{type(one[0]).__name__} {one[3].__name__}") for one in READERS],
)
async def test_a_record_is_believed_in_its_own_zone_only(
    model: Travelling, signer: Signer, source: str, believed: Reader
) -> None:
    believing = {
        (signed_for, read_in)
        for signed_for in ZONES
        for read_in in ZONES
        if await believed(
            stored(model, replace(signer, zone=signed_for), source), build_trust(FILE, read_in)
        )
    }
    assert believing == {(zone, zone) for zone in ZONES}


def test_every_kind_of_record_is_in_the_table() -> None:
    assert {type(model) for model, *_ in READERS} == set(TYPES)


@pytest.mark.parametrize("judged_in", ZONES)
@pytest.mark.parametrize("signed_for", ZONES)
def test_a_principals_signature_counts_in_its_own_zone_only(
    policy: Any, signed_for: str, judged_in: str
) -> None:
    """Also where an executor that both zones trust carries it from one to the other."""
    public = bytes(PRINCIPAL.key.verify_key).hex()
    known = EnrolledPrincipal(id="agent-1", kind="agent", public_keys=(public,))
    signer = replace(PRINCIPAL, zone=signed_for)
    proof = sign_proposal(ACTION.proposal, ACTION.executor, MOMENT, signer)
    action = ACTION.model_copy(update={"signed": proof})
    world = World(policy, {known.id: known}, "judge-1", zone=judged_in)
    codes = [one.code for one in judge(action, "0" * 64, world, MOMENT).verdict.reasons]
    assert ("principal_not_signed" in codes) == (signed_for != judged_in)
