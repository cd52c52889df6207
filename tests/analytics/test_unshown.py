"""Segments are made of what was committed, without reading it back: they hold what the day file holds."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analytics.archive import Archive, Pace, RawRecord, prepared
from analytics.archive import unshown as module
from analytics.synth.filling import batches, starts_of
from analytics.synth.traffic import Plan, Traffic
from tests.analytics.records import append, query, raw

NEVER = Pace(interval_s=3_600)
ODD = ("", "plain", "é", "hex:61", "hex", "a\x00b", "\udcff", "\udced\udca0\udc80", "n" * 3_000)
"""Names of headers; two are not UTF-8."""
CONTENTS = (None, b"", b"\x00\xff", b"\xff\xff\xff\xff", b"{", b"x" * 70_000)


def odd_records(number: int) -> list[RawRecord]:
    """Of topics whose values are typed, and of one whose values are not."""
    chance = random.Random(number)
    topics = ("actions", "verdicts", "payments.outcomes", "history", "x")
    times = (0, -1, 2**63 - 1, -(2**63))

    def some() -> bytes | None:
        return chance.choice(CONTENTS)

    def headers() -> tuple[tuple[str, bytes | None], ...]:
        return tuple((chance.choice(ODD), some()) for _ in range(chance.randrange(5)))

    return [
        RawRecord(
            chance.choice(topics), 99, at, chance.choice(times), at % 2, some(), headers(), some()
        )
        for at in range(number)
    ]


def test_a_segment_is_the_same_whether_made_of_committed_rows_or_of_the_day_file(
    tmp_path: Path,
) -> None:
    traffic = Traffic(Plan(60, 1, first=date(2026, 6, 1), days=1))
    with Archive.open(tmp_path, cluster_id="c", pace=NEVER) as archive:
        for batch in [odd_records(80), *batches(traffic)]:
            archive.commit(prepared(batch, starts_of(batch, {})))
        archive.publish(now=True)
    [path] = [one for one in (tmp_path / "segments").iterdir() if one.name[0] == "0"]
    made = pq.read_table(path)
    path.unlink()
    with Archive.open(tmp_path, cluster_id="c"):
        pass
    assert made.num_rows > 200
    assert made.column("holds").null_count < made.num_rows
    assert pq.read_table(path).equals(made, check_metadata=True)


def test_a_commit_shows_rows_itself_before_they_take_too_much_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Archive.open(tmp_path, cluster_id="c", pace=NEVER) as archive:
        append(archive, [raw("findings", 0)])
        append(archive, [raw("findings", 1)])
        assert archive.published_seq == 1
        monkeypatch.setattr(module, "MOST_BYTES", 1)
        append(archive, [raw("findings", 2)])
        assert archive.published_seq == 3
        monkeypatch.undo()
        append(archive, [raw("findings", 3)])
    assert query(tmp_path, 'SELECT list("offset" ORDER BY seq) FROM records') == [([0, 1, 2, 3],)]
