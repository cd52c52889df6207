"""
Law 4 on a real broker: false and unlucky verdicts are not obeyed, and the gate that met one still works.

The test plays the judge. After each false record it sends the genuine verdict, which differs only in the flaw; that
the gate obeys it shows that the flaw, and nothing else, was why the other one was not.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from console.identity import load_executor
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.signing import Signer
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import decode
from enforcers.errors import ActionDeniedError, NoVerdictError
from enforcers.gate import Executor, Gate
from streams.broker import EmbeddedBroker
from streams.replies import KafkaVerdictChannel
from tests.integration.conftest import settings_for
from tests.integration.forgeries import REJECTED, REWRITE, UNADDRESSED, changed, with_header
from tests.integration.played_judge import playing
from tests.integration.scene import PATIENT_MS, Scene, enrol, neighbour_of
from tests.integration.stack import Stack, sql

pytestmark = pytest.mark.kafka

SHORT_MS = 250
KEY = b"agent:local"


@dataclass(frozen=True)
class Zone:
    """A zone without a judge of its own."""

    stack: Stack
    keys: dict[str, Signer]


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedBroker) -> Iterator[Zone]:
    settings = settings_for(tmp_path_factory.mktemp("zone") / "home", broker.bootstrap)
    keys = enrol(settings)
    with Stack(settings) as stack:
        yield Zone(stack, keys)


@asynccontextmanager
async def opened(gate: Gate) -> AsyncIterator[Gate]:
    await gate.open(timeout_s=40)
    try:
        yield gate
    finally:
        await gate.close()


@pytest.fixture
async def scene(zone: Zone) -> AsyncIterator[Scene]:
    async with playing(zone.stack) as judge, opened(zone.stack.gate()) as gate:
        yield Scene(judge, gate, zone.keys)


@pytest.mark.parametrize("flaw", REJECTED)
async def test_a_false_verdict_is_rejected_and_the_genuine_one_after_it_is_obeyed(
    scene: Scene, flaw: str
) -> None:
    forge, why = REJECTED[flaw]
    asked = await scene.propose()
    await scene.judge.say(asked.heard, forge(scene, asked.heard))
    await scene.obeys(asked)
    assert scene.ignored == {"rejected": 1}
    assert asked.waiting is not None
    assert why in asked.waiting.rejected
    assert len(scene.executed) == 1


@pytest.mark.parametrize("flaw", UNADDRESSED)
async def test_a_verdict_for_nobody_who_waits_is_ignored_and_the_genuine_one_after_it_is_obeyed(
    scene: Scene, flaw: str
) -> None:
    forge, counted_as = UNADDRESSED[flaw]
    asked = await scene.propose()
    await scene.judge.say(asked.heard, forge(scene, asked.heard))
    await scene.obeys(asked)
    assert scene.ignored == {counted_as: 1}
    assert len(scene.executed) == 1


async def test_a_genuine_verdict_that_comes_after_the_deadline_executes_nothing(
    scene: Scene,
) -> None:
    asked = await scene.propose(valid_for_ms=SHORT_MS)
    held_back = scene.allow(asked.heard)
    with pytest.raises(NoVerdictError, match="nothing was executed"):
        await asked.acting
    await scene.judge.say(asked.heard, held_back)
    again = await scene.propose()
    await scene.judge.say(again.heard, held_back)
    assert scene.executed == []
    await scene.obeys(again)
    assert scene.ignored == {"not_waiting": 2}
    assert len(scene.executed) == 1


async def test_a_late_verdict_s_action_is_reported_as_without_a_verdict(
    scene: Scene, zone: Zone
) -> None:
    asked = await scene.propose(valid_for_ms=SHORT_MS)
    with pytest.raises(NoVerdictError):
        await asked.acting
    await scene.judge.say(asked.heard, scene.allow(asked.heard))
    await scene.obeys(await scene.propose())
    ours = str(asked.heard.action.id).encode()
    (record,) = await zone.stack.read(
        "outcomes", 1, but=lambda one: dict(one.headers)["ce_subject"] != ours
    )
    outcome = decode(Outcome, record.value)
    assert (outcome.status, outcome.executed_digest) == (Status.NO_VERDICT, None)


async def test_a_genuine_verdict_that_stands_twice_is_obeyed_once_and_never_for_another_action(
    scene: Scene,
) -> None:
    first = await scene.propose()
    genuine = scene.allow(first.heard)
    await scene.judge.say(first.heard, genuine)
    await scene.judge.say(first.heard, genuine)
    await first.acting
    second = await scene.propose()
    renamed = with_header(genuine, "ce_subject", str(second.heard.action.id).encode())
    await scene.judge.say(second.heard, genuine)
    await scene.judge.say(second.heard, renamed)
    await scene.obeys(second)
    assert scene.ignored == {"not_waiting": 2, "rejected": 1}
    assert [statement for _, statement in scene.executed] == ["SELECT 1", "SELECT 1"]


async def test_an_allow_that_comes_after_a_denial_changes_nothing(scene: Scene) -> None:
    asked = await scene.propose()
    await scene.judge.say(asked.heard, scene.allow(asked.heard, decision=Decision.DENY))
    await scene.judge.say(asked.heard, scene.allow(asked.heard))
    with pytest.raises(ActionDeniedError):
        await asked.acting
    await scene.obeys(await scene.propose())
    assert scene.ignored == {"not_waiting": 1}
    assert len(scene.executed) == 1


async def test_verdicts_on_two_actions_that_wait_together_cannot_be_exchanged(scene: Scene) -> None:
    one, other = await scene.propose("SELECT 1"), await scene.propose("SELECT 2")
    for asked, rival in ((one, other), (other, one)):
        subject = str(asked.heard.action.id).encode()
        swapped = with_header(scene.allow(rival.heard), "ce_subject", subject)
        await scene.judge.say(asked.heard, swapped)
    await scene.obeys(other)
    await scene.obeys(one)
    assert scene.ignored == {"rejected": 2}
    assert [statement for _, statement in scene.executed] == ["SELECT 2", "SELECT 1"]


async def test_a_genuine_allow_of_another_executor_on_the_same_partition_is_not_obeyed(
    scene: Scene, zone: Zone
) -> None:
    settings = zone.stack.settings
    name = neighbour_of(settings.executor)
    known = Executor(name, zone.keys["next"], load_executor(settings).trust)
    channel = KafkaVerdictChannel(settings.bootstrap, name, settings.zone)
    async with opened(Gate(known, channel)) as gate:
        hers = await Scene(scene.judge, gate, zone.keys).propose()
        genuine = scene.allow(hers.heard)
        await scene.judge.say(hers.heard, genuine)
        await hers.acting
    ours = await scene.propose()
    stolen = with_header(genuine, "ce_subject", str(ours.heard.action.id).encode())
    await scene.judge.say(ours.heard, genuine)
    await scene.judge.say(ours.heard, stolen)
    await scene.obeys(ours)
    assert hers.heard.action.reply_partition == ours.heard.action.reply_partition
    assert ours.waiting is not None
    assert "`ce_subject` differs" in ours.waiting.rejected
    assert scene.ignored["rejected"] == 1
    assert len(scene.executed) == 1


async def test_only_the_rewrite_that_the_judge_signed_runs(scene: Scene) -> None:
    asked = await scene.propose()
    await scene.judge.say(asked.heard, changed((b"LIMIT 10", b"LIMIT 99"))(scene, asked.heard))
    await scene.judge.say(asked.heard, scene.allow(asked.heard, rewrite=REWRITE))
    await asked.acting
    assert scene.ignored == {"rejected": 1}
    assert [statement for _, statement in scene.executed] == [REWRITE.text]


async def test_what_the_running_judge_said_is_obeyed_once_however_often_it_is_published(
    stack: Stack,
) -> None:
    stack.judge.start()
    async with opened(stack.gate()) as gate:
        first = await gate.propose(sql("SELECT 1"), PATIENT_MS)
        (said,) = await stack.read(
            "verdicts", 1, but=lambda one: json.loads(one.value)["id"] != str(first.id)
        )
        before = Counter(gate.ignored)
        for _ in range(2):
            await publish(stack, said, list(said.headers))
        second = await answered_while_judge_sleeps(stack, gate, said)
        ignored = Counter(gate.ignored) - before
    assert (first.decision, second.decision) == (Decision.ALLOW, Decision.ALLOW)
    assert first.id != second.id
    assert ignored == {"not_waiting": 2, "rejected": 1}


async def answered_while_judge_sleeps(stack: Stack, gate: Gate, said: Any) -> Verdict:
    """The judge's verdict on the same statement again, after an old one was published in its name."""
    assert stack.judge.pid is not None
    os.kill(stack.judge.pid, signal.SIGSTOP)
    try:
        waiting = asyncio.create_task(gate.propose(sql("SELECT 1"), PATIENT_MS))
        *_, sent = await stack.read("actions", 2, but=lambda one: one.key != KEY)
        subject = dict(sent.headers)["ce_subject"]
        renamed = [(name, subject if name == "ce_subject" else old) for name, old in said.headers]
        await publish(stack, said, renamed)
    finally:
        os.kill(stack.judge.pid, signal.SIGCONT)
    return await waiting


async def publish(stack: Stack, said: Any, headers: list[tuple[str, bytes]]) -> None:
    await stack.write("verdicts", said.value, said.key, headers, said.partition)
