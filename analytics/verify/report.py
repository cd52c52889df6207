"""What a verification showed: how much it read, what it found, and relative to what it proves anything."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.verify.anchors import Anchor, Source
from analytics.verify.findings import Findings, told


@dataclass(frozen=True, slots=True)
class Report:
    """The end of one verification."""

    origin: str
    rows: int
    """Read by this run."""
    first_seq: int
    last_seq: int
    heads: int
    partitions: int
    seconds: float
    findings: Findings
    anchors: tuple[tuple[Anchor, bool], ...]
    """Own and held checkpoints, and whether the archive agrees with each."""
    archived: int
    """Archived checkpoints that agree."""
    unplaced: int
    """Checkpoints that could not be compared."""
    hole: str = ""
    """What was dropped before the first record, on whose word."""
    growing: int = 0
    """Heads that a live archive signed after what was compared."""
    resumed: int = 0
    """Records up to here were verified by an earlier run."""
    typed: bool = True
    """Whether the typed columns were compared too."""
    sealed: int = 0
    """Files up to this record were held against signed digests; a seal that was last cannot be missed."""

    @property
    def proved(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def held(self) -> list[Anchor]:
        """Outside checkpoints that the archive agrees with."""
        found = [one for one, agrees in self.anchors if agrees and one.source is Source.HELD]
        return sorted(found, key=lambda one: one.size)

    def lines(self) -> list[str]:
        """For people; every line is about one thing."""
        return [
            *map(told, self.findings),
            *([f"{self.findings.more} more findings are not listed"] if self.findings.more else []),
            self._read(),
            *([self.hole] if self.hole else []),
            *(
                [f"records up to {self.resumed} were read by an earlier run"]
                if self.resumed
                else []
            ),
            *(["typed columns were not compared: views may show other values"] * (not self.typed)),
            self._sealed(),
            *self._compared(),
            *self.relative,
        ]

    def _read(self) -> str:
        rate = round(self.rows / self.seconds) if self.seconds > 0 else 0
        result = "proved" if self.proved else f"NOT proved, findings: {len(self.findings)}"
        return (
            f"{result}: {self.rows} records in {self.partitions} partitions, sequences"
            f" {self.first_seq} to {self.last_seq}, {self.heads} heads; {rate} records per second"
        )

    def _sealed(self) -> str:
        if self.sealed < self.first_seq:
            return "no record is sealed: files were held against no digest"
        return f"sealed up to record {self.sealed}: files after it were held against no digest"

    def _compared(self) -> list[str]:
        own = [one for one, agrees in self.anchors if agrees and one.source is Source.OWN]
        found = [f"agrees with {one.name}, size {one.size}" for one in own[-1:]]
        if self.archived:
            found.append(f"agrees with {self.archived} archived checkpoints")
        if self.growing:
            found.append(
                f"{self.growing} heads were signed while it was read, and not compared yet"
            )
        for one, agrees in self.anchors:
            if not agrees and not self.findings:
                kept = "what is kept" if self.hole else "the records that were read"
                found.append(
                    f"not compared with {one.name}, size {one.size}: it lies before {kept}"
                )
        if self.unplaced:
            found.append(f"{self.unplaced} checkpoints could not be compared")
        return found

    @property
    def relative(self) -> list[str]:
        """Relative to what the archive was proved, plainly."""
        if not self.held:
            return [
                "no checkpoint that was held elsewhere was given: whoever has the archiver's key could"
                " have written all of it anew; keep `sluicegate audit checkpoint` elsewhere from now on"
            ]
        last = self.held[-1]
        rest = self.heads - last.size
        found = [
            f"relative to the checkpoint held at {one.name} of size {one.size}" for one in self.held
        ]
        if rest > 0:
            found.append(
                f"the last {rest} heads are newer than every held checkpoint: whoever has the"
                " archiver's key could have written these anew"
            )
        return found
