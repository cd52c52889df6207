"""
Keeps the World of a judge current from the control topics.

    principals, grants, approvals, controls ──▶ Administration ──▶ World, replaced between two actions
    policies ──▶ newest that loads, in a thread ──────────────────────▲
    ends of the topics, asked again and again ──▶ Freshness ──▶ stale()

While the broker is away the feed goes stale by itself; it goes on where it stood.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaError

from enforcers.administration import Administration, ControlRecord
from enforcers.contract.control import Control
from enforcers.contract.finding import Finding
from enforcers.contract.trust import Trust
from enforcers.errors import BrokerError
from enforcers.policy.engine import PolicyEngine
from enforcers.world import World
from streams.control_reader import ControlReader
from streams.freshness import Freshness
from streams.policy_choice import LoadPolicy, PolicyChoice
from streams.sieve import Sieve
from streams.topics import CONTROL_TOPICS, CONTROLS, POLICIES

log = logging.getLogger("sluicegate.judge")

FORGET_EVERY = timedelta(hours=1)
MOST_FINDINGS = 100
"""Within FORGET_EVERY: who can write to Kafka must not be able to flood alerting, nor logs, nor this judge."""
EVERY = frozenset(topic.name for topic in CONTROL_TOPICS)


def _log_fatal(why: str) -> None:
    log.critical("%s; nothing is allowed any more", why)


class WorldFeed:
    """
    `current` is what a judge decides in; `stale()` says why it must not allow at this moment.

    `report` gets what is odd, also before `start` returns; `fatal` is called where the feed cannot go on.
    """

    def __init__(
        self,
        bootstrap: str,
        zone: str,
        base: World,
        trust: Trust,
        load_policy: LoadPolicy,
        report: Callable[[Finding], None],
        fatal: Callable[[str], None] = _log_fatal,
        freshness: Freshness | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._current = base
        self._report = report
        self._fatal = fatal
        self._freshness = freshness or Freshness()
        self._administration = Administration(trust, base.principals, base.judge)
        self._choice = PolicyChoice(base.judge, load_policy, self._swap, report, fatal)
        self._reader = ControlReader(bootstrap, zone, self._take, self._freshness)
        self._own: dict[UUID, Control] = {}
        self._newest = self._forgot = datetime.fromtimestamp(0, UTC)
        """Append time of the newest record, and as of when old ones were forgotten."""
        self._told = 0
        self._sieve = Sieve(trust)
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def current(self) -> World:
        """The newest snapshot; it never changes itself."""
        return self._current

    def stale(self) -> str:
        """Why `current` may not hold any more; empty where it was known to hold within the last second."""
        return self._freshness.stale()

    def quarantine(self, control: Control) -> None:
        """Let this judge's own quarantine hold at once, before Kafka has it."""
        self._own[control.control] = control
        self._renew({CONTROLS.name})

    async def start(self) -> None:
        """Read every control topic to its end, load the policy, and follow. Raises BrokerError."""
        try:
            await self._reader.open()
            await self._choice.choose(self._administration.publications)
            # That took a while, so what came meanwhile is read as well.
            await self._reader.catch_up()
        except (KafkaError, OSError) as error:
            await self._reader.close()
            raise BrokerError(
                f"control topics cannot be read from {self._bootstrap}: {type(error).__name__};"
                " check that the broker runs"
            ) from error
        except BaseException:
            await self._reader.close()
            raise
        self._forget()
        self._task = asyncio.get_running_loop().create_task(self._follow())
        self._choice.begin(self._administration.publications)

    async def stop(self) -> None:
        """Disconnect; from then on the feed is stale."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._choice.stop()
        await self._reader.close()

    async def _follow(self) -> None:
        try:
            await self._reader.follow()
        except BaseException as error:
            if not self._stopping:
                # However it ended: nobody would learn of a revocation any more.
                self._fatal(f"the feed of control topics failed: {error!r}")
            raise

    def _take(self, records: Sequence[ControlRecord]) -> None:
        """Take records in, and let them hold before anything else runs."""
        changed = set()
        for record in records:
            self._newest = max(self._newest, record.appended)
            if self._told >= MOST_FINDINGS and not self._sieve.keeps(record):
                continue
            finding = self._administration.apply(record)
            if finding is None:
                changed.add(record.topic)
            else:
                self._tell(finding)
        if self._task is None:
            # The start makes one snapshot of everything.
            return
        self._renew(changed)
        if POLICIES.name in changed:
            self._choice.begin(self._administration.publications)
        if self._newest - self._forgot > FORGET_EVERY:
            self._forget()

    def _renew(self, changed: set[str] | frozenset[str]) -> None:
        """A new snapshot where something changed; what did not is shared with the last one."""
        known = self._administration
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "principals": lambda: {"principals": known.principals},
            "grants": lambda: {"grants": known.grants},
            "approvals": lambda: {"votes": known.votes},
            "controls": lambda: {
                "quarantines": self._quarantines(),
                "forgiven": known.forgiven,
            },
        }
        fields: dict[str, Any] = {}
        for name in changed & parts.keys():
            fields |= parts[name]()
        if fields:
            self._current = replace(self._current, **fields)

    def _quarantines(self) -> tuple[Control, ...]:
        """Those of the records, and our own as long as no record speaks of them."""
        known = self._administration
        for one in [one for one in self._own if known.version_of(CONTROLS.name, str(one))]:
            del self._own[one]
        return (*known.quarantines, *self._own.values())

    def _swap(self, policy: PolicyEngine) -> None:
        log.info("policy %s holds", policy.hash)
        self._current = replace(self._current, policy=policy)

    def _forget(self) -> None:
        """Drop what cannot matter any more, so that memory is bounded."""
        if self._sieve.passed_over:
            log.warning("%d more control records that nobody signed", self._sieve.passed_over)
        self._forgot, self._told, self._sieve.passed_over = self._newest, 0, 0
        self._administration.forget(self._newest)
        self._own = {
            name: one
            for name, one in self._own.items()
            if one.expires_at is None or one.expires_at >= self._newest
        }
        self._renew(EVERY)

    def _tell(self, finding: Finding) -> None:
        self._told += 1
        if self._told <= MOST_FINDINGS:
            log.warning("%s: %s", finding.code, finding.message)
            self._report(finding)
