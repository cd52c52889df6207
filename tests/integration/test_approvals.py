"""People and a waiting gate on the real broker: asked, forged, approved, done once, and asked again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from console.administering import administered, consulted
from console.approvals import Ballot, cast, find, standings
from console.identity import key_path, make_approver, trust_key
from console.settings import Settings
from console.standings import Standing, Stands
from enforcers.contract.action import Principal, PrincipalKind, Proposal, SqlPayload, Target
from enforcers.contract.approval import ApprovalRequest, Choice
from enforcers.contract.base import uuid7
from enforcers.contract.keys import load_key
from enforcers.contract.record import Draft, seal
from enforcers.contract.trust import Role
from enforcers.contract.wire import encode
from enforcers.errors import ApprovalNeededError, ContractError
from enforcers.gate import Gate
from tests.integration.stack import Stack

APPROVING = Path(__file__).parents[1] / "console" / "approving.yaml"
WRITE = "INSERT INTO t VALUES (7)"
PATIENT_MS = 5_000
LONG_S = 120.0
"""Nothing waits for it to end."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A judge that has people approve every change."""
    file = settings.home / "sluicegate.toml"
    file.write_text(f'{file.read_text()}policy = "{APPROVING}"\n')
    return Settings.load({"home": settings.home})


def proposal() -> Proposal:
    return Proposal(
        principal=Principal(id="agent:local", kind=PrincipalKind.AGENT, session="s-1"),
        target=Target(system="duckdb", environment="production", dialect="duckdb"),
        payload=SqlPayload(statement=WRITE),
    )


async def run(gate: Gate, wait_s: float) -> str:
    async with gate.admitted(proposal(), PATIENT_MS, wait_s) as permit:
        payload = permit.take()
        assert isinstance(payload, SqlPayload)
        return payload.statement


def listed(settings: Settings) -> tuple[tuple[Standing, ...], int]:
    """What is asked, and how many records were ignored."""
    with consulted(settings) as at:
        return standings(at), len(at.ignored)


def say(settings: Settings, request: str, choice: Choice, key: Path | None = None) -> None:
    with administered(settings, key) as desk:
        cast(desk, find(standings(desk), request), Ballot(choice, "looked at it"))


async def produce(stack: Stack, topic: str, key: bytes, value: bytes, headers: object) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.settings.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(stack.topic(topic), value, key=key, headers=headers)
    finally:
        await producer.stop()


async def forge(stack: Stack, request: ApprovalRequest) -> None:
    """The same request for another text, by an executor, and by it in the judge's name."""
    signer = load_key(key_path(stack.settings, Role.EXECUTOR), stack.settings.zone)
    for source in ("executor-1", "judge-1"):
        changes = {"id": uuid7(), "payload": SqlPayload(statement="SELECT 1"), "judge": source}
        forged = request.model_copy(update=changes)
        (record,) = seal([Draft(forged, encode(forged))], signer, source)
        await produce(stack, "requests", b"agent:local", record.value, list(record.headers))


async def test_a_waiting_gate_runs_once_what_a_person_approved(stack: Stack) -> None:
    settings = stack.settings
    await stack.judge_ready()
    async with stack.gate() as gate:
        waiting = asyncio.create_task(run(gate, LONG_S))
        found: tuple[Standing, ...] = ()
        ignored = 0
        async with asyncio.timeout(60):
            while not found and not waiting.done():
                found, ignored = await asyncio.to_thread(listed, settings)
        (asked,) = found
        await forge(stack, asked.request)
        await produce(stack, "approvals", str(asked.request.id).encode(), b"forged", [])
        still, more = await asyncio.to_thread(listed, settings)
        assert [one.request for one in still] == [asked.request]
        assert more - ignored == 3
        # Judges read the trust file when they start: whoever was added since is told so.
        path, entry = make_approver(settings, "newcomer", (), "", settings.keys / "newcomer.key")
        trust_key(settings, entry)
        with pytest.raises(ContractError, match="stored, but judge `judge-1` does not count it"):
            await asyncio.to_thread(say, settings, str(asked.request.id), Choice.APPROVE, path)
        assert not waiting.done()
        await asyncio.to_thread(say, settings, str(asked.request.id), Choice.APPROVE)
        assert await waiting == WRITE
        # Judges remember what was used, a moment after the verdict.
        stands = Stands.APPROVED
        async with asyncio.timeout(30):
            while stands is Stands.APPROVED:
                ((used,), _) = await asyncio.to_thread(listed, settings)
                stands = used.stands
        assert stands is Stands.USED
        with pytest.raises(ApprovalNeededError) as again:
            await run(gate, 0.0)
        assert again.value.verdict is not None
        assert again.value.verdict.request not in (None, asked.request.id)
    (first, second), _ = await asyncio.to_thread(listed, settings)
    assert (first.stands, first.again) == (Stands.VOID, second.request.id)
    assert (second.stands, second.remembered) == (Stands.WAITING, True)
