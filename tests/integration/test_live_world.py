"""What administrators say on a real broker: in force at once, for every judge, and never taken back by old records."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from console.settings import Settings
from enforcers.contract.verdict import Decision, Verdict
from enforcers.errors import NoVerdictError
from enforcers.gate import Gate
from streams.broker import EmbeddedBroker
from streams.freshness import FRESH_FOR_S
from tests.integration.live import Administrator, policy_text, settings_with
from tests.integration.load import Load
from tests.integration.stack import Stack, sql

pytestmark = pytest.mark.kafka

PATIENCE_S = 60.0
VALID_MS = 3_000
READ = "SELECT id FROM t"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedBroker) -> Iterator[Stack]:
    """A zone with one judge."""
    with Stack(_settings(tmp_path_factory, broker)) as stack:
        asyncio.run(stack.judge_ready())
        yield stack


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedBroker) -> Iterator[Stack]:
    """A zone with two judges."""
    with Stack(_settings(tmp_path_factory, broker)) as stack:
        stack.add_judge().start()
        asyncio.run(stack.judge_ready())
        yield stack


def _settings(factory: pytest.TempPathFactory, broker: EmbeddedBroker) -> Settings:
    policy = policy_text(writes=1_000_000)
    return settings_with(factory.mktemp("world") / "home", broker.bootstrap, policy)


async def answered(gate: Gate, statement: str) -> Verdict:
    """The verdict, however long nobody answers."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(NoVerdictError):
                return await gate.propose(sql(statement), valid_for_ms=VALID_MS)
            await asyncio.sleep(0.1)


async def until(gate: Gate, statement: str, decision: Decision) -> Verdict:
    """The first verdict that says so."""
    async with asyncio.timeout(PATIENCE_S):
        while (verdict := await answered(gate, statement)).decision is not decision:
            await asyncio.sleep(0)
    return verdict


@contextlib.asynccontextmanager
async def scene(stack: Stack) -> AsyncIterator[tuple[Gate, Administrator]]:
    """An open gate, and an administrator."""
    gate = stack.gate()
    await gate.open(timeout_s=40)
    async with Administrator(stack.settings) as administrator:
        yield gate, administrator
    await gate.close()


def quantile(values: list[float], part: float) -> str:
    return f"{sorted(values)[int((len(values) - 1) * part)] * 1_000:.1f} ms"


@pytest.mark.parametrize("count", [4, pytest.param(200, marks=pytest.mark.prove)])
async def test_a_grant_that_is_revoked_is_of_no_use_within_a_moment(
    pair: Stack, count: int, counted: Callable[[str], None]
) -> None:
    waits = []
    async with scene(pair) as (gate, administrator), Load(gate, workers=4):
        for number in range(count):
            drop = f"DROP TABLE g{number}"
            grant, _ = await administrator.grant(f"g{number}")
            assert (await until(gate, drop, Decision.ALLOW)).grants == (grant,)
            await administrator.revoke(grant, f"g{number}")
            revoked_at = time.monotonic()
            await until(gate, drop, Decision.DENY)
            waits.append(time.monotonic() - revoked_at)
    counted(
        f"{count} revocations under load: first denial p50 {quantile(waits, 0.5)},"
        f" p99 {quantile(waits, 0.99)}, longest {quantile(waits, 1)}"
    )
    assert len(waits) == count


@pytest.mark.prove
async def test_a_grant_is_used_as_often_as_it_says_also_by_the_next_judge(alone: Stack) -> None:
    async with scene(alone) as (gate, administrator):
        await administrator.grant("once", uses=1)
        await until(gate, "DROP TABLE once", Decision.ALLOW)
        second = await answered(gate, "DROP TABLE once")
        alone.judge.kill()
        alone.judge.start()
        third = await answered(gate, "DROP TABLE once")
    assert [second.decision, third.decision] == [Decision.DENY, Decision.DENY]


async def test_an_old_grant_and_a_tombstone_that_are_published_again_change_nothing(
    alone: Stack,
) -> None:
    async with scene(alone) as (gate, administrator):
        grant, old = await administrator.grant("old")
        await until(gate, "DROP TABLE old", Decision.ALLOW)
        await administrator.revoke(grant, "old")
        await until(gate, "DROP TABLE old", Decision.DENY)
        headers = list(old.headers)
        await alone.write("grants", old.value or b"", old.key, headers)
        await alone.write("grants", None, old.key)  # type: ignore[arg-type]
        later, _ = await administrator.grant("later")
        await until(gate, "DROP TABLE later", Decision.ALLOW)
        before = await answered(gate, "DROP TABLE old")
        findings = await alone.read("findings", 2)
        alone.judge.kill()
        alone.judge.start()
        after = await answered(gate, "DROP TABLE old")
        still = await until(gate, "DROP TABLE later", Decision.ALLOW)
    assert [before.decision, after.decision] == [Decision.DENY, Decision.DENY]
    assert still.grants == (later,)
    assert len(findings) == 2


async def test_a_judge_that_slept_allows_nothing_when_it_wakes(alone: Stack) -> None:
    async with scene(alone) as (gate, administrator):
        grant, _ = await administrator.grant("night")
        await until(gate, "DROP TABLE night", Decision.ALLOW)
        pid = alone.judge.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            proposals = [
                asyncio.create_task(gate.propose(sql(statement), valid_for_ms=5_000))
                for statement in ("DROP TABLE night", READ, "DROP TABLE night")
            ]
            await administrator.revoke(grant, "night")
            await asyncio.sleep(1.2 * FRESH_FOR_S)
        finally:
            os.kill(pid, signal.SIGCONT)
        answers = await asyncio.gather(*proposals, return_exceptions=True)
        awake = await until(gate, READ, Decision.ALLOW)
        revoked = await answered(gate, "DROP TABLE night")
    drops = (answers[0], answers[2])
    assert all(
        isinstance(one, NoVerdictError) or one.decision is Decision.DENY  # type: ignore[union-attr]
        for one in drops
    )
    assert (awake.decision, revoked.decision) == (Decision.ALLOW, Decision.DENY)


@pytest.mark.parametrize("pushes", [4, pytest.param(40, marks=pytest.mark.prove)])
async def test_no_verdict_mixes_two_policies_while_they_change_under_load(
    pair: Stack, pushes: int, counted: Callable[[str], None]
) -> None:
    verdicts: list[Verdict] = []
    over = asyncio.Event()

    async def ask(gate: Gate) -> None:
        while not over.is_set():
            for statement in (READ, "DROP TABLE t"):
                verdicts.append(await answered(gate, statement))

    async with scene(pair) as (gate, administrator):
        first = (await answered(gate, READ)).policy
        asking = [asyncio.create_task(ask(gate)) for _ in range(4)]
        names = {}
        for number in range(pushes):
            name = f"p{number % 3}"
            pushed = await administrator.push(policy_text(name, writes=1_000_000))
            names[pushed] = name
            async with asyncio.timeout(PATIENCE_S):
                while verdicts[-1:] == [] or verdicts[-1].policy != pushed:
                    await asyncio.sleep(0.02)
        over.set()
        await asyncio.gather(*asking)
    mixed = [
        one
        for one in verdicts
        if one.policy in names
        and any(r.rule and not r.rule.startswith(names[one.policy]) for r in one.reasons)
    ]
    unknown = {one.policy for one in verdicts} - {first, *names}
    counted(f"{pushes} policies pushed, {len(verdicts)} verdicts by {len(names) + 1} policies")
    assert (mixed, unknown) == ([], set())
    assert {one.policy for one in verdicts} >= set(names)


@pytest.mark.prove
async def test_two_judges_share_the_principals(pair: Stack) -> None:
    async with scene(pair) as (gate, _):
        judges: set[str] = set()
        async with asyncio.timeout(PATIENCE_S):
            while judges != {"judge-1", "judge-2"}:
                for number in range(8):
                    proposal = sql(READ, principal=f"agent:{number}")
                    with contextlib.suppress(NoVerdictError):
                        verdict = await gate.propose(proposal, valid_for_ms=VALID_MS)
                        judges.add(verdict.judge)
    assert judges == {"judge-1", "judge-2"}


async def test_who_is_quarantined_is_stopped_at_every_judge_until_it_is_lifted(pair: Stack) -> None:
    agent = pair.settings.principal
    async with scene(pair) as (gate, administrator):
        await answered(gate, READ)
        quarantine = await administrator.quarantine(agent)
        verdict = await until(gate, READ, Decision.DENY)
        # A judge that is new reads it before it judges anything.
        for child in (pair.judge, pair.second):
            assert child is not None
            child.kill()
            child.start()
        again = await answered(gate, READ)
        await administrator.lift(quarantine, agent)
        await until(gate, READ, Decision.ALLOW)
    assert [one.reasons[0].code for one in (verdict, again)] == ["quarantined"] * 2
