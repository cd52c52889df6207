"""Laws 1 and 5 on a real broker: processes die at any moment, nothing runs unasked and nothing is lost."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from console.processes import Child
from enforcers.errors import NoVerdictError
from streams.broker import EmbeddedBroker
from tests.integration.conftest import settings_for
from tests.integration.load import Load
from tests.integration.stack import Stack, sql

pytestmark = pytest.mark.kafka

MANY = [pytest.param(20, marks=pytest.mark.prove)]
KILLS = [1, *MANY]
"""One kill of all three parts at once is what `make test` has time for."""
AT_MOST = 400
"""Answers or rows between two kills; how many is drawn, so that a kill comes early and late after a start."""
AFTERWARDS = 100
"""Answers after the last kill, by which work is seen to go on."""
SURVIVAL_S = 180.0
"""A crash that is not survived by then never is, on however slow a machine."""
RECORDS = ("actions", "verdicts", "outcomes")
ARCHIVED = ", ".join(
    f"(SELECT count(*) FROM records WHERE topic LIKE '%.{name}')" for name in RECORDS
)
UNANSWERED = """
    SELECT count(*) FROM actions a
    WHERE a.kind <> 'canary' AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.action_id = a.action_id)
"""
DUPLICATES = 'SELECT count(*) - count(DISTINCT (topic, partition, "offset")) FROM records'
RAN_WITHOUT_AN_ALLOW = """
    SELECT count(*) FROM timeline WHERE outcome = 'succeeded' AND decision IS DISTINCT FROM 'allow'
"""
PROPOSED = "SELECT action_id FROM actions WHERE kind <> 'canary'"
LATE = f"""
    SELECT count(*) FILTER (NOT duplicate AND list_has_any(codes, ['expired', 'stale'])), count(*) FILTER (duplicate)
    FROM verdicts WHERE action_id IN ({PROPOSED})
"""


class Crashes:
    """Kills under load; each comes only when `survived` the one before, so that none hits what is down already."""

    def __init__(self, stack: Stack, crash: Callable[[], None]) -> None:
        self._stack = stack
        self._crash = crash
        self.load = Load(stack.gate(), workers=16)

    async def run(self, kills: int, survived: Callable[[int], Awaitable[None]]) -> None:
        """Kill `kills` times, and see that work goes on after the last one too."""
        self._stack.judge.start()
        self._stack.archiver.start()
        await self.load.gate.open(timeout_s=40)
        async with self.load:
            for _ in range(kills):
                await self._kept(survived(random.randint(1, AT_MOST)))
                await asyncio.to_thread(self._crash)
            await self._kept(self.answered(AFTERWARDS))
        await self.load.gate.close()

    async def answered(self, more: int) -> None:
        """This many more callers had a verdict."""
        await self.load.answered(more)

    async def archived(self, more: int) -> None:
        """This many more records can be read from the archive."""
        while not (self._stack.settings.archive / "views.sql").exists():
            await asyncio.sleep(0.1)
        first = await self._rows()
        while await self._rows() < first + more:
            await asyncio.sleep(0.1)

    async def _rows(self) -> int:
        [(rows,)] = await asyncio.to_thread(self._stack.ask, "SELECT count(*) FROM records")
        return int(rows)

    async def _kept(self, waited: Awaitable[None]) -> None:
        """Wait, and start again what ended by itself, as `sluicegate up` does."""
        waiting = asyncio.ensure_future(asyncio.wait_for(waited, SURVIVAL_S))
        while not waiting.done():
            self._stack.judge.keep()
            self._stack.archiver.keep()
            await asyncio.wait({waiting}, timeout=0.2)
        await waiting


async def archive_is_complete(stack: Stack) -> None:
    """The archive holds each record that Kafka holds, once, and a verdict on each action."""
    deadline = time.monotonic() + SURVIVAL_S
    while True:
        stored = tuple([await stack.stored(name) for name in RECORDS])
        [archived] = stack.ask(f"SELECT {ARCHIVED}, ({UNANSWERED}), ({DUPLICATES})")
        if archived == (*stored, 0, 0) or time.monotonic() > deadline:
            assert archived == (*stored, 0, 0)
            return
        await asyncio.sleep(0.5)


async def nothing_is_lost(stack: Stack, load: Load) -> str:
    """Hold what callers saw against Kafka and the archive. What was counted, in words."""
    await archive_is_complete(stack)
    answers = {
        (action, verdict): decision
        for action, verdict, decision in stack.ask(
            f"SELECT action_id, verdict_id, decision FROM verdicts WHERE action_id IN ({PROPOSED})"
        )
    }
    [(actions,)] = stack.ask(f"SELECT count(*) FROM ({PROPOSED})")
    [(late, again)] = stack.ask(LATE)
    assert [one for one in load.ran if answers.get(one) != "allow"] == []
    assert [one for one in load.denied if answers.get(one) != "deny"] == []
    assert len({action for action, _ in load.ran}) == len(load.ran) > 0
    assert len(load.ran) + len(load.denied) <= actions <= load.proposed
    assert load.dropped == 0
    assert stack.ask(RAN_WITHOUT_AN_ALLOW) == [(0,)]
    return (
        f"{load.proposed} actions proposed, {actions} acknowledged by Kafka and archived, {len(answers)} verdicts"
        f" archived: {late} first answers that deny for being late, {again} second answers to redelivered actions;"
        f" callers saw {len(load.ran)} run, {len(load.denied)} denied, {load.silent} without a verdict,"
        f" {load.too_late} too late to run;"
        " 0 lost, 0 twice, 0 run without an allow"
    )


@pytest.mark.parametrize("kills", MANY)
async def test_a_judge_that_is_killed_leaves_no_action_executed_unasked_and_none_unanswered(
    stack: Stack, kills: int, counted: Callable[[str], None]
) -> None:
    def crash() -> None:
        stack.judge.kill()
        stack.judge.start()

    crashes = Crashes(stack, crash)
    await crashes.run(kills, crashes.answered)
    counted(f"{kills} kills; {await nothing_is_lost(stack, crashes.load)}")


@pytest.mark.parametrize("kills", MANY)
async def test_an_archiver_that_is_killed_loses_nothing_and_counts_nothing_twice(
    stack: Stack, kills: int, counted: Callable[[str], None]
) -> None:
    def crash() -> None:
        stack.archiver.kill()
        stack.archiver.start()

    crashes = Crashes(stack, crash)
    await crashes.run(kills, crashes.archived)
    counted(f"{kills} kills; {await nothing_is_lost(stack, crashes.load)}")


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker that dies and comes back, with what it held."""
    with EmbeddedBroker(tmp_path_factory.mktemp("own") / "kafka") as started:
        yield started


@pytest.fixture
def own_stack(tmp_path: Path, own_broker: EmbeddedBroker) -> Iterator[Stack]:
    with Stack(settings_for(tmp_path / "home", own_broker.bootstrap)) as started:
        yield started


@pytest.mark.parametrize("kills", KILLS)
async def test_judge_archiver_and_broker_that_are_killed_together_run_nothing_unasked_and_lose_nothing(
    own_broker: EmbeddedBroker, own_stack: Stack, kills: int, counted: Callable[[str], None]
) -> None:
    parts: list[EmbeddedBroker | Child] = [own_broker, own_stack.judge, own_stack.archiver]

    def crash() -> None:
        for part in random.sample(parts, len(parts)):
            part.kill()
        for part in parts:
            part.start()

    crashes = Crashes(own_stack, crash)
    await crashes.run(kills, crashes.answered)
    counted(f"{kills} kills; {await nothing_is_lost(own_stack, crashes.load)}")


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


@pytest.mark.prove
async def test_an_executor_that_dies_after_its_permit_leaves_no_outcome_and_that_is_said(
    stack: Stack,
) -> None:
    stack.judge.start()
    stack.archiver.start()
    died = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DIES, str(stack.settings.home)], check=False
    )
    rows = stack.eventually(
        "SELECT decision, outcome FROM timeline WHERE text = 'SELECT ''dies'''",
        lambda found: bool(found) and found[0][1] == "none",
    )
    assert died.returncode == 9
    assert rows == [("allow", "none")]
