"""
Day files: one DuckDB file per UTC day, the writer's truth.

    days/2026-11-20.duckdb   closed; first_seq … last_seq, offsets and trees at its end
    days/2026-11-21.duckdb   open; its first transaction copied the position from the 20th

INVARIANT: the newest day file holds the archive's position, and that of its log. A file is made under another name,
with the position of the one before, and renamed when it is whole; so a crash at any point of a
roll-over neither loses nor repeats a record.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import duckdb

from analytics.archive.batch import Batch
from analytics.archive.database import reported, run
from analytics.archive.holes import beginning
from analytics.archive.logs import grown
from analytics.archive.memory import bound_memory
from analytics.archive.positions import (
    State,
    move,
    moved_elsewhere,
    read_state,
    read_version,
    write_state,
)
from analytics.archive.schema import day_sql, ingest_sql, quoted
from analytics.archive.segments import SAME_COLUMNS, put_in_place
from analytics.archive.unshown import Unshown
from enforcers.errors import ArchiveError

FORMAT = 4
"""Rises whenever the typed columns change: a day file's tables are made once."""
_RECOVER = (
    "check the disk; where a file is damaged, restore it from its backup, or make the archive anew"
    " with `sluicegate archive rebuild`"
)
STORAGE_VERSION = "v1.5.0"
"""Readable by DuckDB 1.5 and later."""
ROW_GROUP = 8_192
"""A commit of so many rows is compressed at once, beside the log of writes, and never written again."""
_SETTINGS = (
    # What is in the log of writes is compressed when it is so long, which takes a second; the
    # default of 16 MB would do it all the time.
    "SET checkpoint_threshold = '256MB'",
    # Nothing is ever deleted: to put small row groups together would only write them again.
    "SET max_vacuum_tasks = 0",
    # Commits and segments each have a thread of their own. More of them for one statement take
    # processors from the other, and may change the order of rows.
    "SET threads = 1",
    SAME_COLUMNS,
)


def day_files(directory: Path) -> list[Path]:
    """The day files, oldest first."""
    return sorted((directory / "days").glob("????-??-??.duckdb"))


class DayStore:
    """The open day file, attached as `day` to an in-memory DuckDB."""

    def __init__(self, directory: Path, cluster_id: str, today: date) -> None:
        """Open the newest day file or begin today's. Raises ArchiveError."""
        self._directory = directory
        self.connection = duckdb.connect()
        self.reading = self.connection.cursor()
        """A connection of its own, so that rows are shown while others are committed."""
        self.unshown = Unshown(self.reading)
        try:
            with reported(f"archive `{directory}` cannot be opened", _RECOVER):
                for setting in _SETTINGS:
                    run(self.connection, setting)
                bound_memory(self.connection)
                self.state, self.day = self._open(cluster_id, today)
            self._refuse_other(cluster_id)
        except BaseException:
            self.close()
            raise
        self._ingest = ingest_sql("day")

    def _refuse_other(self, cluster_id: str) -> None:
        if self.state.cluster_id != cluster_id:
            raise ArchiveError(
                f"archive `{self._directory}` belongs to cluster `{self.state.cluster_id}`, not to"
                f" `{cluster_id}`; give each cluster a directory of its own"
            )

    def _open(self, cluster_id: str, today: date) -> tuple[State, date]:
        files = day_files(self._directory)
        if files:
            day = date.fromisoformat(files[-1].stem)
        else:
            day = today
            self._create(day, beginning(self._directory, cluster_id))
        self._attach(day)
        return self._read_state(), day

    def _path(self, day: date) -> Path:
        return self._directory / "days" / f"{day.isoformat()}.duckdb"

    def _attach(self, day: date) -> None:
        path = quoted(str(self._path(day)))
        run(self.connection, f"ATTACH {path} AS day (ROW_GROUP_SIZE {ROW_GROUP})")

    def _create(self, day: date, state: State) -> None:
        temporary = self._path(day).with_suffix(".duckdb.tmp")
        for leftover in (temporary, temporary.with_name(f"{temporary.name}.wal")):
            # Of a process that was killed while it made this file.
            leftover.unlink(missing_ok=True)
        run(
            self.connection,
            f"ATTACH {quoted(str(temporary))} AS fresh"
            f" (STORAGE_VERSION '{STORAGE_VERSION}', ROW_GROUP_SIZE {ROW_GROUP})",
        )
        with self._transaction():
            run(self.connection, day_sql("fresh"))
            write_state(self.connection, "fresh", state, FORMAT)
        run(self.connection, "CHECKPOINT fresh")
        run(self.connection, "DETACH fresh")
        # Nobody has the file open here, so opening it to sync it drops no lock.
        put_in_place(temporary, self._path(day))

    def _read_state(self) -> State:
        if read_version(self.connection, "day") != FORMAT:
            raise ArchiveError(
                f"archive `{self._directory}` was written by another release; keep it for readers,"
                " and give this release a new directory"
            )
        return read_state(self.connection, "day")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        run(self.connection, "BEGIN")
        try:
            yield
            run(self.connection, "COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        try:
            run(self.connection, "ROLLBACK")
        except duckdb.Error:
            # A commit that failed has already ended the transaction.
            return

    def roll(self, day: date) -> None:
        """Close the open file and begin `day`'s with the same position. Raises ArchiveError."""
        state = self.state.of_next_day()
        with reported(f"archive cannot begin the file of {day}"):
            run(self.connection, "CHECKPOINT day")
            self._create(day, state)
            run(self.connection, "DETACH day")
            self._attach(day)
        self.state, self.day = state, day

    def older(self) -> Generator[str]:
        """Each closed file, the newest first, as the schema under which it can be read meanwhile."""
        for path in reversed(day_files(self._directory)[:-1]):
            run(self.connection, f"ATTACH {quoted(str(path))} AS older (READ_ONLY)")
            try:
                yield "older"
            finally:
                run(self.connection, "DETACH older")

    def expect(self, batch: Batch) -> None:
        """Refuse a batch that was not read from the stored position. Raises ArchiveError."""
        for (topic, partition), start in batch.starts.items():
            known = self.state.positions.get((topic, partition))
            if known is not None and known.next_offset != start:
                raise moved_elsewhere(f"{topic}[{partition}] at offset {start}")

    def append(self, batch: Batch, now: datetime) -> None:
        """Commit rows, log and position together. Raises ArchiveError; then nothing holds."""
        found = grown(batch, self.state, now)
        with reported("archive cannot be written"):
            self.connection.register("batch", found.table)
            try:
                with self._transaction():
                    run(self.connection, self._ingest)
                    move(self.connection, "day", self.state, found.state)
            finally:
                self.connection.unregister("batch")
        self.unshown.add(found.table)
        self.state = found.state

    def close(self) -> None:
        """Checkpoint and let go of the file."""
        # It is let go of when both are closed.
        self.reading.close()
        self.connection.close()
