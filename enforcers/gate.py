"""
The gate: nothing runs until a verified verdict says so.

    proposal ──sign──▶ channel ──▶ judge ──▶ channel ──verify──▶ permit ──▶ outcome

INVARIANT: a proposal becomes a permit only by a verdict that a pinned judge signed over the very bytes that this
gate sent, while it was waiting for it, before its own monotonic deadline. Every other ending is an error that
says which one it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from enforcers.asking import Patience, Sign
from enforcers.channel import VerdictChannel
from enforcers.contract.action import (
    Action,
    CanaryPayload,
    Capability,
    Principal,
    PrincipalKind,
    Proposal,
    Signed,
    Target,
)
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.digest import action_digest
from enforcers.contract.outcome import Status
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Trust
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import encode
from enforcers.dispatch import Dispatcher
from enforcers.ending import Ending, ending_of, outcome_of
from enforcers.errors import ApprovalNeededError, NoVerdictError, SluicegateError
from enforcers.permit import Permit
from enforcers.refusing import refusal_of
from enforcers.waiting import Waiting, WaitingRoom

CANARY_VALID_MS = 1_000
CANARY_EVERY_S = 30.0
"""Shorter than the brokers' idle time-outs, so that no action pays for a new connection."""
REOPEN_EVERY_S = 0.2


@dataclass(frozen=True)
class Executor:
    """Who a gate acts for: its id and key, whom it trusts, and what it can do."""

    id: str
    signer: Signer
    trust: Trust
    capabilities: tuple[Capability, ...] = ()


class Gate:
    """
    Blocks proposals until a verdict. One per process and event loop.

    `sign` adds the principal's own signature to every proposal, where it has a key.
    """

    def __init__(
        self,
        executor: Executor,
        channel: VerdictChannel,
        *,
        limit: int = 1_024,
        sign: Sign | None = None,
    ) -> None:
        self._executor = executor
        self._sign = sign
        self._channel = channel
        self._room = WaitingRoom(executor.id, executor.trust, limit)
        self._dispatcher = Dispatcher(executor.id, executor.signer, channel, self._lost)
        self._shut_because = "it was never opened"
        self._closed = False
        self._keeper: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._asking = False
        self._losses = 0

    @property
    def ready(self) -> bool:
        """Whether a canary has come back since the last connection and the last silence."""
        return not self._shut_because and not self._wake.is_set() and not self._asking

    @property
    def ignored(self) -> dict[str, int]:
        """Records that were not obeyed, counted by reason."""
        return dict(self._room.ignored)

    async def open(self, timeout_s: float = 10.0) -> None:
        """Connect and wait for one answered canary. Raises NoVerdictError or BrokerError."""
        self._closed = False
        await self._channel.open(self._room.receive, self._lost)
        deadline = time.monotonic() + timeout_s
        while not await self._canary():
            if time.monotonic() >= deadline:
                await self._channel.close()
                raise NoVerdictError(
                    f"no judge answered within {timeout_s:g} s; start one with `sluicegate up`"
                )
        self._keeper = asyncio.get_running_loop().create_task(self._keep_open())

    async def close(self) -> None:
        """Fail what is waiting, send what is unsent, and disconnect."""
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._shut("it was closed")
        await self._dispatcher.drain()
        await self._channel.close()

    async def __aenter__(self) -> Gate:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def propose(self, proposal: Proposal, valid_for_ms: int = 1_000) -> Verdict:
        """Only the verified verdict; nothing may be run on it. Raises NoVerdictError or ContractError."""
        self._check_open()
        return await self._decided(self._send(proposal, valid_for_ms))

    @contextlib.asynccontextmanager
    async def admitted(
        self, proposal: Proposal, valid_for_ms: int = 1_000, wait_s: float = 0.0
    ) -> AsyncIterator[Permit]:
        """
        A permit for the body; the outcome is reported when the body ends, also when it raises.

        Where people must approve it, waits `wait_s` for them and proposes the same again, as actions of their own.
        Raises, before the body: ActionDeniedError, ApprovalNeededError, NoVerdictError, and ContractError for a
        proposal that cannot be sent.
        """
        waiting, permit = await self._admitted(proposal, valid_for_ms, Patience(wait_s))
        started = time.perf_counter()
        try:
            yield permit
        except BaseException as error:
            await self._end(waiting, permit, started, error)
            raise
        await self._end(waiting, permit, started, None)

    async def _admitted(
        self, proposal: Proposal, valid_for_ms: int, patience: Patience
    ) -> tuple[Waiting, Permit]:
        while True:
            if patience.left_s:
                # Before every proposal: a vote on what it asks for may come as soon as it is asked.
                await self._channel.listen()
            self._check_open()
            waiting = self._send(proposal, valid_for_ms)
            try:
                return waiting, await self._permit(waiting)
            except ApprovalNeededError as needed:
                if not await self._may_ask_again(needed.verdict, patience):
                    raise

    async def _may_ask_again(self, verdict: Verdict | None, patience: Patience) -> bool:
        """Wait for a vote; says whether there is time for another proposal. Raises NoVerdictError if closed."""
        if verdict is None or verdict.request is None or not patience.left_s:
            return False
        if not self._closed:
            patience.after(await self._channel.voted(verdict.request, patience.step_s))
            await asyncio.sleep(patience.breath_s)
        # Nothing is under way: a connection that is made anew meanwhile costs time and nothing else.
        while self._shut_because and not self._closed and patience.left_s:
            await asyncio.sleep(REOPEN_EVERY_S)
        self._check_open()
        return True

    async def _permit(self, waiting: Waiting) -> Permit:
        try:
            verdict = await self._decided(waiting)
        except (NoVerdictError, asyncio.CancelledError) as error:
            why = str(error) or "the caller gave up"
            self._dispatcher.report_later(
                outcome_of(waiting, None, Ending(Status.NO_VERDICT, error=why))
            )
            raise
        refusal = refusal_of(verdict, self._executor.capabilities)
        if refusal is None:
            return Permit(waiting.action, verdict, waiting.deadline)
        self._dispatcher.report_later(outcome_of(waiting, verdict, Ending(Status.BLOCKED)))
        raise refusal

    async def _end(
        self, waiting: Waiting, permit: Permit, started: float, error: BaseException | None
    ) -> None:
        permit.end()
        outcome = outcome_of(waiting, permit.verdict, ending_of(permit, started, error))
        await asyncio.shield(self._dispatcher.report(outcome))

    def _send(self, proposal: Proposal, valid_for_ms: int) -> Waiting:
        action = Action(
            id=uuid7(),
            proposal=proposal,
            signed=self._signature(proposal),
            executor=self._executor.id,
            capabilities=self._executor.capabilities,
            reply_partition=self._channel.reply_partition,
            issued_at=utc_now(),
            valid_for_ms=valid_for_ms,
            nonce=secrets.token_hex(16),
        )
        value = encode(action)
        waiting = Waiting(
            action, value, action_digest(value), time.monotonic() + valid_for_ms / 1000
        )
        self._room.enter(waiting)
        self._dispatcher.propose(waiting)
        return waiting

    def _signature(self, proposal: Proposal) -> Signed | None:
        canary = proposal.payload.kind == "canary"
        return None if canary or self._sign is None else self._sign(proposal, self._executor.id)

    async def _decided(self, waiting: Waiting) -> Verdict:
        try:
            return await self._room.verdict(waiting)
        except NoVerdictError:
            self._wake.set()
            raise
        finally:
            self._room.leave(waiting)

    async def _canary(self) -> bool:
        principal = Principal(id=f"canary:{self._executor.id}"[:200], kind=PrincipalKind.SERVICE)
        target = Target(system="canary", environment="canary")
        proposal = Proposal(principal=principal, target=target, payload=CanaryPayload())
        try:
            waiting = self._send(proposal, CANARY_VALID_MS)
        except NoVerdictError:
            # A full room says nothing about the judge; the gate stays as it is.
            return self._shut_because == ""
        losses = self._losses
        try:
            verdict = await self._room.verdict(waiting)
        except NoVerdictError as error:
            self._shut_because = str(error)
            return False
        finally:
            self._room.leave(waiting)
        if losses != self._losses:
            return False
        if any(one.code == "world_stale" for one in verdict.reasons):
            self._shut_because = f"the judge can allow nothing now: {verdict.reasons[0].message}"
            return False
        self._shut_because = ""
        return True

    def _check_open(self) -> None:
        if self._shut_because:
            raise NoVerdictError(f"gate is not open ({self._shut_because}); nothing was executed")

    def _lost(self, why: str) -> None:
        self._losses += 1
        self._shut(why)
        self._wake.set()

    def _shut(self, why: str) -> None:
        self._shut_because = why
        self._room.fail_all(f"connection to the judge was lost: {why}")

    async def _keep_open(self) -> None:
        """A canary every 30 s and after every silence; a new connection, behind a new canary, after every loss."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CANARY_EVERY_S):
                    await self._wake.wait()
            self._asking = self._wake.is_set()
            self._wake.clear()
            while not await self._canary():
                await asyncio.sleep(REOPEN_EVERY_S)
                with contextlib.suppress(SluicegateError):
                    await self._channel.close()
                    await self._channel.open(self._room.receive, self._lost)
            self._asking = False
