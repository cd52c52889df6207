"""
Which of the published policies holds: the newest that loads.

    publications, newest first ──load in a thread──┬─ loads, and is what its digest says ──▶ swap
                                                   └─ does not ──▶ finding; the last good one stays

Judging goes on while a policy is loaded; the swap happens between two actions.

INVARIANT: a judge that starts never goes back behind a policy that held. Where none of those that are kept loads and
older ones were forgotten, it does not begin: the policy of its own machine may have been replaced long ago.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from uuid import UUID

from enforcers.administration.publications import MOST
from enforcers.contract.base import utc_now, uuid7_of
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.publication import Publication
from enforcers.errors import PolicyError, SluicegateError
from enforcers.policy.engine import PolicyEngine

LoadPolicy = Callable[[Publication], PolicyEngine]
"""Checks, compiles and tests a publication's files. Raises PolicyError."""

LOAD_PATIENCE_S = 60.0
"""A bundle whose own tests take longer is refused."""


class PolicyChoice:
    """Chooses, and says by a finding what it refused. Each publication is refused once."""

    def __init__(
        self,
        source: str,
        load: LoadPolicy,
        swap: Callable[[PolicyEngine], None],
        report: Callable[[Finding], None],
        fatal: Callable[[str], None],
    ) -> None:
        self._source = source
        self._load = load
        self._swap = swap
        self._report = report
        self._fatal = fatal
        self._version = 0
        """Of the publication that holds; 0 while none does."""
        self._begun = False
        """Whether a first choice was made: from then on each publication is tried when it comes."""
        self._refused: set[UUID] = set()
        self._wanted: Sequence[Publication] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, publications: Sequence[Publication]) -> None:
        """Choose in the background; once more afterwards where newer ones come meanwhile."""
        self._wanted = publications
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """End what was begun."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while (wanted := self._wanted) is not None:
                self._wanted = None
                await self.choose(wanted)
        except Exception as error:
            self._fatal(f"the choice of a policy failed: {error!r}")

    async def choose(self, publications: Sequence[Publication]) -> None:
        """
        Let the newest that loads hold, if it is newer than the one that does.

        Raises PolicyError where, at the start, the one that holds may be among those that were forgotten.
        """
        first, self._begun = not self._begun, True
        for one in sorted(publications, key=lambda one: one.issue.version, reverse=True):
            if one.issue.version <= self._version:
                return
            if one.id in self._refused:
                continue
            try:
                engine = await self._loaded(one)
            except PolicyError as error:
                self._refuse(one, error)
            else:
                self._version = one.issue.version
                self._swap(engine)
                return
        if first and _forgotten(publications):
            raise PolicyError(
                f"none of the last {len(publications)} published policies loads, and older ones are"
                " not kept; publish one that loads, then start the judge again"
            )

    async def _loaded(self, publication: Publication) -> PolicyEngine:
        try:
            async with asyncio.timeout(LOAD_PATIENCE_S):
                engine = await asyncio.to_thread(self._load, publication)
        except TimeoutError as error:
            raise PolicyError(
                f"it did not load within {LOAD_PATIENCE_S:.0f} s; give it fewer tests"
            ) from error
        except Exception as error:
            # Whatever a loader raises, this policy did not load.
            said = str(error) if isinstance(error, SluicegateError) else repr(error)
            raise PolicyError(said) from error
        if engine.hash != publication.digest:
            raise PolicyError(
                f"its files have the hash {engine.hash}, not {publication.digest} as it says;"
                " publish it with the same release as the judges run"
            )
        return engine

    def _refuse(self, publication: Publication, error: PolicyError) -> None:
        self._refused.add(publication.id)
        issue = publication.issue
        seed = hashlib.sha256(f"{self._source} {publication.id}".encode()).digest()
        self._report(
            Finding(
                id=uuid7_of(max(0, int(issue.at.timestamp() * 1000)), seed[:10]),
                code="policy_refused",
                severity=Severity.ALERT,
                about=publication.bundle,
                message=f"version {issue.version} of the policy, published by `{issue.by}`, was"
                f" refused; the last good one stays: {error}"[:2_000],
                remedy="correct the bundle, run `sluicegate policy lint` and publish it again",
                source=self._source,
                at=utc_now(),
                evidence=(publication.digest,),
            )
        )


def _forgotten(publications: Sequence[Publication]) -> bool:
    """Whether there may have been older ones than these."""
    return len(publications) >= MOST and min(one.issue.version for one in publications) > 1
