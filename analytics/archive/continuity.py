"""
The proof that the archive's own log at one size begins with what it was at an earlier one.

    stored heads and their nodes ─┐
    trees at the newest hole ─────┴──▶ consistency(old, new) ──▶ hashes, which a witness checks

Made from the files that readers see, so that the writer is not held up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from analytics.archive.database import first_line, run
from analytics.archive.holes import newest_hole
from analytics.archive.nodes import Rows, StoredNodes
from analytics.log.checkpoint import head_leaf
from analytics.log.proofs import consistency
from analytics.log.tree import Frontier
from enforcers.errors import ArchiveError


class GrowthLostError(ArchiveError):
    """What a witness saw lies before what is kept: to ask it again changes nothing."""


def continuity(directory: Path, files: Collection[Path], old: int, new: int) -> list[bytes]:
    """
    The consistency proof between two sizes, from the files that readers see.

    Raises ArchiveError where one of these heads is not in the archive, GrowthLostError where it was dropped.
    """
    hole = newest_hole(directory)
    cut = hole.standing.archive.frontier if hole else Frontier()
    if 0 < old < cut.size:
        raise GrowthLostError(
            f"the log's first {cut.size} heads were dropped, so that nobody can be shown how it grew"
            f" from {old}; keep records longer, or ask the witness's operator to begin anew"
        )
    asking = StoredNodes(cut)
    consistency(old, new, asking)
    return consistency(old, new, StoredNodes(cut, _heads(files, asking.wanted)))


def _heads(files: Collection[Path], wanted: Collection[int]) -> Rows:
    if not wanted:
        return {}
    marks = ", ".join("?" * len(wanted))
    with _reading() as connection:
        rows = run(
            connection,
            "SELECT head_index, cluster_id, topic, partition, leaf_index + 1, head, head_nodes"
            f" FROM read_parquet(?) WHERE head_index IN ({marks}) AND head IS NOT NULL",
            [[str(path) for path in files], *sorted(wanted)],
        )
    return {row[0]: (head_leaf(*row[1:6]), row[6]) for row in rows}


@contextmanager
def _reading() -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        # One thread: an archiver runs beside it.
        with duckdb.connect(config={"threads": 1}) as connection:
            yield connection
    except duckdb.Error as error:
        raise ArchiveError(f"archive cannot be read: {first_line(error)}; try again") from error
