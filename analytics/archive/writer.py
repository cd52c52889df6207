"""
The archive's one writer.

    batch ──▶ one DuckDB transaction (rows, offsets, sequence) ──▶ Committed ──▶ Parquet ──▶ readers

INVARIANT: a batch is committed whole, once, at the position that the archive stands at; a reader
sees a committed row at most `Pace.interval_s` later plus the time to write its segment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType

from analytics.archive.days import DayStore
from analytics.archive.lock import WriterLock
from analytics.archive.publisher import Pace, Publisher
from analytics.archive.record import Committed, Partition, RawRecord, next_offsets
from enforcers.errors import ArchiveError

Clock = Callable[[], datetime]

_PATTERN_CHARACTERS = set("*?[]")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Archive:
    """An open archive. Use it from one thread at a time; close it, or use it as a context."""

    def __init__(
        self, directory: Path, lock: WriterLock, days: DayStore, publisher: Publisher, clock: Clock
    ) -> None:
        self.directory = directory
        self._lock = lock
        self._days = days
        self._publisher = publisher
        self._clock = clock
        self._broken = False

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        cluster_id: str,
        clock: Clock = _utc_now,
        pace: Pace | None = None,
    ) -> Archive:
        """
        Open `directory` for writing, repaired and published to the last committed row.

        Raises ArchiveError: another writer lives, another cluster's archive, a damaged file.
        """
        directory = _prepared(directory)
        lock = WriterLock(directory)
        try:
            days = DayStore(directory, cluster_id, _day(clock()))
            publisher = Publisher(directory, days.connection, pace or Pace())
            publisher.start(days.state.first_seq, days.state.last_seq)
        except BaseException:
            lock.release()
            raise
        return cls(directory, lock, days, publisher, clock)

    @property
    def offsets(self) -> Mapping[Partition, int]:
        """The next offset to read of every partition that was ever written."""
        return dict(self._days.offsets)

    @property
    def last_seq(self) -> int:
        """Sequence of the last committed record; 0 when empty."""
        return self._days.state.last_seq

    @property
    def published_seq(self) -> int:
        """Sequence of the last record that readers see."""
        return self._publisher.last_seq

    def append(self, batch: Sequence[RawRecord], starts: Mapping[Partition, int]) -> Committed:
        """
        Commit a batch in one transaction, then publish if it is time.

        `starts` is the position that each of the batch's partitions was read from. Raises
        ArchiveError where it is not the stored one, and when the disk fails; in the latter case
        open the archive again, it knows what was committed.
        """
        self._refuse_broken()
        if {(record.topic, record.partition) for record in batch} != set(starts):
            raise ArchiveError("batch and its starts name different partitions; pass one each")
        self._days.expect(starts)
        now = self._clock()
        ends = next_offsets(batch, starts)
        first = self.last_seq + 1
        with _Breaking(self):
            self._roll_to(_day(now))
            if batch:
                self._days.append(batch, starts, ends, now)
            self._publisher.publish(self.last_seq)
        return Committed(first, self.last_seq, ends)

    def publish(self, *, now: bool = False) -> None:
        """Show committed rows to readers; without `now`, at most once an interval."""
        self._refuse_broken()
        with _Breaking(self):
            self._publisher.publish(self.last_seq, now=now)

    def settle(self) -> None:
        """Publish everything and wait for the merge under way."""
        self.publish(now=True)
        self._publisher.settle()

    def _roll_to(self, day: date) -> None:
        # A clock that goes back stays in the newest file: order is the sequence, not the clock.
        if day <= self._days.day:
            return
        self._publisher.publish(self.last_seq, now=True)
        self._publisher.close_day()
        self._days.roll(day)

    def _refuse_broken(self) -> None:
        if self._broken:
            raise ArchiveError("archive failed before; open it again")

    def close(self) -> None:
        """Publish what is committed, then let the next writer in."""
        try:
            if not self._broken:
                self._publisher.publish(self.last_seq, now=True)
            self._publisher.close()
        finally:
            self._days.close()
            self._lock.release()

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Breaking:
    """After an error inside, the archive refuses to go on: what reached the disk is not known."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._archive._broken = True


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _prepared(directory: Path) -> Path:
    directory = directory.resolve()
    if _PATTERN_CHARACTERS & set(str(directory)):
        raise ArchiveError(
            f"archive `{directory}` has a pattern character in its path; choose a directory"
            " without any of * ? [ ]"
        )
    try:
        # What lies in it is everything that was proposed: only its owner may enter.
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        for part in ("days", "segments", "live"):
            (directory / part).mkdir(exist_ok=True)
    except OSError as error:
        raise ArchiveError(
            f"archive `{directory}` cannot be made: {error.strerror}; choose another directory"
        ) from error
    return directory
