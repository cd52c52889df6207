"""The procedure by which one record becomes the verdict of one waiting action, and every other record does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enforcers.contract.action import Action
from enforcers.contract.digest import action_digest, sha256_hex
from enforcers.contract.record import SignedRecord
from enforcers.contract.signing import leaf_of
from enforcers.contract.trust import Role, TrustFile, build_trust
from enforcers.contract.verdict import Decision, Rewrite, Verdict
from enforcers.contract.wire import TYPES, encode
from enforcers.errors import NoVerdictError
from enforcers.waiting import Waiting, WaitingRoom


@dataclass
class Bench:
    """A room with one waiting action, a clock that stands still, and a judge that signs whatever is asked."""

    cast: Any
    room: WaitingRoom
    waiting: Waiting
    build: Callable[..., Verdict]
    at: list[float] = field(default_factory=lambda: [0.0])

    def signed(self, signer: Any = None, of: Action | None = None, **changes: Any) -> SignedRecord:
        """A verdict, by default the judge's allow for the waiting action."""
        verdict = self.build(of or self.waiting.action, **changes)
        record: SignedRecord = self.cast.sign(verdict, signer or self.cast.judge, verdict.judge)
        return record

    @property
    def obeyed(self) -> Verdict | None:
        """The verdict that was accepted."""
        return self.waiting.answer.result() if self.waiting.answer.done() else None


def waiting_for(sent: Action) -> Waiting:
    value = encode(sent)
    return Waiting(sent, value, action_digest(value), deadline=sent.valid_for_ms / 1_000)


@pytest.fixture
async def bench(
    cast: Any, action: Callable[..., Action], verdict: Callable[..., Verdict], now: datetime
) -> AsyncIterator[Bench]:
    """One waiting action, sent at second 0 and valid for one second."""
    at = [0.0]
    room = WaitingRoom("executor-1", cast.trust, 2, monotonic=lambda: at[0], now=lambda: now)
    waiting = waiting_for(action())
    room.enter(waiting)
    yield Bench(cast, room, waiting, verdict, at)
    waiting.answer.cancel()


async def test_the_judges_verdict_is_obeyed_once(bench: Bench) -> None:
    first = bench.signed()
    bench.room.receive(first)
    bench.room.receive(bench.signed(decision=Decision.DENY))
    bench.room.receive(first)
    assert bench.obeyed == bench.build(bench.waiting.action)
    assert bench.room.ignored == {"not_waiting": 2}
    assert await bench.room.verdict(bench.waiting) == bench.obeyed


def altered(record: SignedRecord) -> SignedRecord:
    return replace(record, value=record.value.replace(b'"would_deny":false', b'"would_deny":true'))


def rewrite(text: str, of: str) -> Rewrite:
    return Rewrite(text=text, digest=sha256_hex(of.encode()))


NOT_OBEYED: dict[str, tuple[Callable[[Bench], SignedRecord], str]] = {
    "forged by a stranger": (lambda b: b.signed(b.cast.stranger), "not trusted as judge"),
    "signed by the executor itself": (lambda b: b.signed(b.cast.executor), "not trusted as judge"),
    "signed by another executor": (lambda b: b.signed(b.cast.other_executor), "not trusted as judge"),
    "altered on the way": (lambda b: altered(b.signed()), "does not match the record"),
    "about other bytes": (lambda b: b.signed(action_digest="0" * 64), "other bytes"),
    "about another action in the same words": (
        lambda b: retold(b, b.signed(action_id=UUID(int=5))), "`ce_subject` differs",
    ),
    "for another executor": (lambda b: b.signed(executor="executor-2"), "for executor `executor-2`"),
    "by a judge under another name": (lambda b: b.signed(judge="judge-2"), "`judge-1` signed it"),
    "valid for longer than was asked": (lambda b: b.signed(valid_for_ms=1_001), "longer than was asked"),
    "valid for no time": (lambda b: b.signed(valid_for_ms=0), "longer than was asked"),
    "with a rewrite of another digest": (
        lambda b: b.signed(rewrite=rewrite("DROP TABLE t", of="SELECT 2")), "does not match its digest",
    ),
    "with a rewrite tampered on the way": (
        lambda b: tampered(b.signed(rewrite=rewrite("SELECT 2", of="SELECT 2"))), "does not match the record",
    ),
    "not a verdict but signed as one": (lambda b: junk(b, b'{"decision":"allow"}'), "refused at"),
    "no JSON but signed": (lambda b: junk(b, b"\xff\xff"), "no JSON"),
    "an action's bytes signed by the judge": (lambda b: echoed(b), "does not match the record"),
}  # fmt: skip


def retold(bench: Bench, record: SignedRecord) -> SignedRecord:
    return relabelled(record, "ce_subject", str(bench.waiting.action.id).encode())


def relabelled(record: SignedRecord, name: str, value: bytes) -> SignedRecord:
    return replace(
        record, headers=tuple((key, value if key == name else old) for key, old in record.headers)
    )


def tampered(record: SignedRecord) -> SignedRecord:
    return replace(record, value=record.value.replace(b"SELECT 2", b"DELETE 2"))


def junk(bench: Bench, value: bytes) -> SignedRecord:
    (sig,) = bench.cast.judge.sign([leaf_of(TYPES[Verdict], value)])
    return relabelled(replace(bench.signed(), value=value), "sig", sig)


def echoed(bench: Bench) -> SignedRecord:
    record: SignedRecord = bench.cast.sign(bench.waiting.action, bench.cast.judge, "judge-1")
    return record


@pytest.mark.parametrize("what", NOT_OBEYED)
async def test_a_verdict_that_is_not_obeyed(bench: Bench, what: str) -> None:
    """Laws 1 and 4: none of these becomes a permit, each is named, and the true verdict still counts after it."""
    make, named = NOT_OBEYED[what]
    bench.room.receive(make(bench))
    assert bench.obeyed is None
    assert named in bench.waiting.rejected
    assert bench.room.ignored == {"rejected": 1}
    bench.room.receive(bench.signed())
    assert bench.obeyed is not None


async def test_an_allow_copied_from_another_action_is_not_obeyed(
    bench: Bench, action: Callable[..., Action]
) -> None:
    """Law 4: the verdict binds the bytes."""
    harmless = bench.signed(of=action("SELECT 2", number=2))
    bench.room.receive(harmless)
    bench.room.receive(retold(bench, harmless))
    assert bench.obeyed is None
    assert bench.room.ignored == {"not_waiting": 1, "rejected": 1}


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "kid", "sig"])
async def test_a_verdict_whose_header_differs_is_not_obeyed(
    bench: Bench, with_changed_header: Callable[..., SignedRecord], name: str
) -> None:
    for value in (None, b"", b"other"):
        bench.room.receive(with_changed_header(bench.signed(), name, value))
    assert bench.obeyed is None
    assert bench.room.ignored == {"rejected": 3}


async def test_records_for_nobody_are_counted_and_forgotten(
    bench: Bench, with_changed_header: Callable[..., SignedRecord]
) -> None:
    record = bench.signed()
    bench.room.receive(with_changed_header(record, "ce_subject", None))
    bench.room.receive(with_changed_header(record, "ce_subject", b"\xff"))
    bench.room.receive(SignedRecord(b"", ()))
    bench.room.receive(replace(record, headers=record.headers * 2))
    assert bench.obeyed is None
    assert bench.room.ignored == {"not_waiting": 3, "malformed": 1}


@pytest.mark.parametrize(
    ("valid_for_ms", "seconds"), [(1_000, 1.0), (1_000, 60.0), (200, 0.2), (200, 0.5)]
)
async def test_an_allow_that_comes_late_is_not_obeyed(
    bench: Bench, valid_for_ms: int, seconds: float
) -> None:
    """Law 1: a late verdict; by the gate's own clock, and by the shorter time that the judge gave."""
    bench.at[0] = seconds
    bench.room.receive(bench.signed(valid_for_ms=valid_for_ms))
    assert bench.obeyed is None
    assert "too late" in bench.waiting.rejected


async def test_a_denial_is_heard_whatever_time_it_names(bench: Bench) -> None:
    bench.room.receive(bench.signed(decision=Decision.DENY, valid_for_ms=0))
    assert bench.obeyed is not None


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_judge_key_out_of_its_time_is_not_obeyed(
    cast: Any, action: Callable[..., Action], verdict: Callable[..., Verdict], now: datetime,
    trust_entry: Callable[..., Any], hours: int,
) -> None:  # fmt: skip
    key = trust_entry(
        "judge-1", Role.JUDGE, cast.judge, not_before=now, not_after=now + timedelta(minutes=1)
    )
    room = WaitingRoom(
        "executor-1", build_trust(TrustFile(keys=(key,))), 1,
        monotonic=lambda: 0.0, now=lambda: now + timedelta(hours=hours),
    )  # fmt: skip
    bench = Bench(cast, room, waiting_for(action()), verdict)
    room.enter(bench.waiting)
    room.receive(bench.signed())
    assert bench.obeyed is None
    assert "not valid now" in bench.waiting.rejected


async def test_silence_says_what_was_ignored(bench: Bench) -> None:
    """Law 1: the error says which of these it was."""
    bench.room.receive(bench.signed(bench.cast.stranger))
    bench.at[0] = 1.0
    with pytest.raises(
        NoVerdictError,
        match=r"after 1000 ms \(ignored: .*not trusted as judge.*nothing was executed",
    ):
        await bench.room.verdict(bench.waiting)


async def test_nobody_waits_any_longer_after_leaving(bench: Bench) -> None:
    bench.room.leave(bench.waiting)
    bench.room.leave(bench.waiting)
    bench.room.receive(bench.signed())
    assert bench.obeyed is None
    assert bench.room.ignored == {"not_waiting": 1}


async def test_the_room_is_bounded(bench: Bench, action: Callable[..., Action]) -> None:
    second, third = (waiting_for(action(number=number)) for number in (2, 3))
    bench.room.enter(second)
    with pytest.raises(NoVerdictError, match="2 actions wait for a verdict already"):
        bench.room.enter(third)
    bench.room.leave(second)
    bench.room.enter(third)


async def test_a_lost_connection_fails_everything_that_waits_and_nothing_that_was_answered(
    bench: Bench, action: Callable[..., Action]
) -> None:
    answered = waiting_for(action(number=2))
    bench.room.enter(answered)
    bench.room.receive(bench.signed(of=answered.action))
    bench.room.fail_all("broker is gone")
    with pytest.raises(NoVerdictError, match="broker is gone; nothing was executed"):
        await bench.room.verdict(bench.waiting)
    assert (await bench.room.verdict(answered)).decision is Decision.ALLOW


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_changed_byte_of_a_verdict_is_obeyed(
    cast: Any,
    action: Callable[..., Action],
    verdict: Callable[..., Verdict],
    now: datetime,
    data: st.DataObject,
) -> None:
    """Law 4. Two headers say nothing about the verdict and are not read."""

    async def attempt() -> None:
        room = WaitingRoom("executor-1", cast.trust, 1, monotonic=lambda: 0.0, now=lambda: now)
        bench = Bench(cast, room, waiting_for(action()), verdict)
        room.enter(bench.waiting)
        record = bench.signed()
        name, value = data.draw(st.sampled_from([("value", record.value), *record.headers]))
        at, bit = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 7))
        flipped = value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :]
        room.receive(
            replace(record, value=flipped) if name == "value" else relabelled(record, name, flipped)
        )
        assert (bench.obeyed is not None) == (name in {"ce_specversion", "content-type"})

    asyncio.run(attempt())
