"""
One verification, from the first record to the signed head, in constant memory.

    files that readers see ──▶ rows ──▶ PartitionLog ──heads──▶ ArchiveLog ── == anchors? ──▶ Report
                     └──▶ typed columns, made again beside it

INVARIANT: nothing is skipped in silence; a file that cannot be read and a record that is not there are
findings, and the rest is verified as far as what is there allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from analytics.archive.record import Partition
from analytics.verify.anchors import Anchor, Keys, Source
from analytics.verify.archive_log import ArchiveLog
from analytics.verify.columns import TypedColumns
from analytics.verify.findings import Finding, Findings
from analytics.verify.origins import Origin, dropped
from analytics.verify.partition import PartitionLog
from analytics.verify.report import Report
from analytics.verify.rows import LogRow
from analytics.verify.sealed import Sealed, sealed_days
from analytics.verify.standing import PartitionState, Reached, StateFile, TreeState
from analytics.verify.twofold import Twofold
from analytics.verify.views_database import views_database
from analytics.verify.walking import Walk
from enforcers.errors import ArchiveError, SignatureError

Progress = Callable[[int, int], None]
"""Records that were read, and how many there are."""

SAVE_EVERY_S = 5.0
_ROUNDS = 3
"""How often to read on because a live archive signed more meanwhile."""
_MOST_PARTITIONS = 100_000


@dataclass(frozen=True, slots=True)
class Task:
    """What to verify, and by which keys and checkpoints."""

    directory: Path
    keys: Keys
    held: tuple[tuple[str, str], ...] = ()
    """Checkpoints that were kept elsewhere: name and text."""
    typed: bool = True
    state: StateFile | None = None
    resume: bool = False


def verify(task: Task, progress: Progress = lambda done, of: None) -> Report:
    """Verify an archive. Raises ArchiveError where there is none, or nothing that was signed."""
    return _Verification(task, progress).run()


class _Verification:
    def __init__(self, task: Task, progress: Progress) -> None:
        self._task, self._progress = task, progress
        self._directory = task.directory.resolve()
        self._findings = Findings()
        self._own = Origin.of(self._directory, task.keys, self._findings.add)
        self._partitions: dict[Partition, PartitionLog] = {}
        self._archive = ArchiveLog(
            self._own.cluster, self._findings.add, lambda: len(self._partitions)
        )
        self._first, self._after, self._resumed, self._hole = 1, 0, 0, ""
        self._saved = time.monotonic()
        self._foreign: set[str] = set()
        self._sealed = Sealed()

    def run(self) -> Report:
        began = time.monotonic()
        anchors = list(self._anchors())
        self._begin(anchors)
        for anchor in anchors:
            self._archive.hold(anchor)
        self._sealed = sealed_days(
            self._directory, self._own, self._task.keys, self._first - 1, self._findings.add
        )
        typed = TypedColumns() if self._task.typed else None
        with closing(typed) if typed else nullcontext():
            rows = self._walk(typed)
        return self._report(rows, time.monotonic() - began)

    def _walk(self, typed: TypedColumns | None) -> int:
        first, say = self._after + 1, self._findings.add
        with closing(Walk(self._directory, first, self._first, say, typed, self._sealed)) as walk:
            self._read(walk)
            for _ in range(_ROUNDS):
                if self._is_behind():
                    self._read(walk)
            self._look_again(walk)
        self._end()
        return walk.rows

    def _look_again(self, walk: Walk) -> None:
        """What readers see at the end, and what they see of it through the other file of views."""
        walk.look()
        views_database(self._directory, walk.look, self._first, self._after, self._findings.add)

    def _begin(self, anchors: Sequence[Anchor]) -> None:
        hole = dropped(self._directory, self._own, self._task.keys, self._findings.add)
        if hole is not None:
            self._hole = hole.told
            self._go_on(hole.begins)
            self._first = hole.begins.seq + 1
        state, resume = self._task.state, self._task.resume
        known = state.read(self._directory, self._own.cluster) if state and resume else None
        if known is None or known.first != self._first or known.typed < self._task.typed:
            return
        # A checkpoint of a size that was passed already could not be compared.
        if anchors and all(anchor.size >= known.archive.size for anchor in anchors):
            self._go_on(known)
            self._resumed = known.seq

    def _read(self, walk: Walk) -> None:
        # Closed at once, so that no thread types any more when an error lets go of its connection.
        with closing(walk.batches(lambda: self._archive.reaches_anchors)) as batches:
            for rows in batches:
                for row in rows:
                    self._take(row)
                self._progress(walk.rows, walk.total)
                self._after = walk.next - 1
                if self._is_due():
                    # What is kept as verified has to have been typed again, too.
                    walk.catch_up()
                    self._save()
        self._after = walk.next - 1

    def _is_behind(self) -> bool:
        """Whether a live archive signed more meanwhile, which has to be read too."""
        newest = self._newest()
        if newest is None or newest == self._own.anchor or not self._archive.reaches_anchors:
            return False
        self._own = replace(self._own, anchor=newest)
        self._archive.hold(newest)
        return not self._archive.reaches_anchors

    def _newest(self) -> Anchor | None:
        """The signed head as it is now, where it is this log's."""
        found = Origin.of(self._directory, self._task.keys, lambda _: None).anchor
        return found if found is not None and found.origin == self._own.origin else None

    def _go_on(self, reached: Reached) -> None:
        self._after = reached.seq
        self._archive.begin(reached)
        self._partitions = {}
        for one in reached.partitions:
            log = self._partition(one.topic, one.partition)
            log.log, log.offset = Twofold(one.log.grown()), one.offset
            log.good, log.headed, log.last_seq = one.good, one.headed, one.seq

    def _anchors(self) -> Iterator[Anchor]:
        if self._own.anchor is not None:
            yield self._own.anchor
        for name, text in self._task.held:
            try:
                anchor = self._task.keys.anchor(Source.HELD, name, text)
            except SignatureError as error:
                self._findings.add(Finding("signature", detail=f"{name}: {error}"))
                continue
            if anchor.origin != self._own.origin:
                about = f"{name} is of `{anchor.origin}`, not of `{self._own.origin}`"
                self._findings.add(Finding("forked", detail=about))
            else:
                yield anchor

    def _take(self, row: LogRow) -> None:
        if row.cluster != self._own.cluster and row.cluster not in self._foreign:
            self._foreign.add(row.cluster)
            place = (row.topic, row.partition, row.offset, (row.leaf, row.leaf))
            seq = (row.seq, row.seq)
            self._findings.add(Finding("column", *place, seq=seq, detail="`cluster_id`"))
        for head in self._partition(row.topic, row.partition).take(row):
            self._archive.take(head)
        if row.note is not None:
            self._archived(row)

    def _archived(self, row: LogRow) -> None:
        """Anybody may write to the topic; only what the archiver signed for this log counts."""
        name = f"record {row.topic}[{row.partition}] offset {row.offset}"
        with suppress(SignatureError, UnicodeDecodeError):
            text = (row.note or b"").decode()
            anchor = self._task.keys.anchor(Source.ARCHIVED, name, text, row.seq)
            if anchor.origin == self._own.origin:
                self._archive.hold(anchor)

    def _partition(self, topic: str, partition: int) -> PartitionLog:
        place = (topic, partition)
        if place not in self._partitions:
            if len(self._partitions) >= _MOST_PARTITIONS:
                raise ArchiveError(
                    f"`{self._directory}` names more than {_MOST_PARTITIONS} partitions, which no"
                    " cluster has; somebody changed it"
                )
            self._partitions[place] = PartitionLog(topic, partition, self._findings.add)
        return self._partitions[place]

    def _end(self) -> None:
        for log in self._partitions.values():
            for head in log.finish():
                self._archive.take(head)
        newest = self._newest()
        grows = newest is not None and newest.size > self._archive.log.size
        self._archive.finish(self._archive.reaches_anchors and grows)
        self._save()
        if self._findings and self._task.state is not None:
            self._task.state.forget()

    def _is_due(self) -> bool:
        return self._task.state is not None and time.monotonic() - self._saved >= SAVE_EVERY_S

    def _save(self) -> None:
        state = self._task.state
        if state is None or self._findings or not self._archive.clean:
            return
        if all(log.clean for log in self._partitions.values()):
            self._saved = time.monotonic()
            state.write(self._reached())

    def _reached(self) -> Reached:
        return Reached(
            directory=str(self._directory),
            cluster=self._own.cluster,
            first=self._first,
            seq=self._after,
            archive=TreeState.of(self._archive.log.stored),
            agreed=self._archive.agreed,
            agreed_seq=self._archive.agreed_seq,
            typed=self._task.typed,
            partitions=tuple(
                PartitionState(
                    topic=topic,
                    partition=partition,
                    offset=one.offset,
                    seq=one.last_seq,
                    good=one.good,
                    headed=one.headed,
                    log=TreeState.of(one.log.stored),
                )
                for (topic, partition), one in self._partitions.items()
            ),
        )

    def _report(self, rows: int, seconds: float) -> Report:
        return Report(
            origin=self._own.origin,
            rows=rows,
            first_seq=self._first,
            last_seq=self._after,
            heads=self._archive.log.size,
            partitions=len(self._partitions),
            seconds=seconds,
            findings=self._findings,
            anchors=tuple(self._archive.seen),
            archived=self._archive.archived,
            unplaced=self._archive.unplaced,
            hole=self._hole,
            resumed=self._resumed,
            growing=self._archive.growing,
            typed=self._task.typed,
            sealed=self._sealed.until,
        )
