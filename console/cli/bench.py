"""`sluicegate bench`: measure on this machine, as ratios against a raw echo or the bare parser."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from console.cli.tables import show_table

COLUMNS = (
    "in flight", "echo p50 / p99 ms", "judge p50 / p99 ms", "judge per s", "ratio p50 / p99"
)  # fmt: skip

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
