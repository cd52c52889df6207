"""
The later life of days, beside the writing: closed ones are sealed, old ones are dropped.

    roll-over ──▶ merged ──▶ sealed (on a thread of its own) ──▶ kept ──▶ dropped with a hole

Everything here follows from files, so that a start goes on where a kill broke it off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from analytics.archive.database import reported
from analytics.archive.manifests import DayManifest
from analytics.archive.publisher import Publisher
from analytics.archive.retention import Keeping, drop, due
from analytics.archive.sealing import changed_files, seal, unsealed
from analytics.log.note import NoteSigner

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What keeping an archive takes beside its files."""

    clock: Callable[[], datetime]
    signing: NoteSigner | None = None
    keeping: Keeping = field(default_factory=Keeping)


class Keeper:
    """Seals and drops one archive's days. Not thread-safe: the archive's one thread owns it."""

    def __init__(self, directory: Path, publisher: Publisher, means: Means) -> None:
        self._directory = directory
        self._publisher = publisher
        self._means = means
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="archive-seal")
        self._waiting: list[date] = []
        self._sealing: Future[DayManifest] | None = None
        self._looked: date | None = None
        """The day on which old days were last looked for; None: look now."""

    def start(self) -> None:
        """Go on where the last process stopped; the publisher has been started."""
        with reported("archive's days cannot be looked at"):
            days = unsealed(self._directory, signed=self._means.signing is not None)
            changed = changed_files(self._directory)
        self._waiting = sorted({*days, *self._publisher.rewritten})
        for path in changed:
            _log.warning("day file `%s` is not as it was sealed; restore it from its backup", path)

    def close_day(self, day: date) -> None:
        """A day was closed just now, and a new one has begun."""
        self._waiting.append(day)

    def turn(self, *, wait: bool = False) -> None:
        """Do what is to be done by now; with `wait`, all of it. Cheap where there is nothing."""
        while self._waiting or self._sealing:
            if not self._seal_next(wait=wait):
                return
        today = self._means.clock().astimezone(UTC).date()
        if today != self._looked:
            self._looked = today
            self._retain(today)

    def _seal_next(self, *, wait: bool) -> bool:
        """Whether one more day was sealed."""
        if self._sealing is None:
            listed = self._publisher.settled()
            if listed is None:
                return False
            day = self._waiting[0]
            means = self._means
            self._sealing = self._worker.submit(
                seal, self._directory, day, listed, means.signing, means.clock()
            )
        if not (wait or self._sealing.done()):
            return False
        done, self._sealing = self._sealing, None
        manifest = done.result()
        self._waiting.remove(manifest.day)
        self._looked = None
        return True

    def _retain(self, today: date) -> None:
        with reported("old days cannot be dropped"):
            found = due(self._directory, self._means.keeping, today)
            if found.doubt:
                _log.warning("old days are kept: %s", found.doubt)
            elif found.days:
                self._drop(found.days)

    def _drop(self, days: Sequence[DayManifest]) -> None:
        means = self._means
        drop(self._directory, days, means.keeping.reason, means.signing, means.clock())
        self._publisher.drop(days[-1].last)
        _log.info("dropped %d days up to %s", len(days), days[-1].day)

    def close(self) -> None:
        """Finish the day that is being sealed; the others wait for the next start."""
        self._worker.shutdown()
