"""
Day files: one DuckDB file per UTC day, the writer's truth.

    days/2026-11-20.duckdb   closed; first_seq … last_seq, the offsets at its end
    days/2026-11-21.duckdb   open; its first transaction copied offsets and last_seq from the 20th

INVARIANT: the newest day file holds the archive's position. A file is made under another name,
with the position of the one before, and renamed when it is whole; so a crash at any point of a
roll-over neither loses nor repeats a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive.database import reported, run
from analytics.archive.record import Partition, RawRecord, arrow_batch
from analytics.archive.schema import day_sql, ingest_sql, quoted
from analytics.archive.segments import put_in_place
from enforcers.errors import ArchiveError

FORMAT = 2
"""Rises whenever the typed columns change: a day file's tables are made once."""
STORAGE_VERSION = "v1.5.0"
"""Readable by DuckDB 1.5 and later."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a day file stands. An empty file has `last_seq == first_seq - 1`."""

    cluster_id: str
    first_seq: int
    last_seq: int


def day_files(directory: Path) -> list[Path]:
    """The day files, oldest first."""
    return sorted((directory / "days").glob("????-??-??.duckdb"))


class DayStore:
    """The open day file, attached as `day` to an in-memory DuckDB."""

    def __init__(self, directory: Path, cluster_id: str, today: date) -> None:
        """Open the newest day file or begin today's. Raises ArchiveError."""
        self._directory = directory
        self.connection = duckdb.connect()
        with reported(f"archive `{directory}` cannot be opened"):
            # The default of 16 MB rewrites the open row group again and again.
            run(self.connection, "SET checkpoint_threshold = '512MB'")
            self.state, self.offsets, self.day = self._open(cluster_id, today)
        if self.state.cluster_id != cluster_id:
            self.close()
            raise ArchiveError(
                f"archive `{directory}` belongs to cluster `{self.state.cluster_id}`, not to"
                f" `{cluster_id}`; give each cluster a directory of its own"
            )
        self._ingest = ingest_sql("day")

    def _open(self, cluster_id: str, today: date) -> tuple[State, dict[Partition, int], date]:
        files = day_files(self._directory)
        if files:
            day = date.fromisoformat(files[-1].stem)
        else:
            day = today
            self._create(day, State(cluster_id, 1, 0), {})
        self._attach(day)
        return self._read_state(), self._read_offsets(), day

    def _path(self, day: date) -> Path:
        return self._directory / "days" / f"{day.isoformat()}.duckdb"

    def _attach(self, day: date) -> None:
        run(self.connection, f"ATTACH {quoted(str(self._path(day)))} AS day")

    def _create(self, day: date, state: State, offsets: Mapping[Partition, int]) -> None:
        temporary = self._path(day).with_suffix(".duckdb.tmp")
        run(
            self.connection,
            f"ATTACH {quoted(str(temporary))} AS fresh (STORAGE_VERSION '{STORAGE_VERSION}')",
        )
        self._initialise(state, offsets)
        run(self.connection, "CHECKPOINT fresh")
        run(self.connection, "DETACH fresh")
        # Nobody has the file open here, so opening it to sync it drops no lock.
        put_in_place(temporary, self._path(day))

    def _read_state(self) -> State:
        row = run(
            self.connection, "SELECT version, cluster_id, first_seq, last_seq FROM day.state"
        )[0]
        if row[0] != FORMAT:
            raise ArchiveError(
                f"archive `{self._directory}` was written by another release; keep it for readers,"
                " and give this release a new directory"
            )
        return State(*row[1:])

    def _read_offsets(self) -> dict[Partition, int]:
        rows = run(self.connection, "SELECT topic, partition, next_offset FROM day.offsets")
        return {(topic, partition): offset for topic, partition, offset in rows}

    def _initialise(self, state: State, offsets: Mapping[Partition, int]) -> None:
        with self._transaction():
            run(self.connection, day_sql("fresh"))
            for (topic, partition), offset in offsets.items():
                run(
                    self.connection,
                    "INSERT INTO fresh.offsets VALUES (?, ?, ?)",
                    [topic, partition, offset],
                )
            run(
                self.connection,
                "INSERT INTO fresh.state VALUES (?, ?, ?, ?)",
                [FORMAT, state.cluster_id, state.first_seq, state.last_seq],
            )

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
        state = State(self.state.cluster_id, self.state.last_seq + 1, self.state.last_seq)
        with reported(f"archive cannot begin the file of {day}"):
            run(self.connection, "CHECKPOINT day")
            self._create(day, state, self.offsets)
            run(self.connection, "DETACH day")
            self._attach(day)
        self.state, self.day = state, day

    def expect(self, starts: Mapping[Partition, int]) -> None:
        """Refuse a batch that was not read from the stored position. Raises ArchiveError."""
        for (topic, partition), start in starts.items():
            if self.offsets.get((topic, partition), start) != start:
                raise _moved(f"{topic}[{partition}] at offset {start}")

    def append(
        self,
        batch: Sequence[RawRecord],
        starts: Mapping[Partition, int],
        ends: Mapping[Partition, int],
        now: datetime,
    ) -> None:
        """Commit rows, offsets and sequence together. Raises ArchiveError; then nothing holds."""
        last_seq = self.state.last_seq + len(batch)
        with reported("archive cannot be written"):
            self.connection.register("batch", arrow_batch(batch, self.state.last_seq + 1))
            try:
                with self._transaction():
                    run(self.connection, self._ingest, [self.state.cluster_id, now])
                    self._advance(starts, ends)
                    self._swap(
                        "UPDATE day.state SET last_seq = ? WHERE last_seq = ?",
                        [last_seq, self.state.last_seq],
                        "sequence",
                    )
            finally:
                self.connection.unregister("batch")
        self.state = State(self.state.cluster_id, self.state.first_seq, last_seq)
        self.offsets = {**self.offsets, **ends}

    def _advance(self, starts: Mapping[Partition, int], ends: Mapping[Partition, int]) -> None:
        for (topic, partition), end in ends.items():
            start = starts[topic, partition]
            if (topic, partition) not in self.offsets:
                run(
                    self.connection,
                    "INSERT INTO day.offsets VALUES (?, ?, ?)",
                    [topic, partition, end],
                )
                continue
            self._swap(
                "UPDATE day.offsets SET next_offset = ?"
                " WHERE next_offset = ? AND topic = ? AND partition = ?",
                [end, start, topic, partition],
                f"{topic}[{partition}] at offset {start}",
            )

    def _swap(self, sql: str, values: list[Any], what: str) -> None:
        if run(self.connection, sql, values)[0][0] != 1:
            raise _moved(what)

    def close(self) -> None:
        """Checkpoint and let go of the file."""
        self.connection.close()


def _moved(what: str) -> ArchiveError:
    return ArchiveError(
        f"archive stands elsewhere than the batch: {what}; read the stored offsets and seek there"
    )
