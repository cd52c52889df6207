"""
The archive's own log, computed again from the heads of all partitions and held against anchors.

    heads, in the order of their index ──▶ tree ── == root of every checkpoint of that size?

Heads of one commit come in the order of their rows, so a few of them wait for their turn.
INVARIANT: memory does not grow with the log; roots of the last `WINDOW` sizes are kept, because a
checkpoint is archived after the heads that it speaks of.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from analytics.log.checkpoint import head_leaf
from analytics.log.tree import EMPTY_ROOT
from analytics.verify.anchors import Anchor, Source
from analytics.verify.findings import Finding
from analytics.verify.partition import Head, Say
from analytics.verify.peaks import Unknown
from analytics.verify.standing import Reached
from analytics.verify.twofold import MOST_DIFFERING, Leads, Twofold

WINDOW = 65_536
_MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class _Past:
    """The roots at one size, and the sequence of the newest head in it."""

    size: int
    stored: Unknown
    bytes: Unknown
    seq: int


@dataclass(slots=True)
class ArchiveLog:
    """Where the verification of the archive's log stands."""

    cluster: str
    say: Say
    partitions: Callable[[], int]
    log: Twofold = field(default_factory=Twofold)
    agreed: int = 0
    """Size of the largest checkpoint that agrees."""
    agreed_seq: int = 0
    bound: tuple[int, int] = (0, 0)
    """Size and sequence of the largest held checkpoint that agrees: a forger agrees with all others."""
    parted: bool = False
    growing: int = 0
    """Heads that a live archive signed after the checkpoint that was compared."""
    unplaced: int = 0
    """Checkpoints that were archived too late to be compared."""
    archived: int = 0
    """Archived checkpoints that agree."""
    seen: list[tuple[Anchor, bool]] = field(default_factory=list)
    """What is known of those that are not archived ones."""
    _pending: dict[int, Head] = field(default_factory=dict)
    _past: deque[_Past] = field(default_factory=lambda: deque(maxlen=_window()))
    _waiting: list[Anchor] = field(default_factory=list)
    _seq: int = 0

    @property
    def clean(self) -> bool:
        """Whether its place can be written down."""
        return not (self._pending or self.log.other or self.log.differing or self.parted)

    @property
    def reaches_anchors(self) -> bool:
        """Whether no checkpoint is larger than what was read."""
        return not self._waiting

    def begin(self, reached: Reached) -> None:
        """Go on where another verification, or what was dropped, ended."""
        self.log = Twofold(reached.archive.grown())
        self.agreed, self.agreed_seq, self._seq = reached.agreed, reached.agreed_seq, reached.seq
        root = self.log.stored.root
        self._past.append(_Past(self.log.size, root, root, reached.seq))

    def take(self, head: Head) -> None:
        """A head, in the order of rows."""
        if head.index < self.log.size or head.index in self._pending:
            self.say(_at(head, "duplicated"))
            return
        self._pending[head.index] = head
        self._drain()
        # One commit has at most one head of each partition.
        if len(self._pending) > self.partitions() + 1:
            self._skip()

    def _drain(self) -> None:
        while (head := self._pending.pop(self.log.size, None)) is not None:
            self._grow(head)

    def _skip(self) -> None:
        """The next head never came."""
        first, last = self.log.size, min(self._pending) - 1
        self.say(Finding("missing", head=(first, last), detail="heads of partitions"))
        self.log.skip_to(last + 1)
        self._drain()

    def _grow(self, head: Head) -> None:
        leaf = self._leaf(head, head.root)
        if head.computed == head.root:
            same = self.log.add(leaf, head.nodes)
        else:
            same = self.log.differ(leaf, self._leaf(head, head.computed), head.nodes)
            self._differs(_at(head, "column", "`head`"))
        if not same:
            self._differs(_at(head, "column", "`head_nodes`"))
        self._seq = max(self._seq, head.seq)
        other = self.log.other or self.log.stored
        root = self.log.stored.root
        both = root if self.log.other is None else other.root
        self._past.append(_Past(self.log.size, root, both, self._seq))
        if self._waiting:
            self._compare_waiting()

    def _differs(self, finding: Finding) -> None:
        if len(self.log.differing) < MOST_DIFFERING:
            self.log.differing.append(finding)
        else:
            self.say(finding)

    def _leaf(self, head: Head, root: bytes) -> bytes:
        return head_leaf(self.cluster, head.topic, head.partition, head.size, root)

    def hold(self, anchor: Anchor) -> None:
        """Compare with a signed checkpoint, now or when the log is large enough."""
        if anchor.size > self.log.size:
            if len(self._waiting) < _MOST_WAITING or anchor.source is not Source.ARCHIVED:
                self._waiting.append(anchor)
            else:
                self.unplaced += 1
        else:
            self._compare(anchor)

    def _compare_waiting(self) -> None:
        due = [anchor for anchor in self._waiting if anchor.size <= self.log.size]
        if due:
            self._waiting = [one for one in self._waiting if one.size > self.log.size]
        for anchor in due:
            self._compare(anchor)

    def _compare(self, anchor: Anchor) -> None:
        past = self._past_at(anchor.size)
        if past is None:
            self._unknown(anchor)
            return
        leads = _leads(past, anchor.root)
        if leads is Leads.UNKNOWN:
            self._unknown(anchor)
        elif leads is Leads.NEITHER:
            self._part(anchor, past)
        else:
            self._agree(anchor, past, leads)

    def _past_at(self, size: int) -> _Past | None:
        if size == 0:
            return _Past(0, EMPTY_ROOT, EMPTY_ROOT, 0)
        at = bisect_left(self._past, size, key=lambda one: one.size)
        found = self._past[at] if at < len(self._past) else None
        return found if found is not None and found.size == size else None

    def _unknown(self, anchor: Anchor) -> None:
        self.unplaced += 1
        if anchor.source is not Source.ARCHIVED:
            self.seen.append((anchor, False))
        if anchor.source is Source.OWN:
            where = (anchor.size, max(self.log.size - 1, anchor.size))
            self.say(
                Finding("unsigned", head=where, detail=f"{anchor.name} lies before what is kept")
            )

    def _agree(self, anchor: Anchor, past: _Past, leads: Leads) -> None:
        if anchor.size == self.log.size:
            self._settle(leads)
        if anchor.size > self.agreed:
            self.agreed, self.agreed_seq = anchor.size, past.seq
        if anchor.source is Source.HELD:
            self.bound = max(self.bound, (anchor.size, past.seq))
        self._note(anchor, True)

    def _settle(self, leads: Leads) -> None:
        said = self.log.settle(leads)
        for found in said:
            # Where the stored heads are the signed ones, their partition has said what was changed.
            # But `head_nodes` are read for proofs, and no partition speaks of them.
            if leads is not Leads.STORED or found.detail == "`head_nodes`":
                self.say(found)

    def _part(self, anchor: Anchor, past: _Past) -> None:
        self._note(anchor, False)
        if self.parted and anchor.source is Source.ARCHIVED:
            return
        self.parted = True
        known = (self.agreed, self.agreed_seq)
        size, seq = self.bound if anchor.source is Source.HELD else known
        last = max(anchor.size - 1, 0)
        heads, seqs = (min(size, last), last), (min(seq + 1, past.seq), past.seq)
        self.say(Finding("forked", head=heads, seq=seqs, detail=anchor.name))

    def _note(self, anchor: Anchor, agrees: bool) -> None:
        if anchor.source is not Source.ARCHIVED:
            self.seen.append((anchor, agrees))
        elif agrees:
            self.archived += 1

    def finish(self, grows: bool) -> None:
        """No more heads come: what was signed beyond them is missing, what is beyond all was never signed."""
        while self._pending:
            self._skip()
        for found in self.log.settle(Leads.NEITHER):
            self.say(found)
        size = self.log.size
        for anchor in sorted(self._waiting, key=lambda one: one.size):
            if anchor.size <= size:
                self._compare(anchor)
                continue
            self._note(anchor, False)
            self.say(Finding("truncated", head=(size, anchor.size - 1), detail=anchor.name))
        self._waiting = []
        if grows:
            self.growing = size - self.agreed
        elif self.agreed < size and not self.parted:
            first = self.agreed_seq + 1
            seq = (min(first, self._seq), self._seq)
            self.say(Finding("unsigned", head=(self.agreed, size - 1), seq=seq))


def _window() -> int:
    return WINDOW


def _leads(past: _Past, root: bytes) -> Leads:
    if past.stored == root:
        return Leads.BOTH if past.bytes == root else Leads.STORED
    if past.bytes == root:
        return Leads.BYTES
    return Leads.UNKNOWN if past.stored is None else Leads.NEITHER


def _at(head: Head, kind: str, detail: str = "") -> Finding:
    return Finding(
        kind,
        head.topic,
        head.partition,
        leaf=(head.size - 1, head.size - 1),
        head=(head.index, head.index),
        seq=(head.seq, head.seq),
        detail=detail,
    )
