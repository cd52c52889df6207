"""Law 4 on a real broker: nothing that is forged, copied or misplaced is ever obeyed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from uuid import UUID

import pytest
from nacl.signing import SigningKey

from console.identity import load_executor
from enforcers.contract.action import Action
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.signing import Signer
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import decode, encode
from enforcers.errors import NoVerdictError
from streams.routing import actions_partition, reply_partition
from streams.topics import ACTIONS_PARTITIONS
from tests.integration.played_judge import Heard, signed, verdict_on
from tests.integration.stack import Stack, sql

pytestmark = pytest.mark.kafka
KEY = b"agent:local"


def action_of(
    stack: Stack, zone: str | None = None, **changes: object
) -> tuple[Action, SignedRecord]:
    """A valid signed action of the zone's executor; for another zone where one is named."""
    executor = load_executor(stack.settings)
    signer = executor.signer if zone is None else replace(executor.signer, zone=zone)
    fields: dict[str, object] = {
        "id": uuid7(),
        "proposal": sql("SELECT 1"),
        "executor": executor.id,
        "reply_partition": reply_partition(executor.id),
        "issued_at": utc_now(),
        "nonce": os.urandom(16).hex(),
    }
    action = Action.model_validate(fields | changes)
    (record,) = seal([Draft(action, encode(action))], signer, executor.id)
    return action, record


async def answers(stack: Stack, count: int, *actions: Action) -> dict[UUID, list[tuple[str, str]]]:
    """Decision and first reason's code of the first `count` verdicts on these actions."""
    wanted = {str(action.id).encode() for action in actions}
    found: dict[UUID, list[tuple[str, str]]] = {}
    for record in await stack.read(
        "verdicts", count, but=lambda one: dict(one.headers)["ce_subject"] not in wanted
    ):
        verdict = decode(Verdict, record.value)
        code = verdict.reasons[0].code if verdict.reasons else ""
        found.setdefault(verdict.action_id, []).append((verdict.decision.value, code))
    return found


async def test_actions_that_are_forged_replayed_or_misrouted_are_denied(judged: Stack) -> None:
    stack = judged
    good, record = action_of(stack)
    await stack.write("actions", record.value, KEY, list(record.headers))
    await stack.write("actions", record.value, KEY, list(record.headers))
    foreign, plain = action_of(stack)
    stranger = Signer(SigningKey.generate(), stack.settings.zone)
    (forged,) = seal([Draft(foreign, plain.value)], stranger, foreign.executor)
    await stack.write("actions", forged.value, KEY, list(forged.headers))
    lost, elsewhere = action_of(stack)
    wrong = (actions_partition(KEY) + 1) % ACTIONS_PARTITIONS
    await stack.write("actions", elsewhere.value, KEY, list(elsewhere.headers), wrong)
    renamed, differing = action_of(stack)
    headers = [
        (name, b"executor-2" if name == "ce_source" else value) for name, value in differing.headers
    ]
    await stack.write("actions", differing.value, KEY, headers)
    copied, copy = action_of(stack, zone="elsewhere")
    await stack.write("actions", copy.value, KEY, list(copy.headers))
    found = await answers(stack, 6, good, foreign, lost, renamed, copied)
    assert found == {
        good.id: [("allow", ""), ("deny", "replayed")],
        foreign.id: [("deny", "untrusted_signature")],
        lost.id: [("deny", "misrouted")],
        renamed.id: [("deny", "malformed")],
        copied.id: [("deny", "untrusted_signature")],
    }


async def test_unreadable_actions_go_to_dead_letters_and_are_answered_where_an_address_can_be_read(
    judged: Stack,
) -> None:
    stack = judged
    action, record = action_of(stack)
    big = record.value[:-1] + b',"padding":"' + b"x" * 262_144 + b'"}'
    written = [
        await stack.write("actions", big, KEY, list(record.headers)),
        await stack.write("actions", b"\xff\xfe not utf-8", KEY),
        await stack.write("actions", b'{"id": 1', KEY),
        await stack.write("actions", record.value[:-1] + b',"extra":1}', KEY, list(record.headers)),
    ]
    offsets = {one.offset for one in written}
    letters = await stack.read(
        "dead-letters", 4, but=lambda one: json.loads(one.value)["offset"] not in offsets
    )
    found = await answers(stack, 2, action)
    assert len(letters) == len(offsets) == 4
    assert found == {action.id: [("deny", "oversized"), ("deny", "malformed")]}


@pytest.mark.prove
async def test_an_action_that_waited_too_long_is_denied_as_stale(stack: Stack) -> None:
    action, record = action_of(stack)
    await stack.write("actions", record.value, KEY, list(record.headers))
    await asyncio.sleep(5.5)
    stack.judge.start()
    assert await answers(stack, 1, action) == {action.id: [("deny", "stale")]}


async def test_a_judge_that_takes_over_knows_what_was_seen_before_it(judged: Stack) -> None:
    stack = judged
    action, record = action_of(stack)
    await stack.write("actions", record.value, KEY, list(record.headers))
    await answers(stack, 1, action)
    await stack.acknowledged()
    stack.judge.kill()
    stack.judge.start()
    await stack.write("actions", record.value, KEY, list(record.headers))
    found = (await answers(stack, 2, action))[action.id]
    assert found[0] == ("allow", "")
    assert set(found[1:]) <= {
        ("deny", "replayed"),
        ("deny", "stale"),
        ("deny", "expired"),
        ("allow", ""),
    }
    assert found[-1][0] == "deny"


@pytest.mark.prove
async def test_forged_verdicts_are_not_obeyed(stack: Stack) -> None:
    stack.judge.start()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    assert stack.judge.pid is not None
    os.kill(stack.judge.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(gate.propose(sql("SELECT 1"), valid_for_ms=5_000))
    (sent,) = await stack.read("actions", 1, but=lambda one: one.key != KEY)
    action = decode(Action, sent.value)
    executor = load_executor(stack.settings)
    for signer, judge_id in (
        (executor.signer, "judge-1"),
        (Signer(SigningKey.generate(), stack.settings.zone), "judge-1"),
    ):
        heard = Heard(action, SignedRecord(sent.value, tuple(sent.headers)))
        record = signed(verdict_on(heard, judge_id), signer, judge_id)
        await stack.write(
            "verdicts", record.value, b"executor-1", list(record.headers), action.reply_partition
        )
    with pytest.raises(NoVerdictError, match="not trusted as judge"):
        await waiting
    os.kill(stack.judge.pid, signal.SIGCONT)
    assert gate.ignored["rejected"] == 2
    await gate.close()


@pytest.mark.prove
async def test_a_judge_that_slept_does_not_allow_what_is_over(stack: Stack) -> None:
    stack.judge.start()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    assert stack.judge.pid is not None
    os.kill(stack.judge.pid, signal.SIGSTOP)
    with pytest.raises(NoVerdictError):
        await gate.propose(sql("SELECT 1"), valid_for_ms=500)
    os.kill(stack.judge.pid, signal.SIGCONT)
    (sent,) = await stack.read("actions", 1, but=lambda one: one.key != KEY)
    action = decode(Action, sent.value)
    found = await answers(stack, 1, action)
    assert found[action.id][0] in {("deny", "expired"), ("deny", "stale")}
    await gate.close()
