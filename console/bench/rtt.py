"""
Round trips at 1, 4, 16 and 64 in flight: a raw aiokafka echo and the judge, interleaved in one run.

The judge's figure covers all that an executor waits for: encode, sign, store, judge with the shipped policy, sign,
store, verify. The echo returns as many bytes and decodes nothing.
"""

from __future__ import annotations

import asyncio
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from console.bench.echo import REPLIES, REQUESTS, EchoClient
from console.bench.statements import statements
from console.identity import init_home, load_executor
from console.settings import Settings
from console.stack import Stack, running_stack
from enforcers.contract.action import Principal, PrincipalKind, Proposal, SqlPayload, Target
from enforcers.gate import Gate
from streams.replies import KafkaVerdictChannel
from streams.topic_making import create_topics
from streams.topics import Topic

LEVELS = (1, 4, 16, 64)
ROUNDS = 6
WARM_UP = 300
ACTION_BYTES = 760
"""Size of a typical signed action, which the echo sends too."""
VALID_FOR_MS = 5_000

BENCH_TOPICS = tuple(
    Topic(
        place.topic, "the echo of a benchmark", key="number", writers=("bench",), readers=("bench",)
    )
    for place in (REQUESTS, REPLIES)
)

Call = Callable[[], Awaitable[None]]


@dataclass
class Sample:
    """Latencies of one subject at one level, in seconds, and the time that they took together."""

    latencies: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    def figures(self) -> dict[str, float]:
        """Median and 99th percentile in milliseconds, and round trips per second."""
        ordered = sorted(self.latencies)
        return {
            "p50_ms": round(statistics.median(ordered) * 1000, 3),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 3),
            "per_s": round(len(ordered) / self.elapsed, 1),
        }


def measure(count: int, home: Path | None = None) -> dict[str, Any]:
    """Run the benchmark with `count` round trips for each subject and level, on a broker of its own."""
    with tempfile.TemporaryDirectory(prefix="sluicegate-bench-") as scratch:
        state = home or Path(scratch)
        catalog = Path(__file__).parent / "catalog.yaml"
        (state / "sluicegate.toml").write_text(f'[catalogs]\nshop = "{catalog}"\n')
        settings = Settings.load({"home": state})
        init_home(settings)
        with running_stack(settings) as stack:
            stack.archiver.stop()
            return uvloop.run(_measure(settings, stack, count))


async def _measure(settings: Settings, stack: Stack, count: int) -> dict[str, Any]:
    await create_topics(stack.bootstrap, BENCH_TOPICS)
    echo_process = subprocess.Popen(
        [sys.executable, "-m", "console.bench.echo", stack.bootstrap], stdout=subprocess.PIPE
    )
    try:
        await asyncio.to_thread(echo_process.stdout.readline)  # type: ignore[union-attr]
        executor = load_executor(settings)
        channel = KafkaVerdictChannel(stack.bootstrap, executor.id, settings.zone)
        gate = Gate(executor, channel)
        await gate.open(timeout_s=60)
        async with EchoClient(stack.bootstrap) as echo:
            samples = await _interleaved(_echo_call(echo), _judge_call(gate, settings), count)
        await gate.close()
    finally:
        echo_process.kill()
        echo_process.wait()
    return report(samples)


async def _interleaved(echo: Call, judge: Call, count: int) -> dict[int, tuple[Sample, Sample]]:
    await _round(echo, 4, WARM_UP, Sample())
    await _round(judge, 4, WARM_UP, Sample())
    samples = {level: (Sample(), Sample()) for level in LEVELS}
    for _ in range(ROUNDS):
        for level, (echo_sample, judge_sample) in samples.items():
            await _round(echo, level, count // ROUNDS, echo_sample)
            await _round(judge, level, count // ROUNDS, judge_sample)
    return samples


async def _round(call: Call, in_flight: int, count: int, sample: Sample) -> None:
    async def worker() -> None:
        for _ in range(max(1, count // in_flight)):
            started = time.perf_counter()
            await call()
            sample.latencies.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    sample.elapsed += time.perf_counter() - started


def _echo_call(client: EchoClient) -> Call:
    value = b"x" * ACTION_BYTES

    async def call() -> None:
        await client.round_trip(value)

    return call


def _judge_call(gate: Gate, settings: Settings) -> Call:
    principal = Principal(
        id=settings.principal, kind=PrincipalKind(settings.principal_kind), session="bench"
    )
    target = Target(system="postgres", environment="production", dialect="postgres", catalog="shop")
    texts = statements(seed=7)

    async def call() -> None:
        payload = SqlPayload(statement=next(texts))
        await gate.propose(
            Proposal(principal=principal, target=target, payload=payload), VALID_FOR_MS
        )

    return call


def report(samples: dict[int, tuple[Sample, Sample]]) -> dict[str, Any]:
    """The figures and ratios, as `--json` prints them."""
    levels = {}
    for level, (echo, judge) in samples.items():
        raw, judged = echo.figures(), judge.figures()
        levels[str(level)] = {
            "echo": raw,
            "judge": judged,
            "ratio_p50": round(judged["p50_ms"] / raw["p50_ms"], 2),
            "ratio_p99": round(judged["p99_ms"] / raw["p99_ms"], 2),
        }
    return {
        "in_flight": levels,
        "machine": f"{platform.machine()} {platform.system()} python {platform.python_version()}",
    }
