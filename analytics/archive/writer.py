"""
The archive's one writer.

    batch ──▶ one DuckDB transaction (rows, log, position) ──▶ signed head ──▶ Committed
                                                                 └──▶ Parquet ──▶ readers

INVARIANT: a batch is committed whole, once, at the position that the archive stands at; a reader
sees a committed row at most `Pace.interval_s` later plus the time to write its segment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from threading import RLock
from types import TracebackType

from analytics.archive.batch import Batch, prepared
from analytics.archive.days import DayStore
from analytics.archive.keeping import Keeper, Means
from analytics.archive.lock import WriterLock
from analytics.archive.place import real_directory
from analytics.archive.publisher import Pace, Publisher
from analytics.archive.record import Committed, Partition, RawRecord
from analytics.archive.retention import Keeping
from analytics.archive.sealing import refuse_lost_end
from analytics.archive.signed_head import SignedHead
from analytics.archive.standing import check_standing, newest_digests
from analytics.log.note import NoteSigner
from enforcers.errors import ArchiveError

Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Archive:
    """
    An open archive. Close it, or use it as a context.

    Use it from one thread at a time; only `publish` may run beside `commit`, on a thread of its own.
    """

    def __init__(
        self,
        directory: Path,
        lock: WriterLock,
        days: DayStore,
        publisher: Publisher,
        keeper: Keeper,
        head: SignedHead,
        clock: Clock,
    ) -> None:
        self.directory = directory
        self._lock = lock
        self._days = days
        self._publisher = publisher
        self._keeper = keeper
        self._head = head
        self._clock = clock
        self._broken = False
        self._showing = RLock()
        """Held while what readers see is changed, and while the day file is."""
        self.note: str | None = None
        """The newest signed head."""

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        cluster_id: str,
        clock: Clock = _utc_now,
        pace: Pace | None = None,
        signing: NoteSigner | None = None,
        keeping: Keeping | None = None,
    ) -> Archive:
        """
        Open `directory` for writing, repaired and published to the last committed row.

        With a key, each commit signs the log's head; the key's name is that of the archive's log.
        Raises ArchiveError: another writer lives, another cluster's archive, a damaged file, a log
        that does not continue what was signed before.
        """
        directory = _prepared(directory)
        lock = WriterLock(directory)
        days: DayStore | None = None
        try:
            refuse_lost_end(directory)
            head = SignedHead(directory, cluster_id, signing)
            days = DayStore(directory, cluster_id, _day(clock()))
            check_standing(days)
            note = head.start(days)
            publisher = Publisher(directory, days.reading, days.unshown, pace or Pace())
            publisher.start(days.state.first_seq, days.state.last_seq)
            keeper = Keeper(directory, publisher, Means(clock, signing, keeping or Keeping()))
            keeper.start()
        except BaseException:
            if days is not None:
                days.close()
            lock.release()
            raise
        archive = cls(directory, lock, days, publisher, keeper, head, clock)
        archive.note = note
        return archive

    @property
    def offsets(self) -> Mapping[Partition, int]:
        """The next offset to read of every partition that was ever written."""
        return self._days.state.offsets

    def newest_digests(self) -> Mapping[Partition, bytes]:
        """The digest of every partition's newest record, where it was not dropped. Raises ArchiveError."""
        return newest_digests(self._days)

    def hold_told(self, note: str) -> None:
        """Hold a head that was told before against the stored ones. Raises ArchiveError where they do not reach it."""
        self._head.continues(note, self._days)

    @property
    def last_seq(self) -> int:
        """Sequence of the last committed record; 0 when empty."""
        return self._days.state.last_seq

    @property
    def heads(self) -> int:
        """How many entries the archive's own log has."""
        return self._days.state.heads.size

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
        committed = self.commit(prepared(batch, starts))
        self.publish()
        return committed

    def commit(self, batch: Batch) -> Committed:
        """Commit a batch that was made ready before; readers see it after the next `publish`."""
        self._refuse_broken()
        self._days.expect(batch)
        now = self._clock()
        first = self.last_seq + 1
        with _Breaking(self):
            self._roll_to(_day(now))
            note = self._append(batch, now)
        return Committed(first, self.last_seq, batch.ends, note, note is not None and batch.is_news)

    def _append(self, batch: Batch, now: datetime) -> str | None:
        if not batch.rows:
            return None
        self._days.append(batch, now)
        self.note = self._head.sign(self._days.state)
        if self._days.unshown.full:
            self._show()
        return self.note

    def publish(self, *, now: bool = False) -> None:
        """Show committed rows to readers; without `now`, at most once an interval."""
        self._refuse_broken()
        # What waits for the lock has to see what failed under it.
        with self._showing, _Breaking(self):
            self._publisher.publish(self.last_seq, now=now)
            self._keeper.turn()

    def settle(self) -> None:
        """Publish everything; wait until it is merged, sealed and dropped as far as it is time."""
        self.publish(now=True)
        # What waits for the lock has to see what failed under it.
        with self._showing, _Breaking(self):
            self._publisher.settle()
            self._keeper.turn(wait=True)

    def _roll_to(self, day: date) -> None:
        # A clock that goes back stays in the newest file: order is the sequence, not the clock.
        if day <= self._days.day:
            return
        with self._showing:
            self._show()
            self._publisher.close_day()
            closed = self._days.day
            self._days.roll(day)
            self._keeper.close_day(closed)

    def _show(self) -> None:
        with self._showing:
            self._refuse_broken()
            self._publisher.publish(self.last_seq, now=True)

    def _refuse_broken(self) -> None:
        if self._broken:
            raise ArchiveError("archive failed before; open it again")

    def close(self) -> None:
        """Publish what is committed, then let the next writer in."""
        try:
            with self._showing:
                if not self._broken:
                    self._show()
                self._publisher.close()
        finally:
            self._keeper.close()
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
    directory = real_directory(directory)
    try:
        # What lies in it is everything that was proposed: only its owner may enter.
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        for part in ("days", "segments", "live", "log"):
            (directory / part).mkdir(exist_ok=True)
    except OSError as error:
        raise ArchiveError(
            f"archive `{directory}` cannot be made: {error.strerror}; choose another directory"
        ) from error
    return directory
