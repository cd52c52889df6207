"""
A child process that reads an archive all the time: `polling_reader.py DIRECTORY GRACE_S`, ended by SIGTERM.

It ends with an error as soon as it is shown less than before, a gap, a record twice, or nothing at all.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import duckdb

LOOK = """SELECT count(*), min(seq), max(seq), count(DISTINCT seq), count(DISTINCT "offset"),
    max("offset") - min("offset") + 1 FROM records"""


def main(directory: Path, grace_s: float) -> None:
    """Prints how often it looked."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    views, looks, began, ended = directory / "views.sql", 0, 0, 0
    while not stopped:
        if not views.exists() and not looks:
            time.sleep(0.01)
            continue
        with duckdb.connect(config={"threads": 1}) as connection:
            started = time.monotonic()
            try:
                connection.execute(views.read_text()).fetchall()
                [(count, first, last, seqs, *offsets)] = connection.execute(LOOK).fetchall()
            except duckdb.Error:
                # Allowed to those only who were held up for longer than replaced files stay.
                if time.monotonic() - started < grace_s:
                    raise
                continue
        if count:
            assert count == seqs == last - first + 1, (count, seqs, first, last)
            assert offsets == [count, count], offsets
            assert first >= began, (first, began)
            assert last >= ended, (last, ended)
            began, ended = first, last
        looks += 1
    print(looks)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
