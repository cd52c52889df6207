"""
The times that the rows of one file hold, against those that the views say of it.

    rows ──▶ least and greatest of `action_ms`, `recorded_at` ── within the file's span in `sources_of`?
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics.archive.spans import Bounds, Span

_COLUMNS = ("action_ms", "recorded_at")
"""In the order of a span's bounds."""
OF_THE_TIMES = ", ".join(_COLUMNS)


class Times:
    """What was met of one file so far."""

    def __init__(self) -> None:
        self._met: list[list[int]] = [[] for _ in _COLUMNS]

    def add(self, batch: Any) -> None:
        """The next rows; a column that is missing or of another kind is somebody else's finding."""
        for met, name in zip(self._met, _COLUMNS, strict=True):
            if name in batch.schema.names and batch.column(name).type in _KINDS:
                found = pc.min_max(batch.column(name).cast(pa.int64())).as_py()
                known = [one for one in found.values() if one is not None]
                met[:] = [min([*met, *known]), max([*met, *known])] if met or known else []

    def within(self, span: Span | None) -> bool:
        """Whether whoever goes by the span finds every row; of a bound that is not said, it is."""
        said = (span.ids, span.at) if span else ()
        return all(_holds(bounds, met) for bounds, met in zip(said, self._met, strict=False))


_KINDS = (pa.int64(), pa.timestamp("us", tz="UTC"))


def _holds(bounds: Bounds, met: list[int]) -> bool:
    low, high = bounds
    return not met or ((low is None or low <= met[0]) and (high is None or met[-1] <= high))
