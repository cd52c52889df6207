"""
A proof bundle: what `analytics/standalone/verify_archive.py` reads, in text files, for an auditor to take along.

    archive ──▶ checkpoint, held/, keys.txt, hole.json, hole.note, heads.txt,
                entries/TOPIC/PARTITION.txt, records.jsonl, proofs.jsonl, verify_archive.py, README.txt

What is written is what the archive says, right or wrong: judging it is the verifier's work.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive.database import first_line
from analytics.archive.holes import hole_files, newest_hole
from analytics.archive.witnessed import Witnessed, witnessed
from analytics.log.checkpoint import parse_checkpoint
from analytics.log.note import NoteKey, parse_note
from analytics.standalone import bundled_verifier
from analytics.verify.bundled_logs import BundledLogs
from analytics.verify.origins import read_note
from analytics.verify.proof import Proof, proof_of
from analytics.verify.rows import LogRow, Reader, sent_name
from analytics.verify.shown import shown_files
from enforcers.errors import ArchiveError, SignatureError

_NEVER = 2**63 - 1
Place = tuple[str, int, int]
"""Topic, partition and offset."""

_README = """A proof bundle of a Sluicegate archive.

    python3 -I verify_archive.py .

verify_archive.py needs Python 3.10 and nothing else. Better than the copy in this folder is one that you
took from elsewhere; better than keys.txt is --key with a key that you were given elsewhere; and only
--checkpoint with a checkpoint that you kept yourself, or --witness with the key of a witness that you trust,
shows that the history was not written anew.
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
    """Checkpoints that were kept elsewhere: name and text. Those that witnesses cosigned come by themselves."""
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
    last_seq: int = _NEVER
    """The newest record in the logs of the bundle."""

    def write(self) -> Written:
        """Everything that is wanted."""
        self._put("README.txt", _README)
        self._put("checkpoint", self.note)
        self._put("keys.txt", "".join(f"{key}\n" for key in self.wanted.keys))
        self._put("verify_archive.py", bundled_verifier())
        for number, (_, text) in enumerate(self.wanted.held):
            self._put(f"held/{number}", text)
        known = witnessed(self.directory)
        if self.wanted.all_entries:
            self._hole()
            self._logs()
            for one in known:
                self._put(_held(one), one.text)
        self._records()
        self._proofs(known)
        return self.written

    def _put(self, name: str, text: str) -> None:
        path = self.out / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    def _hole(self) -> None:
        """Where the logs begin, where something was dropped: as it was signed, byte for byte."""
        for path in hole_files(self.directory)[-1:]:
            (self.out / "hole.json").write_bytes(path.read_bytes())
            note = path.with_suffix(".note")
            if note.exists():
                (self.out / "hole.note").write_bytes(note.read_bytes())

    def _logs(self) -> None:
        hole, signed = newest_hole(self.directory), _size_of(self.note)
        logs = BundledLogs(self.out, signed, hole.standing.archive.leaves if hole else 0)
        logs.write(_rows(self.directory))
        # A live archive signed more meanwhile; of one that does not, all is for the verifier to see.
        if _size_of(read_note(self.directory)) > signed:
            logs.cut()
        self.last_seq = logs.last_seq
        self.written.heads = logs.heads.count
        self.written.entries = sum(one.count for one in logs.entries.values())

    def _records(self) -> None:
        with (self.out / "records.jsonl").open("w", encoding="utf-8") as file:
            for record in self._wanted_records():
                file.write(json.dumps(record) + "\n")
                self.written.records += 1

    def _wanted_records(self) -> Iterator[dict[str, Any]]:
        columns = 'topic, partition, "offset", timestamp_ms, timestamp_type, key, headers, value'
        if self.wanted.all_records:
            sql = f"SELECT {columns} FROM archived WHERE seq <= ? ORDER BY seq"
            yield from self._fetched(sql, [self.last_seq])
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

    def _proofs(self, known: Sequence[Witnessed]) -> None:
        with (self.out / "proofs.jsonl").open("w", encoding="utf-8") as file:
            for place in self.wanted.records:
                for proof in self._proofs_of(place, known):
                    file.write(json.dumps(proof.as_json()) + "\n")
                    self.written.proofs += 1

    def _proofs_of(self, place: Place, known: Sequence[Witnessed]) -> Iterator[Proof]:
        """One to the newest checkpoint, one to each held, and one to what each witness cosigned first."""
        own = self._proof(place, self.note)
        yield own
        for _, text in self.wanted.held:
            if own.head < _size_of(text) < own.archive_size:
                yield self._proof(place, text)
        first: dict[str, Witnessed] = {}
        for one in known:
            if own.head < _size_of(one.text) <= own.archive_size:
                first.setdefault(one.witness, one)
        for one in first.values():
            self._put(_held(one), one.text)
            yield self._proof(place, one.text)

    def _proof(self, place: Place, note: str) -> Proof:
        return proof_of(self.connection, self.directory, *place, note=note)


def _held(one: Witnessed) -> str:
    return f"held/{one.witness}-{one.day}"


def _size_of(text: str) -> int:
    """Heads in a checkpoint; of what is none, none: the verifier says so."""
    try:
        return parse_checkpoint(parse_note(text).text).size
    except SignatureError:
        return 0


def _rows(directory: Path) -> Iterator[list[LogRow]]:
    with closing(Reader()) as reader:
        for _, path in shown_files(directory):
            try:
                yield from reader.rows(path)
            except ValueError as error:
                raise ArchiveError(
                    f"`{path.name}` cannot be read: {error}; run `sluicegate audit verify`"
                ) from error


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
