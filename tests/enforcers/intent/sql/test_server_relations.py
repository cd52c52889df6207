"""What servers show of themselves: statistics, credentials, other sessions; and names like theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.catalog import Catalog, Column, Table
from enforcers.intent.model import Verb
from enforcers.intent.sql import read_sql

CASES = Path(__file__).parents[3] / "cases" / "sql" / "server.txt"
SHIPMENTS = Table(
    {
        "id": Column("bigint"),
        "city": Column("text"),
        "receiver": Column("text", ("pii",)),
        "pin": Column("text", ("secret",)),
    },
    (("id",),),
)
CATALOG = Catalog({"shipments": SHIPMENTS})


def _cases() -> list[object]:
    lines = CASES.read_text("utf-8").splitlines()
    rows = [line.split(" | ", 2) for line in lines if line and not line.startswith("#")]
    return [pytest.param(*row, id=f"{row[0]}:{row[2][:60]}") for row in rows]


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases())
def test_what_a_server_shows_of_itself(dialect: str, expected: str, statement: str) -> None:
    intent = read_sql(statement, dialect, CATALOG)
    if expected == "opaque":
        assert intent.opaque
        return
    assert not intent.opaque
    reads = [effect for effect in intent.effects if effect.verb is Verb.READ]
    tags = {tag for effect in reads for tag in effect.resource.tags} - {"structure"}
    assert ",".join(sorted(tags)) == expected.replace("-", "")
