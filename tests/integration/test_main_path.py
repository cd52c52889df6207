"""The main job: proposed on Kafka, judged by Faust, admitted or not, found in DuckDB."""

from __future__ import annotations

import pytest

from enforcers.errors import ActionDeniedError, NoVerdictError
from tests.integration.stack import Stack, sql

pytestmark = pytest.mark.kafka


async def test_a_read_is_admitted_a_drop_is_not_and_both_are_archived(stack: Stack) -> None:
    stack.judge.start()
    stack.archiver.start()
    gate = stack.gate()
    await gate.open(timeout_s=40)
    async with gate.admitted(sql("SELECT id FROM orders")) as permit:
        taken = permit.take()
        permit.report_rows(3)
    with pytest.raises(ActionDeniedError, match="denied"):
        async with gate.admitted(sql("DROP TABLE orders")):
            pytest.fail("a drop was admitted")
    await gate.close()
    rows = stack.eventually(
        "SELECT text, decision, outcome, rows_affected FROM timeline ORDER BY recorded_at",
        lambda found: len(found) == 2 and all(row[2] for row in found),
    )
    assert taken.kind == "sql"
    assert rows == [
        ("SELECT id FROM orders", "allow", "succeeded", 3),
        ("DROP TABLE orders", "deny", "blocked", None),
    ]
    assert await stack.stored("denials") == 1


async def test_without_a_judge_the_gate_does_not_open(stack: Stack) -> None:
    gate = stack.gate()
    with pytest.raises(NoVerdictError, match="no judge answered"):
        await gate.open(timeout_s=1)
