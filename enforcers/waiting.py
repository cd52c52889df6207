"""
Waiting actions, and the procedure by which one record becomes the verdict of one of them.

INVARIANT: a verdict is obeyed once, for an action that waits here, and only after all eight checks.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from enforcers.contract.action import Action
from enforcers.contract.base import utc_now
from enforcers.contract.digest import sha256_hex
from enforcers.contract.record import SignedRecord, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ContractError, NoVerdictError


@dataclass(eq=False)
class Waiting:
    """One action that was sent and has no verdict yet."""

    action: Action
    value: bytes
    digest: str
    deadline: float
    """On this process's monotonic clock, in seconds."""
    answer: asyncio.Future[Verdict] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    rejected: str = ""
    """Why the last record that claimed to be its verdict was not obeyed."""

    @property
    def key(self) -> bytes:
        """Record key: the principal's id, so that one judge sees all that the principal does."""
        return self.action.proposal.principal.id.encode()


class WaitingRoom:
    """A bounded table of waiting actions of one executor."""

    def __init__(
        self,
        executor: str,
        trust: Trust,
        limit: int,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._executor = executor
        self._trust = trust
        self._limit = limit
        self._monotonic = monotonic
        self._now = now
        self._memory = RootMemory()
        self._waiting: dict[bytes, Waiting] = {}
        self.ignored: Counter[str] = Counter()

    def enter(self, waiting: Waiting) -> None:
        """Start to wait. Raises NoVerdictError where too many wait already."""
        if len(self._waiting) >= self._limit:
            raise NoVerdictError(
                f"{self._limit} actions wait for a verdict already; propose fewer at a time"
            )
        self._waiting[str(waiting.action.id).encode()] = waiting

    def leave(self, waiting: Waiting) -> None:
        """Stop to wait; whatever comes later is ignored."""
        self._waiting.pop(str(waiting.action.id).encode(), None)

    def fail_all(self, why: str) -> None:
        """Give up on everything that waits."""
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(NoVerdictError(f"{why}; nothing was executed"))

    async def verdict(self, waiting: Waiting) -> Verdict:
        """The verified verdict. Raises NoVerdictError at the deadline, saying what was seen instead."""
        remaining = waiting.deadline - self._monotonic()
        try:
            async with asyncio.timeout(remaining):
                return await waiting.answer
        except TimeoutError:
            waited = f"no verdict for action `{waiting.action.id}` after {waiting.action.valid_for_ms} ms"
            seen = f" (ignored: {waiting.rejected})" if waiting.rejected else ""
            raise NoVerdictError(
                f"{waited}{seen}; nothing was executed, check that a judge is running"
            ) from None

    def receive(self, record: SignedRecord) -> None:
        """Look at one record of the reply partition; obey it, or count why not."""
        # (1) It is for an action that waits here. Late, foreign and second verdicts end at this line.
        try:
            headers = header_map(record.headers)
        except ContractError:
            self.ignored["malformed"] += 1
            return
        waiting = self._waiting.get(headers.get("ce_subject", b""))
        if waiting is None or waiting.answer.done():
            self.ignored["not_waiting"] += 1
            return
        try:
            verdict = self._verified(waiting, record, headers)
        except ContractError as error:
            waiting.rejected = str(error)
            self.ignored["rejected"] += 1
            return
        waiting.answer.set_result(verdict)

    def _verified(
        self, waiting: Waiting, record: SignedRecord, headers: dict[str, bytes]
    ) -> Verdict:
        # (2) A pinned judge key signed these bytes as a verdict.
        key = check_signature(
            Verdict, record.value, headers, self._trust, Role.JUDGE, self._now(), self._memory
        )
        # (3) The bytes are one verdict, and the headers repeat them.
        verdict = decode(Verdict, record.value)
        check_headers(verdict, headers, verdict.judge)
        # (4) The judge speaks for itself.
        if verdict.judge != key.id:
            raise ContractError(f"verdict names judge `{verdict.judge}` but `{key.id}` signed it")
        # (5) It is about the action that waits, (6) about its exact bytes, and (7) for this executor.
        if verdict.action_id != waiting.action.id or verdict.action_digest != waiting.digest:
            raise ContractError("verdict is about other bytes than those that were sent")
        if verdict.executor != self._executor:
            raise ContractError(f"verdict is for executor `{verdict.executor}`")
        # (8) A rewrite is the one that was signed, and there is time left to act.
        if (
            verdict.rewrite is not None
            and sha256_hex(verdict.rewrite.text.encode()) != verdict.rewrite.digest
        ):
            raise ContractError("verdict's rewrite does not match its digest")
        if (
            verdict.decision is Decision.ALLOW
            and not 0 < verdict.valid_for_ms <= waiting.action.valid_for_ms
        ):
            raise ContractError("verdict allows for longer than was asked")
        spare_s = (waiting.action.valid_for_ms - verdict.valid_for_ms) / 1000
        if verdict.decision is Decision.ALLOW and self._monotonic() >= waiting.deadline - spare_s:
            raise ContractError("verdict came too late")
        return verdict
