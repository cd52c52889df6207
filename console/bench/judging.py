"""
How long one judgement takes, against the bare parser on the same texts in the same run.

    parse   `sqlglot.parse_one(text, dialect)` and nothing else
    cold    the whole of `judge()` on a text that was never seen: read, decide, make the verdict
    warm    the same text again, in another action
"""

from __future__ import annotations

import gc
import platform
import statistics
import time
from collections.abc import Callable
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
from enforcers.judge import judge
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy
from enforcers.principals import EnrolledPrincipal
from enforcers.world import World

WARM_UP = 200
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRINCIPAL = Principal(id="bench", kind=PrincipalKind.AGENT)


def measure(count: int) -> dict[str, Any]:
    """Judge and parse `count` statements, interleaved; figures in microseconds."""
    world = _world()
    times: dict[str, list[int]] = {"parse": [], "cold": [], "warm": []}
    texts = fresh_statements(seed=7)
    gc.collect()
    for number in range(WARM_UP + count):
        for name, taken in _taken(*next(texts), number, world).items():
            if number >= WARM_UP:
                times[name].append(taken)
    return report(times)


def report(times: dict[str, list[int]]) -> dict[str, Any]:
    """The figures and ratios of nanoseconds, as `--json` prints them."""
    found = {f"{name}_us": _figures(taken) for name, taken in times.items()}
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
    first, again = (_action(dialect, text, 2 * number + which) for which in range(2))

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


def _nanoseconds(call: Callable[[], object]) -> int:
    started = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - started


def _figures(taken: list[int]) -> dict[str, float]:
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
