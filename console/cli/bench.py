"""`sluicegate bench`: measure on this machine, as ratios against a raw echo or the bare parser."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.tables import show_table

if TYPE_CHECKING:
    from console.bench.archive import Measured

COLUMNS = (
    "in flight", "echo p50 / p99 ms", "judge p50 / p99 ms", "judge per s", "ratio p50 / p99"
)  # fmt: skip

ARCHIVE_COLUMNS = ("what", "found")
JUDGING_COLUMNS = ("subject", "p50 us", "p99 us")

bench_app = typer.Typer(help="Measure on this machine.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(bench_app, name="bench")


@bench_app.callback()
def bench() -> None:
    """Measure on this machine, as ratios in the same run: against a raw echo, or the bare parser."""


@bench_app.command("rtt")
def rtt(
    count: Annotated[
        int, typer.Option(min=60, help="round trips for each subject and level")
    ] = 3_000,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Round trips of the judge and of a raw aiokafka echo, interleaved, at 1, 4, 16 and 64 in flight."""
    from console.bench.rtt import measure

    result = measure(count)
    if as_json:
        typer.echo(json.dumps(result))
    else:
        show_table(COLUMNS, _rows(result))


class JudgedKind(StrEnum):
    """What can be judged here."""

    SQL = "sql"


DECIDED = {
    "shipped": "decision by the shipped policy",
    "shipped_cel": "CEL alone on its conditions",
    "two_hundred": "decision by 200 rules",
    "two_hundred_cel": "CEL alone on their conditions",
}


@bench_app.command("judge")
def judge(
    kind: Annotated[JudgedKind, typer.Option(help="what is judged")] = JudgedKind.SQL,
    count: Annotated[int, typer.Option(min=100, help="statements")] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """One judgement of an agent's statement, new and repeated, the bare parser, and the decision alone beside CEL."""
    from console.bench import deciding, judging

    result = judging.measure(count)
    decided = deciding.measure(count)
    if as_json:
        typer.echo(json.dumps({**result, "decision": decided}))
        return
    names = ("parse", "cold", "warm", "exact")
    figures = [(name, result[f"{name}_us"]) for name in names if f"{name}_us" in result]
    figures += [(said, decided[f"{name}_us"]) for name, said in DECIDED.items()]
    show_table(JUDGING_COLUMNS, [(name, str(row["p50"]), str(row["p99"])) for name, row in figures])
    typer.echo(f"cold is {result['ratio_cold_to_parse']} times the bare parser")


KEPT = "keep the archive in this directory, which does not exist or is empty"


@bench_app.command("archive")
def archive(
    rows: Annotated[int, typer.Option(min=5_000, max=200_000_000, help="actions")] = 60_000,
    keep: Annotated[Path | None, typer.Option(help=KEPT)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Ingest beside a bare DuckDB insert, freshness, look-ups, detections and size of an archive."""
    from console.bench.archive import measure

    # Ended either way, it removes what it wrote: that may be tens of gigabytes.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with typer.progressbar(length=rows, file=sys.stderr) as bar:
            found = measure(rows, keep, progress=lambda at: bar.update(at - bar.pos))
    finally:
        signal.signal(signal.SIGTERM, before)
    if as_json:
        typer.echo(json.dumps(found.figures))
    else:
        show_table(ARCHIVE_COLUMNS, _archive_rows(found))


def _archive_rows(found: Measured) -> Iterator[Sequence[str]]:
    figures = found.figures
    fresh = figures["freshness_ms"]
    yield "records per second, shown to readers", str(figures["rows_per_s"])
    yield "times the speed of a bare insert", str(figures["ratio_to_bare_insert"])
    yield "records per second, merged and sealed", str(figures["drained_rows_per_s"])
    yield "us of processor per record for that", str(figures["cpu_us_per_record"])
    yield "ms until a reader sees a record, p50 / p95", f"{fresh['p50']} / {fresh['p95']}"
    yield "ms to look an action up", str(figures["lookup_ms"])
    yield "ms for a day of an agent", str(figures["timeline_ms"])
    yield "ms for the hours before the first detection", str(found.hours_ms)
    for name, taken in figures["anomalies_ms"].items():
        yield f"ms for {name}", str(taken)
    yield "records per action", str(round(found.records / max(1, found.actions), 2))
    yield "bytes per action, for readers", str(figures["bytes_per_action"])
    yield "bytes per action, day files", str(found.day_bytes_per_action)


def _rows(result: dict[str, Any]) -> Iterator[Sequence[str]]:
    for level, row in result["in_flight"].items():
        echo, judge = row["echo"], row["judge"]
        yield (
            level,
            f"{echo['p50_ms']} / {echo['p99_ms']}",
            f"{judge['p50_ms']} / {judge['p99_ms']}",
            f"{judge['per_s']:.0f}",
            f"{row['ratio_p50']} / {row['ratio_p99']}",
        )
