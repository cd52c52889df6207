"""A child process that archives without end, to be killed: `endless_writer.py DIRECTORY ROLL ROWS`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.archive import Archive, Pace
from tests.analytics.logged import SIGNING
from tests.analytics.records import numbered, starts

FIRST_DAY = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)


def main(directory: Path, batches_a_day: int, rows: int) -> None:
    """Each line on stdout is an acknowledged offset."""
    archive: Archive | None = None

    def clock() -> datetime:
        done = archive.offsets.get(("findings", 0), 0) // rows if archive else 0
        return FIRST_DAY + timedelta(days=done // batches_a_day)

    archive = Archive.open(
        directory,
        cluster_id="c",
        clock=clock,
        pace=Pace(interval_s=0, fan_in=5, grace_s=0.2),
        signing=SIGNING,
    )
    while True:
        batch = numbered(archive.offsets.get(("findings", 0), 0), rows)
        archive.append(batch, starts(batch))
        print(archive.offsets["findings", 0], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
