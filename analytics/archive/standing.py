"""
Whether the log of an archive is the one that its records give, looked at before anything is signed.

    newest head of a partition ═══ root of its stored tree
    tree before the newest commit + that commit's heads ═══ stored tree of the archive's own log

Only what a start can afford: `sluicegate audit verify` goes through every record.
"""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

from analytics.archive.database import reported, run
from analytics.archive.days import DayStore
from analytics.archive.past import heads_from
from analytics.archive.positions import Position
from analytics.archive.record import Partition
from analytics.log.tree import grow
from enforcers.errors import ArchiveError

_REMEDY = "restore the newest day file from its backup"
_Head = tuple[int, int, bytes]
"""Sequence, number of leaves, root."""


class _Newest(NamedTuple):
    """The newest record of a partition."""

    head: _Head
    digest: bytes


def check_standing(days: DayStore) -> None:
    """Hold the stored trees against the stored heads. Raises ArchiveError where one does not fit."""
    with reported("archive's log cannot be checked"):
        _check_known(days)
        heads = _newest_records(days)
        for place, position in days.state.positions.items():
            found = heads.pop(place, None) or _record_at(days, place, position)
            if found is not None and found.head != _expected(position):
                raise _unfit(place)
        for place in heads:
            raise _unfit(place)
        _check_heads(days)


def newest_digests(days: DayStore) -> dict[Partition, bytes]:
    """Of each partition the digest of its newest record, as far as its day file is there. Raises ArchiveError."""
    with reported("archive's newest records cannot be read"):
        known = _newest_records(days)
        found = {
            place: known.get(place) or _record_at(days, place, position)
            for place, position in days.state.positions.items()
        }
    return {place: one.digest for place, one in found.items() if one is not None}


def _check_known(days: DayStore) -> None:
    """No partition is forgotten from one file to the next."""
    with closing(days.older()) as files:
        schema = next(files, None)
        rows = (
            []
            if schema is None
            else run(days.connection, f"SELECT topic, partition FROM {schema}.positions")
        )
    for place in rows:
        if place not in days.state.positions:
            raise _unfit((place[0], place[1]))


def _check_heads(days: DayStore) -> None:
    state = days.state
    leaves = heads_from(days, state.before.size)
    if grow(state.before, leaves)[0] != state.heads:
        raise ArchiveError(
            "the log over all partitions does not follow from the archive's heads: its newest day"
            f" file is damaged; {_REMEDY}"
        )


def _newest_records(days: DayStore) -> dict[Partition, _Newest]:
    """Of each partition that the open file holds; the last record of a commit bears its head."""
    rows = run(
        days.connection,
        "SELECT topic, partition, max(seq), max(leaf_index) + 1, arg_max(head, seq),"
        " arg_max(digest, seq) FROM day.raw WHERE head IS NOT NULL GROUP BY ALL",
    )
    return {
        (topic, partition): _Newest((seq, size, root), digest)
        for topic, partition, seq, size, root, digest in rows
    }


def _record_at(days: DayStore, place: Partition, position: Position) -> _Newest | None:
    """A quiet partition's newest, from the closed file that holds it; None where that is gone."""
    if position.last_seq >= days.state.first_seq:
        raise _unfit(place)
    with closing(days.older()) as files:
        for schema in files:
            [(first, last)] = run(
                days.connection, f"SELECT first_seq, last_seq FROM {schema}.state"
            )
            if first <= position.last_seq <= last:
                rows = run(
                    days.connection,
                    f"SELECT seq, leaf_index + 1, head, digest FROM {schema}.raw"
                    " WHERE seq = ? AND topic = ? AND partition = ?",
                    [position.last_seq, *place],
                )
                return _Newest(rows[0][:3], rows[0][3]) if rows else _Newest((0, 0, b""), b"")
    return None


def _expected(position: Position) -> _Head:
    return position.last_seq, position.log.size, position.log.root


def _unfit(place: Partition) -> ArchiveError:
    return ArchiveError(
        f"the log of {place[0]}[{place[1]}] does not follow from its newest head: the archive's"
        f" newest day file is damaged; {_REMEDY}"
    )
