"""A small archive with everything that a log can have, and ways to change what lies on the disk."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from nacl.signing import SigningKey

from analytics.archive import Archive, Pace, RawRecord
from analytics.archive.published import EMPTY_NAME
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from analytics.verify.anchors import Keys
from analytics.verify.findings import Finding
from analytics.verify.report import Report
from analytics.verify.rows import LogRow, Reader
from analytics.verify.verifying import Task, verify
from enforcers.contract.wire import encode
from tests.analytics.records import NOW_MS, action, canary, outcome, verdict

CLUSTER = "c-1"
ORIGIN = origin_of_archive(CLUSTER)
SECRET = SigningKey(bytes([1]) * 32)
THIEF = SigningKey(bytes([2]) * 32)
KEYS = Keys((bytes(SECRET.verify_key),))

Headers = tuple[tuple[str, bytes | None], ...]
HEADERS: Headers = (("ce_id", b"1"), ("hex:x", None), ("a\udcff", b""))
PLACES = (("actions", 0), ("verdicts", 0), ("verdicts", 1), ("pay.outcomes", 0))


def build(
    directory: Path,
    *,
    commits: int = 8,
    seed: int = 1,
    secret: SigningKey | None = SECRET,
    first_commit: int = 300,
    zone: str = "",
) -> list[str]:
    """An archive with gaps in its offsets and odd headers; returns the note of every commit."""
    chance = random.Random(seed)
    ends: dict[tuple[str, int], int] = {}
    origin = origin_of_archive(CLUSTER, zone)
    signing = None if secret is None else NoteSigner(origin, secret)
    notes: list[str] = []
    with Archive.open(
        directory, cluster_id=CLUSTER, pace=Pace(interval_s=0), signing=signing
    ) as archive:
        for number in range(commits):
            places = [chance.choice(PLACES) for _ in range(chance.randint(3, 9))]
            places += [PLACES[0]] * (first_commit if number == 0 else 1)
            batch = [_record(place, ends, chance) for place in places]
            if notes:
                batch.append(_record(("checkpoints", 0), ends, chance, notes[-1].encode()))
            starts = {
                (one.topic, one.partition): archive.offsets.get((one.topic, one.partition))
                for one in batch
            }
            first = {
                place: next(one.offset for one in batch if (one.topic, one.partition) == place)
                for place in starts
            }
            archive.append(
                batch, {place: first[place] if at is None else at for place, at in starts.items()}
            )
            notes += [archive.note] if archive.note else []
    return notes


def _record(
    place: tuple[str, int],
    ends: dict[tuple[str, int], int],
    chance: random.Random,
    value: bytes | None = None,
) -> RawRecord:
    offset = ends.get(place, 0) + chance.choice((0, 0, 0, 2))
    ends[place] = offset + 1
    own = b'{"n": %d}' % offset if chance.random() < 0.9 else None
    return RawRecord(*place, offset, NOW_MS + offset, 1, b"key", HEADERS, value or own)


def build_typed(directory: Path) -> list[str]:
    """An archive of one action with its verdict and outcome."""
    one = action()
    signing = NoteSigner(ORIGIN, SECRET)
    made = [
        ("actions", one),
        ("verdicts", verdict(one)),
        ("outcomes", outcome(one)),
        ("actions", canary()),
    ]
    batch = [
        RawRecord(topic, 0, at if topic == "actions" else 0, NOW_MS, 1, b"key", (), encode(model))
        for at, (topic, model) in enumerate(made)
    ]
    with Archive.open(
        directory, cluster_id=CLUSTER, pace=Pace(interval_s=0), signing=signing
    ) as archive:
        archive.append(batch, {(record.topic, 0): 0 for record in batch})
        return [archive.note or ""]


def copied(source: Path, target: Path) -> Path:
    """A copy whose views read itself."""
    shutil.rmtree(target, ignore_errors=True)
    # Day files are the writer's; nothing that verifies reads them.
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.duckdb"))
    views = target / "views.sql"
    views.write_text(views.read_text().replace(f"'{source}/", f"'{target}/"))
    return target


def verified(
    directory: Path, *, held: Sequence[str] = (), typed: bool = False, keys: Keys = KEYS
) -> Report:
    """The report on an archive; typed columns only where they matter, for typing takes long."""
    named = tuple((f"held-{at}", text) for at, text in enumerate(held))
    return verify(Task(directory, keys, named, typed))


def segments(directory: Path) -> list[Path]:
    """The files with rows, in their order."""
    found = (directory / "segments").glob("*.parquet")
    return sorted(path for path in found if path.name != EMPTY_NAME)


def rows(directory: Path) -> list[dict[str, Any]]:
    """Every row's place, and what of it the log speaks of."""
    names = [
        "seq",
        "topic",
        "partition",
        "offset",
        "leaf_index",
        "head_index",
        "nodes",
        "head_nodes",
    ]
    return [
        row
        for path in segments(directory)
        for row in pq.read_table(path, columns=names).to_pylist()
    ]


def log_rows(directory: Path) -> list[LogRow]:
    """Every row as the verifier reads it."""
    with closing(Reader()) as reader:
        return [row for path in segments(directory) for batch in reader.rows(path) for row in batch]


def change(directory: Path, seq: int, edit: Callable[[pa.Table, int], pa.Table]) -> None:
    """Edit the segment that holds a sequence, wherever it is shown; `edit` gets the row's number in it."""
    for path in segments(directory):
        first, last = int(path.name[:20]), int(path.name[21:41])
        if first <= seq <= last:
            write(directory, path.name, edit(pq.read_table(path), seq - first))


def write(directory: Path, name: str, table: pa.Table) -> None:
    """Write a segment, wherever it is shown."""
    for path in (directory / "segments" / name, *(directory / "live").glob(f"*/{name}")):
        path.unlink()
        pq.write_table(table, path)


def with_value(table: pa.Table, row: int, column: str, value: Any) -> pa.Table:
    """One value replaced."""
    at = table.schema.get_field_index(column)
    values = table.column(at).to_pylist()
    values[row] = value
    found = table.schema.field(at).with_nullable(True)
    return table.set_column(at, found, pa.array(values, found.type))


def set_value(directory: Path, seq: int, column: str, value: Any) -> None:
    """Replace one value of one row."""
    change(directory, seq, lambda table, row: with_value(table, row, column, value))


def reorder(table: pa.Table, order: Sequence[int]) -> pa.Table:
    """Rows in another order, with sequences as they were: dropped, doubled or swapped."""
    seq = table.column("seq").to_pylist()[: len(order)]
    seq += [seq[-1] + 1 + at for at in range(len(order) - len(seq))]
    taken = table.take(order)
    at = table.schema.get_field_index("seq")
    return taken.set_column(at, table.schema.field(at), pa.array(seq, pa.uint64()))


def covers(finding: Finding, row: dict[str, Any]) -> bool:
    """Whether a finding names this row: its place, or a span that it lies in."""
    same = (finding.topic, finding.partition) == (row["topic"], row["partition"])
    seq = getattr(finding, "seq", None)
    by_seq = seq is not None and seq[0] <= row["seq"] <= seq[1]
    by_leaf = finding.leaf is not None and finding.leaf[0] <= row["leaf_index"] <= finding.leaf[1]
    return by_seq or (same and by_leaf)


def kinds(report: Report) -> set[str]:
    """What kinds of trouble were found."""
    return {found.kind for found in report.findings}
