"""What `sql --json` prints is JSON, whatever the values are."""

from __future__ import annotations

import json

import pytest

from console.cli.sql import show
from enforcers.executors.result import Rows
from tests.console.conftest import Sluicegate

NAN = float("nan")
ROWS = Rows(("a",), ((({(1, 2): {3: NAN}}, [float("inf"), 1.5]),),))


def test_json_has_text_keys_and_finite_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, as_json=True)
    printed = json.loads(capsys.readouterr().out, parse_constant=lambda _: pytest.fail("no JSON"))
    assert printed["rows"] == [[[{"(1, 2)": {"3": "nan"}}, ["inf", 1.5]]]]


@pytest.mark.parametrize("statement", ["", "  \n"])
def test_an_empty_statement_is_usage(sluicegate: Sluicegate, statement: str) -> None:
    result = sluicegate("sql", "--target", "shop", statement)
    assert (result.exit_code, "statement is empty" in result.output) == (2, True)
