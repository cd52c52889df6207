"""The examples that users copy, run as they stand against a running judge."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.integration.stack import Stack

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
PROGRAM = (ROOT / "examples/guard_a_statement.py").read_text("utf-8")
READ = "SELECT count(*) FROM customers"
TARGET = """
[catalogs]
customers = "{catalog}"

[targets.customers]
system = "duckdb"
path = "customers.duckdb"
catalog = "customers"
"""


def run(program: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as a user would who has nothing but SLUICEGATE_HOME set."""
    kept = {name: value for name, value in os.environ.items() if "SLUICEGATE" not in name}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "SLUICEGATE_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_ten_lines_run_a_read_and_print_why_a_drop_was_refused(stack: Stack) -> None:
    home = stack.settings.home
    with (home / "sluicegate.toml").open("a") as file:
        file.write(TARGET.format(catalog=ROOT / "examples/demo/catalog.yaml"))
    with duckdb.connect(str(home / "customers.duckdb")) as database:
        database.execute("CREATE TABLE customers AS SELECT range AS id FROM range(42)")
    await stack.judge_ready()
    assert READ in PROGRAM
    read = await asyncio.to_thread(run, PROGRAM, home)
    assert (read.returncode, read.stdout, read.stderr) == (0, "((42,),)\n", "")
    drop = PROGRAM.replace(READ, "DROP TABLE customers")
    refused = await asyncio.to_thread(run, drop, home)
    assert (refused.returncode, refused.stderr) == (0, "")
    assert refused.stdout.startswith("denied: structure and rights of a production database")
    with duckdb.connect(str(home / "customers.duckdb")) as database:
        assert database.execute(READ).fetchall() == [(42,)]
