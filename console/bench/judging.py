"""
How long one judgement takes, against the bare parser on the same texts in the same run.

    parse   `sqlglot.parse_one(text, dialect)` and nothing else
    cold    the whole of `judge()` on a text that was never seen: read, decide, make the verdict
    warm    the same text again, in another action
    exact   as cold, with PostgreSQL's own parser as second reading, where its wheel is installed
"""

from __future__ import annotations

import gc
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlglot

from console.bench.agent_statements import CATALOG, fresh_statements
from console.shipped import PRODUCTION_POLICY
from enforcers.contract.action import (
    Action,
    Principal,
    PrincipalKind,
    Proposal,
    SqlPayload,
    Target,
)
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.intent.sql.dialects import reading_of
from enforcers.intent.sql.exact.parser import is_read_exactly, set_aside
from enforcers.judge import judge
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy
from enforcers.world import World

WARM_UP = 200
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRINCIPAL = Principal(id="bench", kind=PrincipalKind.AGENT)


def measure(count: int) -> dict[str, Any]:
    """Judge and parse `count` statements, interleaved; figures in microseconds."""
    world = _world()
    times: dict[str, list[int]] = defaultdict(list)
    texts, others = fresh_statements(seed=7), fresh_statements(seed=8)
    gc.collect()
    for number in range(WARM_UP + count):
        with set_aside():
            taken = _taken(*next(texts), number, world)
        if is_read_exactly(reading_of("postgres", "")):
            taken["exact"] = _exact(*next(others), number, world)
        if number >= WARM_UP:
            for name, nanoseconds in taken.items():
                times[name].append(nanoseconds)
    return report(times)


def report(times: Mapping[str, list[int]]) -> dict[str, Any]:
    """The figures and ratios of nanoseconds, as `--json` prints them."""
    found = {f"{name}_us": figures(taken) for name, taken in times.items()}
    parse = found["parse_us"]["p50"]
    return {
        **found,
        "ratio_cold_to_parse": round(found["cold_us"]["p50"] / parse, 2),
        "ratio_warm_to_parse": round(found["warm_us"]["p50"] / parse, 2),
        "statements": len(times["cold"]),
        "machine": f"{platform.machine()} {platform.system()} python {platform.python_version()}",
    }


def _taken(dialect: str, text: str, number: int, world: World) -> dict[str, int]:
    """Nanoseconds of each subject on one text; parser and judge begin in turn."""
    first, again = (_action(dialect, text, 3 * number + which) for which in range(2))

    def parse() -> object:
        return sqlglot.parse_one(text, dialect=dialect)

    def cold() -> object:
        return judge(first, f"{first.id.int:064x}", world, NOW)

    def warm() -> object:
        return judge(again, f"{again.id.int:064x}", world, NOW)

    if number % 2:
        return {
            "parse": _nanoseconds(parse),
            "cold": _nanoseconds(cold),
            "warm": _nanoseconds(warm),
        }
    return {"cold": _nanoseconds(cold), "warm": _nanoseconds(warm), "parse": _nanoseconds(parse)}


def _exact(dialect: str, text: str, number: int, world: World) -> int:
    action = _action(dialect, text, 3 * number + 2)
    return _nanoseconds(lambda: judge(action, f"{action.id.int:064x}", world, NOW))


def _nanoseconds(call: Callable[[], object]) -> int:
    started = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - started


def figures(taken: list[int]) -> dict[str, float]:
    """Median and 99th percentile in microseconds."""
    ordered = sorted(taken)
    return {
        "p50": round(statistics.median(ordered) / 1_000, 1),
        "p99": round(ordered[int(len(ordered) * 0.99)] / 1_000, 1),
    }


def _world() -> World:
    known = EnrolledPrincipal(id=PRINCIPAL.id, kind=PRINCIPAL.kind, permissions=("bounded_write",))
    return World(
        policy=load_policy(PRODUCTION_POLICY, run_case),
        principals={known.id: known},
        judge="bench",
        catalogs={"shop": CATALOG},
    )


def _action(dialect: str, text: str, number: int) -> Action:
    target = Target(system=dialect, environment="production", dialect=dialect, catalog="shop")
    return Action(
        id=UUID(int=(7 << 76) | (2 << 62) | number),
        proposal=Proposal(principal=PRINCIPAL, target=target, payload=SqlPayload(statement=text)),
        executor="bench",
        reply_partition=0,
        issued_at=NOW,
        nonce=f"{number:032x}",
    )
