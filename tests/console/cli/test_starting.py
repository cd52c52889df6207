"""A command waits for no library that only another one needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    *("aiokafka", "cel_expr_python", "duckdb", "faust", "google.protobuf", "jgo", "pyarrow"),
    *("requests", "rich", "sqlglot", "uvloop"),
}
LOADED = "import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"

NEEDED = [
    pytest.param("console.cli.app", set(), id="the-command-line"),
    pytest.param("console.stack", set(), id="up"),
    pytest.param("console.roles", {"uvloop"}, id="a-role"),
    pytest.param("console.proposing", {"aiokafka"}, id="run"),
    pytest.param("streams.broker", {"aiokafka"}, id="the-broker"),
]


@pytest.mark.parametrize(("module", "needed"), NEEDED)
def test_only_what_is_needed_is_loaded(module: str, needed: set[str]) -> None:
    program = LOADED.format(module=module)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert HEAVY & set(json.loads(done.stdout)) == needed
