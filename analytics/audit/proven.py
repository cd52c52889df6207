"""
Whether records that a story rests on are in the archive's log, and whether two signed heads are of one history.

    record ──its bytes, hashed anew──▶ digest ──paths──▶ root ◀──signed── checkpoint ──▶ ProofSeen

INVARIANT: `valid` means that the bytes which were told, hashed here, lead to a root that a trusted archiver signed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from analytics.archive.holes import newest_hole
from analytics.audit.log_copy import log_copy
from analytics.evidence import Evidence
from analytics.log.checkpoint import Checkpoint, origin_of
from analytics.log.leaf import record_digest
from analytics.log.tree import Frontier, grow
from analytics.rows import Row, rows
from analytics.said import WordSeen
from analytics.seen import ActionSeen
from analytics.verify.anchors import Keys
from analytics.verify.bundle import Place
from analytics.verify.proof import proof_of
from analytics.verify.rows import sent_name
from enforcers.contract.merkle import leaf_hash
from enforcers.errors import ArchiveError, SignatureError

AT_A_TIME = 50_000
"""Heads that are in memory together."""
FEW = 20
"""So many records are proved from the archive's files; for more, what they need is copied first."""


@dataclass(frozen=True, slots=True)
class ProofSeen:
    """What proves one record."""

    what: str
    """`proposal`, `verdict`, `outcome` …"""
    evidence: Evidence
    leaf: int | None
    """Index in the log of its partition."""
    size: int | None
    """Leaves of that log at the head that covers it."""
    head: int | None
    """Index of that head in the archive's own log."""
    archive_size: int | None
    """Heads in the signed checkpoint."""
    state: str
    """`valid`, or why not."""

    @property
    def valid(self) -> bool:
        """Whether it leads to a root that a trusted archiver signed."""
        return self.state == "valid"


def records_behind(seen: ActionSeen) -> Iterator[tuple[str, Evidence]]:
    """The records that the story of an action rests on: what counts, each once."""
    yield "proposal", seen.evidence
    if seen.verdict:
        yield "verdict", seen.verdict.evidence
    if seen.outcome:
        yield "outcome", seen.outcome.evidence
    for what, words in _words(seen):
        yield from ((what, one.evidence) for one in words if one.counts)


def _words(seen: ActionSeen) -> Iterator[tuple[str, Iterable[WordSeen]]]:
    for approval in seen.words.approvals:
        yield "request", approval.requests
        yield "vote", approval.votes
    yield "grant", seen.words.grants
    yield "wish", seen.words.wishes
    yield "quarantine", seen.words.quarantines
    yield "policy", seen.words.publications


def proofs_of(
    connection: duckdb.DuckDBPyConnection, directory: Path, seen: Sequence[ActionSeen], keys: Keys
) -> dict[int, tuple[ProofSeen, ...]]:
    """A proof for each record behind these actions, by the sequence of the action's record. Raises ArchiveError."""
    behind = {one.evidence.seq: tuple(records_behind(one)) for one in seen}
    prover = _Prover(connection, directory, keys)
    prover.prepare({_place(at) for records in behind.values() for _, at in records})
    return {
        seq: tuple(prover.proven(what, at) for what, at in records)
        for seq, records in behind.items()
    }


def _place(at: Evidence) -> Place:
    return at.topic, at.partition, at.offset


class _Prover:
    """Proves each record once, however many actions rest on it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, directory: Path, keys: Keys) -> None:
        self._connections = [connection]
        self._directory = directory
        self._keys = keys
        self._known: dict[int, ProofSeen] = {}

    def prepare(self, places: Collection[Place]) -> None:
        """Copy what the proofs of many records need."""
        if len(places) > FEW and self._keys.public:
            self._connections.insert(0, log_copy(self._connections[0], places))

    def proven(self, what: str, at: Evidence) -> ProofSeen:
        """The proof of a record that is told of as `what`."""
        if at.seq not in self._known:
            self._known[at.seq] = self._proven(what, at)
        return replace(self._known[at.seq], what=what)

    def _proven(self, what: str, at: Evidence) -> ProofSeen:
        if not self._keys.public:
            return _unproved(what, at, "not checked: no archiver's key is trusted")
        for connection in self._connections:
            try:
                proof = proof_of(connection, self._directory, *_place(at))
                break
            except (ArchiveError, SignatureError) as error:
                why = str(error)
        else:
            return _unproved(what, at, why)
        state = "valid"
        try:
            proof.check(self._keys, _digest(connection, at.seq))
        except SignatureError as error:
            state = str(error)
        return ProofSeen(what, at, proof.leaf, proof.size, proof.head, proof.archive_size, state)


def _unproved(what: str, at: Evidence, why: str) -> ProofSeen:
    return ProofSeen(what, at, None, None, None, None, why)


def proved_once(proofs: Mapping[int, Sequence[ProofSeen]]) -> tuple[ProofSeen, ...]:
    """Every record behind these actions once, by its place in the archive, though several rest on it."""
    found = {one.evidence.seq: one for some in proofs.values() for one in some}
    return tuple(one for _, one in sorted(found.items()))


def _digest(connection: duckdb.DuckDBPyConnection, seq: int) -> bytes:
    """Of the very bytes that were told of, whatever digest is stored beside them."""
    for row in rows(connection, "record_at", seq=seq):
        headers = [(sent_name(one["name"]) or b"", one["value"]) for one in row["headers"]]
        whole = (row["timestamp_ms"], row["timestamp_type"], row["key"], headers, row["value"])
        return record_digest(*whole)
    raise SignatureError("the record is not there any more")


def agreeing(
    connection: duckdb.DuckDBPyConnection, directory: Path, wanted: dict[int, bytes]
) -> dict[int, bool]:
    """
    Whether the archive's heads give these roots at these sizes: those that agree are of one history.

    A size that the archive no longer reaches back to is left out. Raises ArchiveError.
    """
    hole = newest_hole(directory)
    tree = hole.standing.archive.frontier if hole else Frontier()
    roots = {tree.size: tree.root}
    for first in range(tree.size, max(wanted, default=0), AT_A_TIME):
        end = min(first + AT_A_TIME, max(wanted))
        found = rows(connection, "heads_between", first=first, end=end)
        leaves = [_leaf(row) for row in found]
        begin = 0
        for stop in sorted(
            {*(size - first for size in wanted if first < size <= end), end - first}
        ):
            tree, _ = grow(tree, leaves[begin:stop])
            roots[first + stop] = tree.root if tree.size == first + stop else b""
            begin = stop
    low = min(roots)
    return {size: roots.get(size) == root for size, root in wanted.items() if size >= low}


def _leaf(row: Row) -> bytes:
    origin = origin_of(row["cluster_id"], row["topic"], row["partition"])
    return leaf_hash(str(Checkpoint(origin, row["size"], row["head"])).encode())
