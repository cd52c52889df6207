"""
Verify a proof bundle of a Sluicegate archive: `python3 -I verify_archive.py BUNDLE`.

    checkpoint, held ones ──signed by──▶ your keys
    heads.txt                   the archive's log, whose root they sign: one entry, one partition's root
    entries/TOPIC/PARTITION.txt a partition's log: one entry, one record's place and digest
    records.jsonl, proofs.jsonl records as Kafka held them; proofs of some, without the logs

Needs Python 3.10 and nothing else. Exit codes: 0 proved, 1 something is wrong, 2 it could not be checked.
INVARIANT: nothing is believed before it leads to a root that a key signed which you trust.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
from collections.abc import Iterable, Iterator
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

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
}
"""What can be found, in the same words here and in `sluicegate audit verify`."""
MOST = 1_000
"""Findings that are listed; more are counted."""
EMPTY: dict[str, Any] = {"size": 0, "peaks": []}
place = itemgetter("topic", "partition", "offset")


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


P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
Key = tuple[str, bytes, bytes]
NEUTRAL: Point = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    found = NEUTRAL
    while number:
        found = _add(found, point) if number & 1 else found
        point, number = _add(point, point), number >> 1
    return found


def _same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def _point(encoded: bytes) -> Point | None:
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature holds. Keys and points of small order, which sign anything, are refused."""
    key = _point(public) if len(public) == 32 else None
    point = _point(signature[:32]) if len(signature) == 64 else None
    number = int.from_bytes(signature[32:], "little")
    if key is None or point is None or number >= L:
        return False
    if _same(_times(8, key), NEUTRAL) or _same(_times(8, point), NEUTRAL):
        return False
    hashed = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(hashed, "little") % L
    return _same(_times(number, BASE), _add(point, _times(challenge, key)))


class Checkpoint(NamedTuple):
    source: str
    origin: str
    size: int
    root: bytes
    signers: list[str]


def _decoded(text: str) -> bytes:
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("a second spelling of base64")
    return found


def read_key(text: str) -> Key:
    """A verifier key as C2SP writes it. Raises ValueError."""
    name, number, rest = text.strip().split("+", 2)
    material = _decoded(rest)
    found = sha256(name.encode(), b"\n", material)[:4]
    if len(material) != 33 or material[0] != 1 or found.hex() != number:
        raise ValueError(f"`{text[:80]}` is no Ed25519 key of a note")
    return name, found, material[1:]


def read_note(source: str, text: str, keys: Iterable[Key]) -> Checkpoint:
    """A signed checkpoint. Raises ValueError."""
    body, _, below = text.rpartition("\n\n")
    origin, size, root = body.split("\n")[:3]
    decoded, signers = _decoded(root), []
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size) or len(decoded) != 32 or below[-1:] != "\n":
        raise ValueError("no checkpoint")
    for line in below[:-1].split("\n")[:16]:
        dash, name, value = line.split(" ", 2)
        number, signature = _decoded(value)[:4], _decoded(value)[4:]
        known = [key[2] for key in keys if (dash, *key[:2]) == ("\u2014", name, number)]
        signers += [name for key in known if signed(key, f"{body}\n".encode(), signature)]
    return Checkpoint(source, origin, int(size), decoded, signers)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    """A tree as the roots of its perfect subtrees, the largest first."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.size, self.peaks = start["size"], [bytes.fromhex(one) for one in start["peaks"]]

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


def record_digest(record: dict[str, Any]) -> bytes:
    """SHA-256 over all of a record but its place; each part has its length before it."""
    parts = [struct.pack(">qb", record["timestamp_ms"], record["timestamp_type"])]
    parts += [_put(record["key"]), struct.pack(">I", len(record["headers"]))]
    parts += [_put(part) for pair in record["headers"] for part in pair]
    return sha256(*parts, _put(record["value"]))


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
        self.tree = Tree(bundle.starts.get(f"{topic}/{partition}", EMPTY))
        self.size = self.good = self.tree.size
        self.offset, self.whole, self.broken = -1, True, False
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

    def __init__(self, path: Path, keys: list[str], held: list[Path]) -> None:
        self.path, self.more, self.heads, self.proofs = path, 0, 0, 0
        self.found, self.digests = list[Finding](), dict[Any, Any]()
        self.logs: dict[tuple[str, int], Log] = {}
        self.keys = [read_key(text) for text in keys or self.lines("keys.txt")]
        notes = [path / "checkpoint", *sorted((path / "held").glob("*")), *held]
        self.notes = [read_note(str(one), one.read_text("utf-8"), self.keys) for one in notes]
        self.origin = self.notes[0].origin
        self.starts = json.loads("".join(self.lines("start.json")) or "{}")
        for one in map(json.loads, self.lines("records.jsonl")):
            if self.digests.setdefault(place(one), record_digest(one)) != record_digest(one):
                self.say("duplicated", *place(one))
        self.records = len(self.digests)

    def say(self, *what: Any, **where: Any) -> None:
        self.more += len(self.found) >= MOST
        self.found += [Finding(*what, **where)] if len(self.found) < MOST else []

    def lines(self, name: str) -> Iterator[str]:
        if (self.path / name).is_file():
            with (self.path / name).open(encoding="utf-8", errors="replace", newline="\n") as file:
                yield from file

    def verify(self) -> None:
        for note in [one for one in self.notes if not one.signers or one.origin != self.origin]:
            self.notes.remove(note)
            self.say("signature", detail=note.source)
        for proof in map(json.loads, self.lines("proofs.jsonl")):
            self.proofs += 1
            self._prove(proof)
        if any((self.path / one).exists() for one in ("heads.txt", "entries", "start.json")):
            self._walk()
        for where in self.digests:
            self.say("inserted", *where)

    def _prove(self, proof: dict[str, Any]) -> None:
        """One record, by its path to a head and that head's path to a checkpoint's root."""
        topic, partition, offset = where = place(proof)
        leaf, digest = proof["leaf"], bytes.fromhex(proof["digest"])
        up, over = ([bytes.fromhex(one) for one in proof[key]] for key in ("path", "archive_path"))
        root = root_of(
            sha256(b"\x00", entry_of(topic, partition, offset, digest)), leaf, proof["size"], up
        )
        name = f"{self.origin[: -len('/archive')]}/{topic}/{partition}"
        entry = f"{name}\n{proof['size']}\n{base64.b64encode(root or b'').decode()}\n"
        top = root_of(sha256(b"\x00", entry.encode()), proof["head"], proof["archive_size"], over)
        if not top or (proof["archive_size"], top) not in [one[2:4] for one in self.notes]:
            self.say("inserted", *where, (leaf, leaf), detail="its proof leads to no checkpoint")
        if self.digests.pop(where, digest) != digest:
            self.say("edited", *where, (leaf, leaf))

    def _walk(self) -> None:
        """Every head in its order, each held against the entries; their root against each checkpoint."""
        tree, lines = Tree(self.starts.get("archive", EMPTY)), self.lines("heads.txt")
        wanted, roots, began = {one.size for one in self.notes}, {tree.size: tree.root}, tree.size
        for origin, size, root in zip(lines, lines, lines, strict=False):
            topic, number = origin.rstrip("\n").split("/")[-2:]
            log = self.logs.setdefault((topic, int(number)), Log(self, topic, int(number)))
            log.hold(int(size), _decoded(root[:-1]), tree.size)
            tree.add(sha256(b"\x00", f"{origin}{size}{root}".encode()))
            roots.update({tree.size: tree.root} if tree.size in wanted else {})
        for path in (self.path / "entries").glob("*/*.txt"):
            known = (path.parent.name, int(path.stem))
            self.logs.setdefault(known, Log(self, *known)).advance(None)
        self.heads, agreed = tree.size, 0
        for note in sorted(self.notes, key=lambda one: one.size):
            if note.size > tree.size:
                self.say("truncated", head=(tree.size, note.size - 1), detail=note.source)
            elif note.size < began:
                self.say("unsigned", head=(note.size, began), detail=f"{note.source}: not compared")
            elif roots.get(note.size) != note.root:
                self.say("forked", head=(agreed, note.size - 1), detail=note.source)
                break
            agreed = note.size
        if agreed < tree.size and not self.found:
            self.say("unsigned", head=(agreed, tree.size - 1))


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify a proof bundle of a Sluicegate archive.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", action="append", default=[], help="verifier key that you trust")
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, help="one you held")
    chosen = parser.parse_args()
    try:
        bundle = Bundle(chosen.bundle, chosen.key, chosen.checkpoint)
        bundle.verify()
        if not bundle.heads + bundle.proofs:
            raise ValueError("there are neither heads nor proofs in it")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        print(plain(f"cannot be verified: {type(error).__name__}: {error}"))
        return 2
    print("".join(f"{told(found)}\n" for found in bundle.found), end="")
    print(f"{bundle.records} records, {bundle.proofs} proofs, {bundle.heads} heads; ", end="")
    print(f"{len(bundle.found) + bundle.more} findings: NOT proved" if bundle.found else "proved")
    for note in bundle.notes:
        print(plain(f"relative to {note.source}: size {note.size}, signed by {note.signers[0]}"))
    if len(bundle.notes) < 2:
        print("without a checkpoint that you held, the key's owner could have written it anew")
    if bundle.starts:
        print("it begins behind records that are not in it: start.json says so, and is not signed")
    if not chosen.key:
        print("the keys are the bundle's own: compare keys.txt with what you were given elsewhere")
    return 1 if bundle.found else 0


if __name__ == "__main__":
    raise SystemExit(main())
