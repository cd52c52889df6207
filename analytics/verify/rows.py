"""
Rows of segments, with the digest of each record made anew from its bytes.

    Parquet ──batches of columns──▶ LogRow, whose `computed` is what `digest` has to be
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.archive.record import HEX, stored_name
from analytics.log.leaf import record_digest

BATCH_ROWS = 4_096


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


_BYTES = (pa.binary(), pa.large_binary())
_TEXT = (pa.string(), pa.large_string())
_NUMBER = (pa.uint64(),)

COLUMNS: dict[str, tuple[tuple[Any, ...], bool]] = {
    "seq": (_NUMBER, False),
    "topic": (_TEXT, False),
    "partition": ((pa.int32(),), False),
    "offset": ((pa.int64(),), False),
    "leaf_index": (_NUMBER, False),
    "digest": (_BYTES, False),
    "nodes": (_BYTES, True),
    "head": (_BYTES, True),
    "head_index": (_NUMBER, True),
    "head_nodes": (_BYTES, True),
    "cluster_id": (_TEXT, False),
    "timestamp_ms": ((pa.int64(),), False),
    "timestamp_type": ((pa.int8(),), False),
    "key": (_BYTES, True),
    "value": (_BYTES, True),
}
"""Types that each may have, and whether it may be null; `headers` beside them."""


def rows_of(path: Path) -> Iterator[list[LogRow]]:
    """The rows of a segment. Raises ArrowException, OSError or ValueError where it is damaged."""
    with pq.ParquetFile(path, memory_map=False) as file:
        _check(file.schema_arrow)
        for batch in file.iter_batches(BATCH_ROWS, columns=[*COLUMNS, "headers"]):
            yield _rows(batch)


def _check(schema: Any) -> None:
    for name, (types, _) in COLUMNS.items():
        if schema.names.count(name) != 1 or schema.field(name).type not in types:
            raise ValueError(f"its column `{name}` is not what an archive has")
    found = schema.field("headers").type if schema.names.count("headers") == 1 else None
    if found is None or not _are_headers(found):
        raise ValueError("its column `headers` is not what an archive has")


def _are_headers(found: Any) -> bool:
    if not pa.types.is_list(found) or not pa.types.is_struct(found.value_type):
        return False
    fields = [(field.name, field.type) for field in found.value_type]
    return [name for name, _ in fields] == ["name", "value"] and (
        fields[0][1] in _TEXT and fields[1][1] in _BYTES
    )


def _rows(batch: Any) -> list[LogRow]:
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
    if not name.startswith(HEX):
        return name.encode()
    try:
        sent = bytes.fromhex(name[len(HEX) :])
    except ValueError:
        return None
    return sent if stored_name(sent.decode("utf-8", "surrogateescape")) == name else None
