"""
Rows of segments, read as readers read them, with the digest of each record made anew from its bytes.

    Parquet ──DuckDB, as in the views──▶ batches of columns ──▶ LogRow, whose `computed` is what `digest` has to be

INVARIANT: what is verified comes out of the same engine, by the same call, as what the views show: a
file can be built so that two libraries read different pages of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from analytics.archive.database import first_line, run
from analytics.archive.record import sent_bytes, stored_name
from analytics.archive.schema import quoted
from analytics.log.leaf import record_digest

BATCH_ROWS = 4_096
_SETTINGS = (
    "SET TimeZone = 'UTC'",
    # Texts of one batch may be more than two gigabytes, and types come back as they are in the file.
    "SET arrow_large_buffer_size = true",
    "SET arrow_lossless_conversion = true",
)


class LogRow(NamedTuple):
    """What of a row the log speaks of."""

    seq: int
    topic: str
    partition: int
    offset: int
    leaf: int
    digest: bytes
    """As it is stored."""
    computed: bytes
    nodes: bytes | None
    head: bytes | None
    head_index: int | None
    head_nodes: bytes | None
    cluster: str
    note: bytes | None
    """The value, where the topic is that of checkpoints."""
    timestamp_ms: int


_NUMBER, _TEXT, _BYTES = pa.uint64(), pa.large_string(), pa.large_binary()

COLUMNS: dict[str, tuple[Any, bool]] = {
    "seq": (_NUMBER, False),
    "topic": (_TEXT, False),
    "partition": (pa.int32(), False),
    "offset": (pa.int64(), False),
    "leaf_index": (_NUMBER, False),
    "digest": (_BYTES, False),
    "nodes": (_BYTES, True),
    "head": (_BYTES, True),
    "head_index": (_NUMBER, True),
    "head_nodes": (_BYTES, True),
    "cluster_id": (_TEXT, False),
    "timestamp_ms": (pa.int64(), False),
    "timestamp_type": (pa.int8(), False),
    "key": (_BYTES, True),
    "value": (_BYTES, True),
}
"""The type of each, and whether it may be null; `headers` beside them."""
EVERY = "*"
OF_THE_LOG = ", ".join(f'"{name}"' for name in (*COLUMNS, "headers"))


class Reader:
    """One connection that reads segments, as far as they go and in the order of their rows."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        for setting in _SETTINGS:
            run(self._connection, setting)

    def batches(self, path: Path, columns: str = OF_THE_LOG) -> Iterator[Any]:
        """Batches of columns. Raises FileNotFoundError, or ValueError where it is damaged."""
        with self._opened(path, columns) as read:
            yield from read

    def is_empty(self, path: Path) -> bool:
        """Whether it has the log's columns, and no row. Raises as `batches` does."""
        with self._opened(path, OF_THE_LOG) as read:
            _check(read.schema)
            return not any(batch.num_rows for batch in read)

    @contextmanager
    def _opened(self, path: Path, columns: str) -> Iterator[Any]:
        try:
            # A statement of its own makes a copy of all rows first; a relation is read as it comes.
            with self._connection.sql(_select(columns, path)).to_arrow_reader(BATCH_ROWS) as read:
                yield read
        except (duckdb.Error, pa.ArrowException, OSError, RuntimeError) as error:
            raise _unreadable(path, error) from error

    def rows(self, path: Path) -> Iterator[list[LogRow]]:
        """What of a segment the log speaks of. Raises as `batches` does."""
        return map(log_rows, self.batches(path))

    def asked(self, path: Path, sql: str) -> list[tuple[Any, ...]]:
        """What DuckDB says of a file. Raises FileNotFoundError, or ValueError where it is damaged."""
        try:
            return run(self._connection, sql)
        except duckdb.Error as error:
            raise _unreadable(path, error) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def _select(columns: str, path: Path) -> str:
    """As the views do it."""
    options = "hive_partitioning = false, filename = false"
    return f"SELECT {columns} FROM read_parquet([{quoted(str(path))}], {options})"


def _unreadable(path: Path, error: Exception) -> Exception:
    if not path.exists():
        return FileNotFoundError(2, "No such file", str(path))
    return ValueError(first_line(error))


def _check(schema: Any) -> None:
    for name, (kind, _) in COLUMNS.items():
        if schema.names.count(name) != 1 or schema.field(name).type != kind:
            raise ValueError(f"its column `{name}` is not what an archive has")
    found = schema.field("headers").type if schema.names.count("headers") == 1 else None
    if found is None or not _are_headers(found):
        raise ValueError("its column `headers` is not what an archive has")


def _are_headers(found: Any) -> bool:
    if not pa.types.is_large_list(found) or not pa.types.is_struct(found.value_type):
        return False
    return [(one.name, one.type) for one in found.value_type] == [
        ("name", _TEXT),
        ("value", _BYTES),
    ]


def log_rows(batch: Any) -> list[LogRow]:
    """What of a batch the log speaks of. Raises ValueError where its columns are others."""
    _check(batch.schema)
    for name, (_, may_be_null) in {**COLUMNS, "headers": ((), False)}.items():
        if batch.column(name).null_count and not may_be_null:
            raise ValueError(f"its column `{name}` has no value in some rows")
    values = {name: batch.column(name).to_pylist() for name in COLUMNS}
    headers = headers_of(batch.column("headers"))
    digests = map(
        _digest,
        values["timestamp_ms"],
        values["timestamp_type"],
        values["key"],
        headers,
        values["value"],
    )
    notes = [
        value if topic.rpartition(".")[2] == "checkpoints" else None
        for topic, value in zip(values["topic"], values["value"], strict=True)
    ]
    columns = [values[name] for name in ("seq", "topic", "partition", "offset", "leaf_index")]
    columns += [values["digest"], list(digests), values["nodes"], values["head"]]
    columns += [values["head_index"], values["head_nodes"], values["cluster_id"], notes]
    return [LogRow(*row) for row in zip(*columns, values["timestamp_ms"], strict=True)]


def _digest(
    timestamp_ms: int, timestamp_type: int, key: bytes | None, headers: Any, value: bytes | None
) -> bytes:
    if headers is None:
        return b""
    return record_digest(timestamp_ms, timestamp_type, key, headers, value)


def headers_of(column: Any) -> list[Any]:
    """Headers with their names as they were sent; None where no sender could have sent them."""
    # Flattened, a pair that is null has no name; its fields alone could still hold one.
    named, content = column.values.flatten()
    # The same few names stand in every record.
    coded = named.dictionary_encode()
    sent = [sent_name(name) for name in coded.dictionary.to_pylist()]
    names = [None if at is None else sent[at] for at in coded.indices.to_pylist()]
    contents = content.to_pylist()
    ends = column.offsets.to_pylist()
    pairs = list(zip(names, contents, strict=True))
    rows = [pairs[first:last] for first, last in pairwise(ends)]
    if None not in names:
        return rows
    return [None if any(name is None for name, _ in row) else row for row in rows]


def sent_name(name: str | None) -> bytes | None:
    """The bytes of a stored name; None where the archive would have stored them otherwise."""
    if name is None:
        return None
    try:
        sent = sent_bytes(name)
    except ValueError:
        return None
    return sent if stored_name(sent.decode("utf-8", "surrogateescape")) == name else None
