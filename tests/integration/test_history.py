"""Budgets on a real broker: what was spent stays spent, whoever dies and whatever is published again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from console.processes import Child
from console.settings import Settings
from enforcers.contract.verdict import Decision, Verdict
from enforcers.errors import ActionDeniedError, NoVerdictError, PermitError
from enforcers.gate import Gate
from streams.broker import EmbeddedBroker
from tests.integration.live import policy_text, settings_with
from tests.integration.stack import Stack, sql

pytestmark = pytest.mark.kafka

BUDGET = 5
WRITE = "INSERT INTO t (id) VALUES (1)"
SURVIVAL_S = 90.0


@pytest.fixture
def settings(tmp_path: Path, broker: EmbeddedBroker) -> Settings:
    return settings_with(tmp_path / "home", broker.bootstrap, policy_text(writes=BUDGET))


async def answered(gate: Gate, statement: str) -> Verdict:
    """The verdict, however long nobody answers."""
    async with asyncio.timeout(SURVIVAL_S):
        while True:
            with contextlib.suppress(NoVerdictError):
                return await gate.propose(sql(statement), valid_for_ms=3_000)
            await asyncio.sleep(0.1)


async def writes(gate: Gate, statement: str, until_denied: list[int]) -> None:
    """Write until a judge says that the budget is spent; count what ran."""
    while True:
        try:
            async with gate.admitted(sql(statement), valid_for_ms=3_000) as permit:
                permit.take()
                until_denied.append(1)
        except NoVerdictError:
            await asyncio.sleep(0.1)
        except PermitError:
            continue
        except ActionDeniedError as error:
            if is_spent(error.verdict):
                return


def is_spent(verdict: Verdict | None) -> bool:
    return verdict is not None and any(one.rule == "budgets-writes" for one in verdict.reasons)


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.prove)])
async def test_a_budget_holds_when_its_judge_is_killed_half_way(
    stack: Stack, rounds: int, counted: Callable[[str], None]
) -> None:
    second = stack.add_judge()
    children = {"judge-1": stack.judge, "judge-2": second}
    for child in children.values():
        child.start()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    ran: list[int] = []
    first = await answered(gate, WRITE)
    owners = [first.judge]
    for _ in range(rounds):
        writing = [asyncio.create_task(writes(gate, WRITE, ran)) for _ in range(3)]
        children[owners[-1]].kill()
        async with asyncio.timeout(SURVIVAL_S):
            await asyncio.gather(*writing)
        last = await answered(gate, WRITE)
        assert is_spent(last)
        assert 1 + len(ran) <= BUDGET
        children[owners[-1]].start()
        owners.append(last.judge)
    await gate.close()
    counted(f"{rounds} kills, owners {owners}: {1 + len(ran)} of {BUDGET} writes allowed")
    assert owners[0] != owners[1]


async def test_rows_that_executors_report_count_against_a_budget(stack: Stack) -> None:
    await stack.judge_ready()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    async with gate.admitted(sql("SELECT id FROM t"), valid_for_ms=3_000) as permit:
        permit.take()
        permit.report_rows(150)
    async with asyncio.timeout(SURVIVAL_S):
        while (await answered(gate, "SELECT id FROM t")).decision is Decision.ALLOW:
            await asyncio.sleep(0.1)
    restart(stack.judge)
    again = await answered(gate, "SELECT id FROM t")
    await gate.close()
    assert [one.rule for one in again.reasons] == ["budgets-rows"]


@pytest.mark.prove
async def test_an_old_history_and_a_tombstone_bring_no_budget_back(stack: Stack) -> None:
    await stack.judge_ready()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    assert (await answered(gate, WRITE)).decision is Decision.ALLOW
    old = (await stack.read("history", 1))[0]
    for _ in range(BUDGET - 1):
        assert (await answered(gate, WRITE)).decision is Decision.ALLOW
    assert is_spent(await answered(gate, WRITE))
    await stack.write("history", old.value, old.key, list(old.headers), old.partition)
    await stack.write("history", None, old.key, [], old.partition)  # type: ignore[arg-type]
    await stack.write("history", old.value + b" ", old.key, list(old.headers), old.partition)
    restart(stack.judge)
    answer = await answered(gate, WRITE)
    stored = await stack.read("history", 100, patience_s=3)
    await gate.close()
    assert is_spent(answer)
    # The last record is what compaction keeps: the judge has put its own there again.
    assert stored[-1].value is not None
    assert b'"writes":5' in stored[-1].value
    assert b'"writes":5' not in old.value


@pytest.mark.prove
async def test_an_outcome_that_somebody_else_signed_counts_nothing(stack: Stack) -> None:
    await stack.judge_ready()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    async with gate.admitted(sql("SELECT id FROM t"), valid_for_ms=3_000) as permit:
        permit.take()
        permit.report_rows(60)
    (outcome,) = await stack.read("outcomes", 1)
    forged = outcome.value.replace(b'"rows":60', b'"rows":99')
    for value in (outcome.value, forged):
        await stack.write("outcomes", value, outcome.key, list(outcome.headers), outcome.partition)
    await asyncio.sleep(1.5)
    verdict = await answered(gate, "SELECT id FROM t")
    (stored,) = [one.value for one in (await stack.read("history", 50, patience_s=2))[-1:]]
    await gate.close()
    assert verdict.decision is Decision.ALLOW
    assert b'"rows":60' in stored


def restart(child: Child) -> None:
    child.kill()
    child.start()
