"""Queries made at random cannot tell two databases apart that differ in masked values alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings

from enforcers.rewriting import Rewritten, rewrite_sql
from tests.enforcers.rewriting.databases import CATALOG, MASK, Pair
from tests.enforcers.rewriting.queries import queries


@pytest.mark.parametrize("examples", [40, pytest.param(4_000, marks=pytest.mark.prove)])
def test_generated_queries(pair: Pair, examples: int, counted: Callable[[str], None]) -> None:
    counts: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(queries())
    def tell_apart(text: str) -> None:
        done = rewrite_sql(text, pair.dialect, CATALOG, [MASK])
        if not isinstance(done, Rewritten):
            counts["refused"] += 1
            return
        first, second = pair.run(0, done.text), pair.run(1, done.text)
        assert first == second, f"{text}\n{done.text}"
        counts[first[0]] += 1

    tell_apart()
    counted(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) + ", 0 leaked")
    assert counts["rows"] > examples * 0.1
