"""Laws 1 and 5 on a real broker: processes die at any moment, nothing runs unasked and nothing is lost."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from enforcers.errors import NoVerdictError, SluicegateError
from enforcers.gate import Gate
from streams.broker import EmbeddedBroker
from tests.integration.conftest import settings_for
from tests.integration.stack import Stack, sql

pytestmark = pytest.mark.kafka

UNANSWERED = """
    SELECT count(*) FROM actions a
    WHERE a.kind <> 'canary' AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.action_id = a.action_id)
"""
DUPLICATES = 'SELECT count(*) - count(DISTINCT (topic, partition, "offset")) FROM records'


async def load(gate: Gate, actions: int, workers: int, executed: Counter[str]) -> None:
    """Propose reads and drops as fast as the gate answers, and count how each ended."""
    numbers = iter(range(actions))

    async def work() -> None:
        for number in numbers:
            drop = number % 5 == 0
            statement = f"DROP TABLE t{number}" if drop else f"SELECT {number} AS n"
            try:
                async with gate.admitted(sql(statement), valid_for_ms=1_500) as permit:
                    permit.take()
                    executed["drop" if drop else "read"] += 1
            except NoVerdictError:
                executed["silence"] += 1
                await asyncio.sleep(0.05)
            except SluicegateError:
                executed["denied"] += 1

    await asyncio.gather(*(work() for _ in range(workers)))


async def crash_judge_under_load(stack: Stack, kills: int, actions: int) -> Counter[str]:
    stack.judge.start()
    stack.archiver.start()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    executed: Counter[str] = Counter()
    working = asyncio.create_task(load(gate, actions, 16, executed))
    for _ in range(kills):
        await asyncio.sleep(random.uniform(0.3, 0.9))
        stack.judge.kill()
        stack.judge.start()
        while not gate.ready and not working.done():
            await asyncio.sleep(0.05)
    await working
    await gate.close()
    return executed


@pytest.mark.parametrize(
    ("kills", "actions"), [(1, 800), pytest.param(20, 12_000, marks=pytest.mark.prove)]
)
async def test_a_judge_that_is_killed_leaves_no_action_executed_unasked_and_none_unanswered(
    stack: Stack, kills: int, actions: int
) -> None:
    executed = await crash_judge_under_load(stack, kills, actions)
    stored = await stack.stored("actions")
    rows = stack.eventually(
        f"SELECT (SELECT count(*) FROM records WHERE topic LIKE '%.actions'), ({UNANSWERED}), ({DUPLICATES})",
        lambda found: found == [(stored, 0, 0)],
    )
    ran_without_an_allow = stack.ask(
        "SELECT count(*) FROM timeline WHERE outcome = 'succeeded' AND decision IS DISTINCT FROM 'allow'"
    )
    assert executed["drop"] == 0
    assert executed["read"] > 0
    assert sum(executed.values()) == actions
    assert rows == [(stored, 0, 0)]
    assert ran_without_an_allow == [(0,)]


@pytest.mark.parametrize(
    ("kills", "actions"), [(2, 1_000), pytest.param(20, 12_000, marks=pytest.mark.prove)]
)
async def test_an_archiver_that_is_killed_loses_nothing_and_counts_nothing_twice(
    stack: Stack, kills: int, actions: int
) -> None:
    stack.judge.start()
    stack.archiver.start()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    executed: Counter[str] = Counter()
    working = asyncio.create_task(load(gate, actions, 16, executed))
    for _ in range(kills):
        await asyncio.sleep(random.uniform(0.2, 0.8))
        stack.archiver.kill()
        stack.archiver.start()
    await working
    await gate.close()
    stored = [await stack.stored(name) for name in ("actions", "verdicts", "outcomes")]
    counted = "SELECT " + ", ".join(
        f"(SELECT count(*) FROM records WHERE topic LIKE '%.{name}')"
        for name in ("actions", "verdicts", "outcomes")
    )
    rows = stack.eventually(f"{counted}, ({DUPLICATES})", lambda found: found == [(*stored, 0)])
    assert rows == [(*stored, 0)]


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "kafka") as started:
        yield started


@pytest.fixture
def own_stack(tmp_path: Path, own_broker: EmbeddedBroker) -> Iterator[Stack]:
    with Stack(settings_for(tmp_path / "home", own_broker.bootstrap)) as started:
        yield started


async def test_a_broker_that_stops_blocks_everything_and_work_goes_on_when_it_is_back(
    own_broker: EmbeddedBroker, own_stack: Stack
) -> None:
    own_stack.judge.start()
    gate = own_stack.gate()
    await gate.open(timeout_s=40)
    await gate.propose(sql("SELECT 1"))
    await asyncio.to_thread(own_broker.stop)
    with pytest.raises(NoVerdictError):
        await gate.propose(sql("SELECT 2"), valid_for_ms=500)
    await asyncio.to_thread(own_broker.start)
    for _ in range(600):
        own_stack.judge.keep()
        if gate.ready:
            break
        await asyncio.sleep(0.1)
    verdict = await gate.propose(sql("SELECT 3"), valid_for_ms=5_000)
    await gate.close()
    assert verdict.decision == "allow"


DIES = """
import asyncio, os, sys
from pathlib import Path
from console.settings import Settings
from tests.integration.stack import Stack, sql

async def main():
    gate = Stack(Settings.load({"home": Path(sys.argv[1])})).gate()
    await gate.open(timeout_s=40)
    async with gate.admitted(sql("SELECT 'dies'")) as permit:
        permit.take()
        os._exit(9)

asyncio.run(main())
"""


async def test_an_executor_that_dies_after_its_permit_leaves_an_unknown_outcome(
    stack: Stack,
) -> None:
    stack.judge.start()
    stack.archiver.start()
    died = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DIES, str(stack.settings.home)], check=False
    )
    rows = stack.eventually(
        "SELECT decision, outcome FROM timeline WHERE text = 'SELECT ''dies'''",
        lambda found: bool(found) and found[0][1] == "unknown",
    )
    assert died.returncode == 9
    assert rows == [("allow", "unknown")]
