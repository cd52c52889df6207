"""
A proof bundle: what `analytics/standalone/verify_archive.py` reads, in text files, for an auditor to take along.

    archive ──▶ checkpoint, held/, keys.txt, start.json, heads.txt, entries/TOPIC/PARTITION.txt,
                records.jsonl, proofs.jsonl, verify_archive.py, README.txt

What is written is what the archive says, right or wrong: judging it is the verifier's work.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive.database import first_line
from analytics.archive.holes import newest_hole
from analytics.archive.record import Partition
from analytics.log.checkpoint import head_entry
from analytics.log.leaf import entry_of
from analytics.log.note import NoteKey
from analytics.verify.origins import read_note
from analytics.verify.proof import proof_of
from analytics.verify.rows import LogRow, rows_of, sent_name
from analytics.verify.shown import shown
from enforcers.contract.merkle import HASH_BYTES
from enforcers.errors import ArchiveError, SignatureError

Place = tuple[str, int, int]
"""Topic, partition and offset."""

_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_README = """A proof bundle of a Sluicegate archive.

    python3 -I verify_archive.py .

verify_archive.py needs Python 3.10 and nothing else. Better than the copy in this folder is one that you
took from elsewhere; better than keys.txt is --key with a key that you were given elsewhere; and only
--checkpoint with a checkpoint that you kept yourself shows that the history was not written anew.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What goes into a bundle."""

    records: Sequence[Place] = ()
    """These records themselves, each with a proof of its own."""
    all_entries: bool = False
    """The logs whole: every entry of every partition, and every head."""
    all_records: bool = False
    """Every record itself, too."""
    held: Sequence[tuple[str, str]] = ()
    """Checkpoints that were kept elsewhere: name and text."""
    keys: Sequence[NoteKey] = ()


@dataclass(slots=True)
class Written:
    """How much a bundle holds."""

    entries: int = 0
    heads: int = 0
    records: int = 0
    proofs: int = 0


def export(
    connection: duckdb.DuckDBPyConnection, directory: Path, out: Path, wanted: Wanted
) -> Written:
    """Write a bundle into a new directory. Raises ArchiveError."""
    try:
        note = read_note(directory)
        out.mkdir(mode=0o700, parents=True)
        return _Export(connection, directory, out, wanted, note).write()
    except SignatureError as error:
        raise ArchiveError(str(error)) from error
    except FileExistsError as error:
        raise ArchiveError(f"`{out}` is there already; name a new directory") from error
    except OSError as error:
        raise ArchiveError(
            f"bundle `{out}` cannot be written: {error.strerror}; name another directory"
        ) from error


@dataclass(slots=True)
class _Export:
    connection: duckdb.DuckDBPyConnection
    directory: Path
    out: Path
    wanted: Wanted
    note: str
    written: Written = field(default_factory=Written)

    def write(self) -> Written:
        """Everything that is wanted."""
        self._put("README.txt", _README)
        self._put("checkpoint", self.note)
        self._put("keys.txt", "".join(f"{key}\n" for key in self.wanted.keys))
        verifier = resources.files("analytics.standalone").joinpath("verify_archive.py")
        self._put("verify_archive.py", verifier.read_text("utf-8"))
        for number, (_, text) in enumerate(self.wanted.held):
            self._put(f"held/{number}", text)
        if self.wanted.all_entries:
            self._start()
            self._logs()
        self._records()
        self._proofs()
        return self.written

    def _put(self, name: str, text: str) -> None:
        path = self.out / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    def _start(self) -> None:
        """Where the logs begin, where something was dropped."""
        hole = newest_hole(self.directory)
        if hole is None:
            return
        trees = {f"{one.topic}/{one.partition}": one.log for one in hole.standing.partitions}
        starts = {
            name: {"size": tree.leaves, "peaks": _split(bytes.fromhex(tree.peaks))}
            for name, tree in {**trees, "archive": hole.standing.archive}.items()
        }
        self._put("start.json", json.dumps(starts))

    def _logs(self) -> None:
        heads: dict[int, bytes] = {}
        following = self._first_head()
        with (self.out / "heads.txt").open("wb") as written:
            for rows in _rows(self.directory):
                self._entries(rows)
                for row in rows:
                    if row.head is not None and row.head_index is not None:
                        heads[row.head_index] = _head_entry(row)
                while following in heads:
                    written.write(heads.pop(following))
                    following += 1
                    self.written.heads += 1
            for index in sorted(heads):
                written.write(heads[index])
                self.written.heads += 1

    def _entries(self, rows: Sequence[LogRow]) -> None:
        # A cluster has more partitions than a process may have open files.
        logs: dict[Partition, list[bytes]] = {}
        for row in rows:
            entry = entry_of(row.topic, row.partition, row.offset, row.digest)
            logs.setdefault((row.topic, row.partition), []).append(b"%d " % row.leaf + entry)
        for place, entries in logs.items():
            with self._log(*place).open("ab") as log:
                log.writelines(entries)
            self.written.entries += len(entries)

    def _first_head(self) -> int:
        hole = newest_hole(self.directory)
        return hole.standing.archive.leaves if hole else 0

    def _log(self, topic: str, partition: int) -> Path:
        if not _TOPIC.fullmatch(topic):
            raise ArchiveError(
                f"`{topic[:100]}` is no topic's name; run `sluicegate audit verify`, for somebody"
                " changed the archive"
            )
        path = self.out / "entries" / topic / f"{partition}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _records(self) -> None:
        with (self.out / "records.jsonl").open("w", encoding="utf-8") as file:
            for record in self._wanted_records():
                file.write(json.dumps(record) + "\n")
                self.written.records += 1

    def _wanted_records(self) -> Iterator[dict[str, Any]]:
        columns = 'topic, partition, "offset", timestamp_ms, timestamp_type, key, headers, value'
        if self.wanted.all_records:
            yield from self._fetched(f"SELECT {columns} FROM archived ORDER BY seq", [])
            return
        sql = f'SELECT {columns} FROM archived WHERE topic = ? AND partition = ? AND "offset" = ?'
        for place in self.wanted.records:
            yield from self._fetched(sql, list(place))

    def _fetched(self, sql: str, values: list[Any]) -> Iterator[dict[str, Any]]:
        # Its views are the connection's own: a cursor would not see them.
        try:
            found = self.connection.execute(sql, values)
            while rows := found.fetchmany(1_000):
                yield from map(_record, rows)
        except duckdb.Error as error:
            first = first_line(error)
            raise ArchiveError(f"archive cannot be read: {first}; connect to it again") from error

    def _proofs(self) -> None:
        with (self.out / "proofs.jsonl").open("w", encoding="utf-8") as file:
            for place in self.wanted.records:
                proof = proof_of(self.connection, self.directory, *place, note=self.note)
                file.write(json.dumps(proof.as_json()) + "\n")
                self.written.proofs += 1


def _rows(directory: Path) -> Iterator[list[LogRow]]:
    for _, path in shown(directory).files:
        try:
            yield from rows_of(path)
        except ValueError as error:
            raise ArchiveError(
                f"`{path.name}` cannot be read: {error}; run `sluicegate audit verify`"
            ) from error


def _head_entry(row: LogRow) -> bytes:
    return head_entry(row.cluster, row.topic, row.partition, row.leaf + 1, row.head or b"")


def _record(row: Sequence[Any]) -> dict[str, Any]:
    topic, partition, offset, timestamp_ms, timestamp_type, key, headers, value = row
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp_ms": timestamp_ms,
        "timestamp_type": timestamp_type,
        "key": _text(key),
        "headers": [[_name(one["name"]), _text(one["value"])] for one in headers],
        "value": _text(value),
    }


def _name(stored: str) -> str | None:
    sent = sent_name(stored)
    # A name that nobody could have sent stays as it is, and its record does not have the logged digest.
    return _text(stored.encode() if sent is None else sent)


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _split(peaks: bytes) -> list[str]:
    return [peaks[at : at + HASH_BYTES].hex() for at in range(0, len(peaks), HASH_BYTES)]
