"""
One partition's log, computed again from its rows and held against every stored head.

    row ──digest──▶ leaf ──▶ tree ── == head? ──▶ agreed up to here, or: which leaves are in doubt

A row whose leaf is not the next one waits for the row after it, which tells a wrong number from a
missing record, and a swapped pair from both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from analytics.log.leaf import leaf_of
from analytics.verify.findings import Finding, Span
from analytics.verify.rows import LogRow
from analytics.verify.twofold import MOST_DIFFERING, Leads, Twofold
from enforcers.contract.merkle import HASH_BYTES

Say = Callable[[Finding], None]
_MOST_GAPS = 1_000


@dataclass(frozen=True, slots=True)
class Head:
    """A stored head of a partition, for the archive's own log."""

    index: int
    topic: str
    partition: int
    size: int
    seq: int
    root: bytes
    """As it is stored."""
    computed: bytes
    """As the rows give it; the stored one where they cannot."""
    nodes: bytes | None


@dataclass(slots=True)
class PartitionLog:
    """Where the verification of one partition stands."""

    topic: str
    partition: int
    say: Say
    log: Twofold = field(default_factory=Twofold)
    offset: int = -1
    good: int = 0
    """Leaves that led to a head."""
    broken: bool = False
    last_seq: int = 0
    gaps: list[tuple[Span, Span]] = field(default_factory=list)
    """Leaves that were not met yet, and the sequences that they would have."""
    parked: LogRow | None = None
    headed: int = 0
    """Leaves up to the newest stored head, whether it agreed or not."""

    def take(self, row: LogRow) -> list[Head]:
        """The next row in the order of sequences; returns the heads that are known now."""
        if self.parked is None and row.leaf == self.log.size:
            return self._grow(row)
        if self.parked is None:
            self.parked = row
            return []
        return self._unpark(row)

    @property
    def clean(self) -> bool:
        """Whether its place can be written down."""
        return not (self.parked or self.gaps or self.log.other or self.log.differing)

    def finish(self) -> list[Head]:
        """No more rows come."""
        heads = self._place_parked() if self.parked else []
        for leaves, seqs in self.gaps:
            self.say(self._finding("missing", leaf=leaves, seq=seqs))
        for found in self.log.settle(Leads.NEITHER):
            self.say(found)
        if self.headed < self.log.size:
            leaves, seqs = (self.headed, self.log.size - 1), (self.last_seq, self.last_seq)
            found = self._finding("inserted", leaf=leaves, seq=seqs, offset=self.offset)
            self.say(replace(found, detail="no head follows"))
        return heads

    def _unpark(self, row: LogRow) -> list[Head]:
        parked, size = self.parked, self.log.size
        assert parked is not None
        if row.leaf == size:
            # The parked row came too early, or was never in this place.
            heads = self._grow(row)
            self.parked = None
            self.say(self._at(parked, "reordered"))
            return heads + (self._grow(parked) if parked.leaf == self.log.size else [])
        if row.leaf == size + 1 != parked.leaf + 1:
            self.say(replace(self._at(parked, "column"), detail="`leaf_index`"))
            self.parked = None
            return self._grow(parked._replace(leaf=size)) + self._grow(row)
        return self._place_parked() + self.take(row)

    def _place_parked(self) -> list[Head]:
        """Take the parked row for what it says."""
        parked, self.parked = self.parked, None
        assert parked is not None
        if parked.leaf < self.log.size:
            self._late(parked)
            return []
        if parked.leaf > self.log.size:
            if len(self.gaps) < _MOST_GAPS:
                between = (self.last_seq + 1, max(parked.seq - 1, self.last_seq + 1))
                self.gaps.append(((self.log.size, parked.leaf - 1), between))
            self.log.skip_to(parked.leaf)
        return self._grow(parked)

    def _late(self, row: LogRow) -> None:
        """A row whose leaf was passed already."""
        for at, ((first, last), seqs) in enumerate(self.gaps):
            if first <= row.leaf <= last:
                rest = [((first, row.leaf - 1), seqs), ((row.leaf + 1, last), seqs)]
                self.gaps[at : at + 1] = [one for one in rest if one[0][0] <= one[0][1]]
                self.say(self._at(row, "reordered"))
                return
        self.say(self._at(row, "duplicated"))

    def _grow(self, row: LogRow) -> list[Head]:
        if row.offset <= self.offset:
            self.say(self._at(row, "reordered"))
        self.offset, self.last_seq = row.offset, row.seq
        leaf = leaf_of(self.topic, self.partition, row.offset, row.digest)
        if row.digest == row.computed:
            same = self.log.add(leaf, row.nodes)
        else:
            other = leaf_of(self.topic, self.partition, row.offset, row.computed)
            same = self.log.differ(leaf, other, row.nodes)
            self._differs(self._at(row, "edited"))
        if not same:
            width = 1 << 8 * max(len(row.nodes or b"") // HASH_BYTES, 1)
            leaves = (row.leaf // width * width, row.leaf)
            self._differs(replace(self._at(row, "altered"), leaf=leaves, detail="`nodes`"))
        return self._head(row) if row.head is not None or row.head_index is not None else []

    def _differs(self, finding: Finding) -> None:
        if len(self.log.differing) < MOST_DIFFERING:
            self.log.differing.append(finding)
        else:
            self.say(finding)

    def _head(self, row: LogRow) -> list[Head]:
        self.headed = self.log.size
        leads = self.log.leads_to(row.head)
        computed = (self.log.other or self.log.stored).root
        self._settled(row, leads)
        stored = row.head if row.head and len(row.head) == HASH_BYTES else None
        if stored is None or row.head_index is None:
            self.say(replace(self._at(row, "column"), detail="`head` or `head_index`"))
        root = stored or computed
        if root is None or row.head_index is None:
            return []
        other = computed if leads is Leads.NEITHER and computed else root
        size, index = self.log.size, row.head_index
        place = (index, self.topic, self.partition, size, row.seq)
        return [Head(*place, root, other, row.head_nodes)]

    def _settled(self, row: LogRow, leads: Leads) -> None:
        for found in self.log.settle(leads):
            if leads in (Leads.BYTES, Leads.BOTH):
                self.say(replace(found, kind="column", detail=found.detail or "`digest`"))
            elif found.kind != "altered" or not self.broken:
                self.say(found)
        if leads is Leads.NEITHER and not self.broken:
            first = min(self.good, row.leaf)
            head = None if row.head_index is None else (row.head_index, row.head_index)
            where = self._at(row, "altered")
            self.say(replace(where, offset=None, leaf=(first, row.leaf), head=head))
        self.broken = leads is Leads.NEITHER or (self.broken and leads is Leads.UNKNOWN)
        if leads not in (Leads.NEITHER, Leads.UNKNOWN):
            self.good = row.leaf + 1

    def _at(self, row: LogRow, kind: str) -> Finding:
        span = (row.leaf, row.leaf)
        return self._finding(kind, offset=row.offset, leaf=span, seq=(row.seq, row.seq))

    def _finding(
        self, kind: str, leaf: Span, seq: Span | None = None, offset: int | None = None
    ) -> Finding:
        return Finding(kind, self.topic, self.partition, offset, leaf, seq=seq)
