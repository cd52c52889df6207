"""
Verify a proof bundle of a Sluicegate archive: `python3 -I verify_archive.py BUNDLE`.

    checkpoint, held ones ──signed by──▶ your keys, cosigned by witnesses that you trust
    hole.json, hole.note        where the logs begin, if older records were dropped; signed too
    heads.txt                   the archive's log, whose root they sign: one entry, one partition's root
    entries/TOPIC/PARTITION.txt a partition's log: one entry, one record's place and digest
    records.jsonl, proofs.jsonl records as Kafka held them; proofs of some, without the logs

Needs Python 3.10 and nothing else. Exit codes: 0 proved, 1 something is wrong, 2 it could not be checked.
INVARIANT: nothing is believed before it leads to a root that a key signed which you trust.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import struct
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from analytics.standalone.notes import Key, decoded, open_note, read_key, sha256

WORDS = {
    "edited": "a record was edited: its bytes have another digest than the log holds",
    "altered": "what stands here does not lead to the logged head: records or the head were changed",
    "missing": "records are missing",
    "reordered": "a record stands behind later ones",
    "duplicated": "a record stands there twice",
    "inserted": "a record is not in the log",
    "truncated": "the end is missing",
    "forked": "the history is another one than was signed",
    "unsigned": "no signed checkpoint reaches this far",
    "signature": "it is not signed by a key that you trust",
    "damaged": "it cannot be read",
    "unknown": "it is no part of a proof bundle, and was not looked at",
}
"""What can be found, in the same words here and in `sluicegate audit verify`."""
MOST = 1_000
"""Findings that are listed; more are counted."""
BESIDE = re.compile(r"README\.txt|verify_archive\.py|keys\.txt")
"""What lies in a bundle and proves nothing."""
EMPTY: dict[str, Any] = {"leaves": 0, "peaks": ""}
BEGIN: dict[str, Any] = {"next_offset": 0, "log": EMPTY}


class Finding(NamedTuple):
    kind: str
    topic: str = ""
    partition: int = 0
    offset: int | None = None
    leaf: tuple[int, int] | None = None
    head: tuple[int, int] | None = None
    detail: str = ""


def told(found: Any, words: dict[str, str] = WORDS) -> str:
    """A finding as one line without control characters."""
    parts = [f"{found.topic}[{found.partition}]"] if found.topic else []
    parts += [f"offset {found.offset}"] if found.offset is not None else []
    for what, span in (("leaf", found.leaf), ("head", found.head)):
        if span:
            parts.append(f"{what} {span[0]}" + (f" to {span[1]}" if span[1] > span[0] else ""))
    place = ", ".join([*parts, found.detail] if found.detail else parts)
    return plain(f"{found.kind}: {place}: {words[found.kind]}")


def plain(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class Checkpoint(NamedTuple):
    source: str
    origin: str
    size: int
    root: bytes
    signers: dict[Key, int]


def read_note(source: str, text: str, keys: Sequence[Key]) -> Checkpoint:
    """A signed checkpoint. Raises ValueError."""
    body, signers = open_note(text, keys)
    origin, size, root = body.split("\n")[:3]
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size) or len(decoded(root)) != 32:
        raise ValueError("no checkpoint")
    return Checkpoint(source, origin, int(size), decoded(root), signers)


class Tree:
    """A tree as the roots of its perfect subtrees, the largest first."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.size, peaks = int(start["leaves"]), bytes.fromhex(start["peaks"])
        self.peaks = [peaks[at : at + 32] for at in range(0, len(peaks), 32)]
        if self.size < 0 or len(peaks) != 32 * bin(self.size).count("1"):
            raise ValueError("a tree whose size and subtrees do not fit")

    def add(self, leaf: bytes) -> None:
        index = self.size
        while index & 1:
            leaf, index = sha256(b"\x01", self.peaks.pop(), leaf), index >> 1
        self.peaks.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        *larger, found = self.peaks or [sha256()]
        for peak in reversed(larger):
            found = sha256(b"\x01", peak, found)
        return found


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that an inclusion path leads to (RFC 9162, 2.1.3.2)."""
    node, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            found = sha256(b"\x01", sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = sha256(b"\x01", found, sibling)
        node, last = node >> 1, last >> 1
    return found if last == 0 and 0 <= index < size else None


def record_digest(
    timestamp_ms: int, timestamp_type: int, key: Any, headers: Any, value: Any
) -> bytes:
    """SHA-256 over all of a record but its place; each part has its length before it."""
    parts = [struct.pack(">qb", timestamp_ms, timestamp_type), _put(key)]
    parts += [struct.pack(">I", len(headers)), *(_put(part) for pair in headers for part in pair)]
    return sha256(*parts, _put(value))


def _put(text: str | None) -> bytes:
    if text is None:
        return b"\xff\xff\xff\xff"
    value = base64.b64decode(text, validate=True)
    return struct.pack(">I", len(value)) + value


def entry_of(topic: str, partition: int, offset: int, digest: bytes) -> bytes:
    return f"sluicegate/v1 {topic} {partition} {offset} {digest.hex()}\n".encode()


class Log:
    """One partition's entries, read as far as its heads reach."""

    def __init__(self, bundle: Bundle, topic: str, partition: int) -> None:
        self.bundle, self.topic, self.partition = bundle, topic, partition
        self.say = partial(bundle.say, topic=topic, partition=partition)
        start = bundle.starts.get((topic, partition), BEGIN)
        self.tree, self.offset = Tree(start["log"]), start["next_offset"] - 1
        self.size = self.good = self.tree.size
        self.whole, self.broken = True, False
        self.lines = bundle.lines(f"entries/{topic}/{partition}.txt")
        self.ahead: tuple[int, int, bytes] | None = None

    def hold(self, size: int, root: bytes, head: int) -> None:
        """Hold the entries against a logged head."""
        self.advance(size)
        if self.size < size:
            self._miss(size)
        if self.whole and self.tree.size == size and self.tree.root == root:
            self.good, self.broken = size, False
        elif self.whole and not self.broken:
            self.broken = True
            self.say("altered", leaf=(self.good, max(size - 1, self.good)), head=(head, head))

    def advance(self, size: int | None) -> None:
        """Take the entries of all leaves below `size`; without it, those that no head reaches."""
        self.ahead = self.ahead or self._read()
        while self.ahead and (size is None or self.ahead[0] < size):
            self._take(*self.ahead, size is not None)
            self.ahead = self._read()

    def _read(self) -> tuple[int, int, bytes] | None:
        for line in self.lines:
            found = re.fullmatch(r"(\d{1,19}) (\S+ \S+ \S+ (\d{1,19}) ([0-9a-f]{64})\n)", line)
            if found:
                leaf, offset, digest = int(found[1]), int(found[3]), bytes.fromhex(found[4])
                if entry_of(self.topic, self.partition, offset, digest) == found[2].encode():
                    return leaf, offset, digest
            self.say("damaged", detail=f"entry `{line[:80]}`")
        return None

    def _miss(self, size: int) -> None:
        """Leaves below `size` are not there: no root can be known from here on."""
        self.say("missing", leaf=(self.size, size - 1))
        self.size, self.whole = size, False

    def _take(self, leaf: int, offset: int, digest: bytes, logged: bool) -> None:
        where: Any = {"offset": offset, "leaf": (leaf, leaf)}
        if self.bundle.digests.pop((self.topic, self.partition, offset), digest) != digest:
            self.say("edited", **where)
        if leaf < self.size:
            self.say("duplicated" if offset == self.offset else "reordered", **where)
            return
        if leaf > self.size:
            self._miss(leaf)
        if not logged or offset <= self.offset:
            self.say("reordered" if logged else "inserted", **where)
        self.offset, self.size = offset, self.size + 1
        self.tree.add(sha256(b"\x00", entry_of(self.topic, self.partition, offset, digest)))


class Bundle:
    """One bundle, and what was found in it."""

    def __init__(
        self, path: Path, keys: Sequence[str], held: Sequence[Path], witnesses: Sequence[str] = ()
    ) -> None:
        self.path, self.more, self.records, self.heads, self.proofs = path, 0, 0, 0, 0
        self.found, self.digests, self.read = list[Finding](), dict[Any, Any](), set[str]()
        self.logs, self.led = dict[tuple[str, int], Log](), Counter[tuple[int, bytes]]()
        self.keys = [read_key(1, text) for text in keys or self.lines("keys.txt")]
        self.witnesses = [read_key(4, text) for text in witnesses]
        names = [f"held/{one.name}" for one in sorted((path / "held").glob("*"))]
        own = read_note("checkpoint", self.text("checkpoint"), [*self.keys, *self.witnesses])
        # What was held elsewhere is known by what it says: a file in the bundle may have its name.
        self.held = [note for one in held for note in self._note(str(one), one.read_text("utf-8"))]
        inside = [note for name in names for note in self._note(name, self.text(name))]
        self.notes = [own, *inside, *self.held]
        self.origin = own.origin
        self.hole = json.loads(self.text("hole.json") or "{}")
        standing = self.hole.get("standing", {"partitions": [], "archive": EMPTY})
        self.start = standing["archive"]
        self.starts = {(one["topic"], one["partition"]): one for one in standing["partitions"]}

    def say(self, *what: Any, **where: Any) -> None:
        self.more += len(self.found) >= MOST
        self.found += [Finding(*what, **where)] if len(self.found) < MOST else []

    def lines(self, name: str) -> Iterator[str]:
        self.read.add(name)
        if (self.path / name).is_file():
            with (self.path / name).open(encoding="utf-8", errors="replace", newline="\n") as file:
                yield from file

    def text(self, name: str) -> str:
        return "".join(self.lines(name))

    def verify(self) -> None:
        for note in [one for one in self.notes if not self._signed(one.signers, one.origin)]:
            self.notes.remove(note)
            self.say("signature", detail=note.source)
        self._begin()
        for one in map(json.loads, self.lines("records.jsonl")):
            self._record(**one)
        for proof in map(json.loads, self.lines("proofs.jsonl")):
            self._prove(**proof)
        if any((self.path / one).exists() for one in ("heads.txt", "entries", "hole.json")):
            self._walk()
        elif len({one.size for one in self.notes}) < len({one[2:4] for one in self.notes}):
            self.say("forked", detail="two checkpoints of one size")
        for where in self.digests:
            self.say("inserted", *where)
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path).as_posix()
            if path.is_symlink() or not (
                path.is_dir() or name in self.read or BESIDE.fullmatch(name)
            ):
                self.say("unknown", detail=name)

    def _note(self, source: str, text: str) -> Iterator[Checkpoint]:
        try:
            yield read_note(source, text, [*self.keys, *self.witnesses])
        except ValueError as error:
            self.say("signature", detail=f"{source}: {error}")

    def _signed(self, signers: dict[Key, int], origin: str) -> bool:
        return origin == self.origin and any(key.kind == 1 for key in signers)

    def _begin(self) -> None:
        """Where the logs begin is the archiver's word, which has to be signed."""
        text, note = self.text("hole.json"), self.text("hole.note")
        if text or note:
            said, signers = open_note(note, self.keys) if note else ("", {})
            span = f"{self.hole.get('first')}-{self.hole.get('last')}"
            digest = sha256(text.encode()).hex()
            wanted = f"sluicegate hole v1\n{self.origin}\n{span}\n{digest}\n"
            if said != wanted or not self._signed(signers, self.origin):
                self.say("signature", detail="hole.json")

    def _record(self, topic: str, partition: int, offset: int, **held: Any) -> None:
        self.records += 1
        digest = record_digest(**held)
        if self.digests.setdefault((topic, partition, offset), digest) != digest:
            self.say("duplicated", topic, partition, offset)

    def _prove(
        self, topic: str, partition: int, offset: int, digest: str, leaf: int, size: int,
        path: list[str], head: int, archive_size: int, archive_path: list[str],
    ) -> None:  # fmt: skip
        """One record, by its path to a head and that head's path to a checkpoint's root."""
        self.proofs += 1
        where, logged = (topic, partition, offset), bytes.fromhex(digest)
        up, over = ([bytes.fromhex(one) for one in both] for both in (path, archive_path))
        root = root_of(sha256(b"\x00", entry_of(*where, logged)), leaf, size, up)
        name = f"{self.origin.rpartition('/')[0]}/{topic}/{partition}"
        entry = f"{name}\n{size}\n{base64.b64encode(root or b'').decode()}\n"
        top = root_of(sha256(b"\x00", entry.encode()), head, archive_size, over)
        self.led[archive_size, top or b""] += 1
        if (archive_size, top) not in [(one.size, one.root) for one in self.notes]:
            self.say("inserted", *where, (leaf, leaf), detail="its proof leads to no checkpoint")
        if self.digests.pop(where, logged) != logged:
            self.say("edited", *where, (leaf, leaf))

    def _walk(self) -> None:
        """Every head in its order, each held against the entries; their root against each checkpoint."""
        tree, lines = Tree(self.start), self.lines("heads.txt")
        wanted, roots, began = {one.size for one in self.notes}, {tree.size: tree.root}, tree.size
        while head := list(islice(lines, 3)):
            origin, size, root = head
            topic, number = origin.rstrip("\n").split("/")[-2:]
            log = self.logs.setdefault((topic, int(number)), Log(self, topic, int(number)))
            log.hold(int(size), decoded(root[:-1]), tree.size)
            tree.add(sha256(b"\x00", f"{origin}{size}{root}".encode()))
            roots.update({tree.size: tree.root} if tree.size in wanted else {})
        for path in (self.path / "entries").glob("*/*.txt"):
            known = (path.parent.name, int(path.stem))
            self.logs.setdefault(known, Log(self, *known)).advance(None)
        self.heads, agreed = tree.size, 0
        for note in sorted(self.notes, key=lambda one: one.size):
            if note.size > tree.size:
                self.say("truncated", head=(tree.size, note.size - 1), detail=note.source)
            elif note.size >= began and roots.get(note.size) != note.root:
                self.say("forked", head=(agreed, note.size - 1), detail=note.source)
                break
            elif note.size >= began:
                agreed, self.led[note.size, note.root] = note.size, 1
        if agreed < tree.size and not self.found:
            self.say("unsigned", head=(agreed, tree.size - 1))

    def relative(self) -> Iterator[str]:
        """Relative to what this proves anything."""
        outside = 0
        for note in self.notes:
            led = self.led[note.size, note.root]
            if led and (note in self.held or any(one.kind == 4 for one in note.signers)):
                outside = max(outside, note.size)
            by = ", ".join(f"{key.name}{moment(at)}" for key, at in note.signers.items())
            yield f"{'' if led else 'not '}relative to {note.source}: size {note.size}, signed by {by}"
            if led and not self.heads:
                yield f"    {led} of {self.proofs} proofs lead there"
        if not outside:
            yield "without a checkpoint that you held, or a witness that you trust, the key's owner"
            yield "    could have written it anew"
        elif outside < self.heads:
            yield f"the last {self.heads - outside} heads are newer than what binds the key's owner"
        if self.hole:
            yield f"records up to {self.hole['last']} were dropped: {self.hole.get('reason')}"


def moment(at: int) -> str:
    return time.strftime(" on %Y-%m-%d at %H:%M:%S UTC", time.gmtime(at)) if at else ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify a proof bundle of a Sluicegate archive.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", action="append", default=[], help="verifier key that you trust")
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, help="one you held")
    parser.add_argument("--witness", action="append", default=[], help="key of one that you trust")
    chosen = parser.parse_args()
    try:
        bundle = Bundle(chosen.bundle, chosen.key, chosen.checkpoint, chosen.witness)
        bundle.verify()
        if not bundle.heads + bundle.proofs:
            raise ValueError("there are neither heads nor proofs in it")
    except Exception as error:
        print(plain(f"cannot be verified: {type(error).__name__}: {error}"))
        return 2
    print("".join(f"{told(found)}\n" for found in bundle.found), end="")
    print(f"{bundle.records} records, {bundle.proofs} proofs, {bundle.heads} heads; ", end="")
    print(f"{len(bundle.found) + bundle.more} findings: NOT proved" if bundle.found else "proved")
    for line in bundle.relative():
        print(plain(line))
    if not chosen.key:
        print("the keys are the bundle's own: compare keys.txt with what you were given elsewhere")
    return 1 if bundle.found else 0


if __name__ == "__main__":
    raise SystemExit(main())
