"""
How fast records get into the archive, beside a bare DuckDB insert of the same bytes, in rounds that take turns.

    archive   digests, log, raw rows in one transaction, signed head, Parquet for readers: until the last one is shown
    drained   the same, with all that follows: merges, and the end of the day, when its file is compressed and sealed
    bare      `INSERT … from_json` of the same values into one table a topic, a commit a batch, and nothing else

What is fed is archived in one day, whenever it was recorded: an archiver that catches up does so in minutes.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

from analytics.archive import Archive, Partition, RawRecord
from analytics.archive.batch import Batch, prepared
from analytics.archive.schema import READINGS, quoted, sql_type
from analytics.synth.filling import Clock, starts_of

Records = list[RawRecord]
DAY = timedelta(days=1)


class Feed:
    """Feeds an archive as the archiver does: one batch is made ready and one shown while another is committed."""

    def __init__(self, archive: Archive, clock: Clock) -> None:
        self.archive = archive
        self._clock = clock
        self._positions: dict[Partition, int] = dict(archive.offsets)
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="bench-make")
        self._shower = ThreadPoolExecutor(1, thread_name_prefix="bench-show")
        self._showing: Future[None] | None = None

    def __enter__(self) -> Feed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._maker.shutdown()
        self._shower.shutdown()

    def feed(self, batches: Sequence[Records]) -> float:
        """Seconds until readers can see the last of them."""
        began = time.perf_counter()
        made = self._make(batches[0])
        for number in range(len(batches)):
            ready = made.result()
            if number + 1 < len(batches):
                made = self._make(batches[number + 1])
            self.commit(ready)
        self.shown()
        self.archive.publish(now=True)
        return time.perf_counter() - began

    def drain(self) -> float:
        """Seconds until everything is merged that is to be merged by now."""
        began = time.perf_counter()
        self.archive.settle()
        return time.perf_counter() - began

    def end_day(self) -> float:
        """Seconds to close the day, to merge and to seal what is in it."""
        began = time.perf_counter()
        self._clock.now += DAY
        self.archive.commit(prepared([], {}))
        self.archive.settle()
        return time.perf_counter() - began

    def _make(self, records: Records) -> Future[Batch]:
        starts = starts_of(records, self._positions)
        for record in records:
            self._positions[record.topic, record.partition] = record.offset + 1
        return self._maker.submit(prepared, records, starts)

    def ready(self, records: Records) -> Batch:
        """One batch, made ready."""
        return self._make(records).result()

    def commit(self, ready: Batch) -> None:
        """Commit it, and begin to show it unless something is being shown."""
        self.archive.commit(ready)
        if self._showing is None or self._showing.done():
            self.shown()
            self._showing = self._shower.submit(self.archive.publish)

    def shown(self) -> None:
        """Wait for what is being shown. Raises ArchiveError where it failed."""
        showing, self._showing = self._showing, None
        if showing is not None:
            showing.result()


class Bare:
    """The floor: DuckDB, the same values, the same structures, the same commits, and no archive."""

    def __init__(self, directory: Path) -> None:
        self._connection = duckdb.connect(str(directory / "bare.duckdb"))
        self._run("SET checkpoint_threshold = '512MB'")
        self._shapes: dict[str, str] = {}
        for reading in READINGS.values():
            if reading.topic not in self._shapes:
                self._shapes[reading.topic] = quoted(json.dumps(reading.structure))
                named = f'"{reading.topic}"'
                self._run(f"CREATE TABLE {named} (value {sql_type(reading.structure)})")
        self._run("CREATE TABLE others (value VARCHAR)")

    def _run(self, sql: str) -> None:
        self._connection.execute(sql).fetchall()

    def feed(self, batches: Sequence[Records]) -> float:
        """Seconds until the last of them is committed."""
        began = time.perf_counter()
        for batch in batches:
            self._insert(batch)
        return time.perf_counter() - began

    def _insert(self, batch: Records) -> None:
        topics: defaultdict[str, list[bytes | None]] = defaultdict(list)
        for record in batch:
            topics[record.topic].append(record.value)
        self._run("BEGIN")
        for topic, values in topics.items():
            texts = pa.table({"text": pa.array(values, pa.large_binary()).cast(pa.large_string())})
            self._connection.register("texts", texts)
            shape = self._shapes.get(topic)
            read = f"from_json(text, {shape})" if shape else "text"
            into = f'"{topic}"' if shape else "others"
            self._run(f"INSERT INTO {into} SELECT {read} FROM texts")
            self._connection.unregister("texts")
        self._run("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
