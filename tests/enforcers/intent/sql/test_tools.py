"""What tools really send, in tests/cases/sql/tools: the shipped policy lets reads through, and no write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from enforcers.catalog import Catalog
from enforcers.intent.model import Verb
from enforcers.intent.sql import read_sql
from enforcers.policy.cases import run_case
from enforcers.policy.engine import Decision, Facts, PrincipalFacts, TargetFacts
from enforcers.policy.loading import load_policy

ROOT = Path(__file__).parents[4]
TOOLS = ROOT / "tests" / "cases" / "sql" / "tools"
LINE_FEED = "⏎"
KINDS = {"read", "session", "write", "secret", "other"}
NO_TABLES = Catalog({})
READER = PrincipalFacts("agent:reader", "agent", enrolled=True, permissions=("read",))


class Sent(NamedTuple):
    """A statement, the tool that sends it, and what it is."""

    tool: str
    dialect: str
    kind: str
    statement: str


def _sent() -> Iterator[Sent]:
    for path in sorted(TOOLS.glob("*.txt")):
        for line in path.read_text("utf-8").split("\n"):
            if line and not line.startswith("#"):
                dialect, kind, statement = line.split(" | ", 2)
                yield Sent(path.stem, dialect, kind, statement.replace(LINE_FEED, "\n"))


SENT = tuple(_sent())


@pytest.fixture(scope="module")
def decided() -> dict[Sent, Decision]:
    """Each statement under the shipped policy, proposed in production by a principal that may read."""
    policy = load_policy(ROOT / "policies" / "production.yaml", run_case)
    return {one: policy.decide(_facts(one)) for one in SENT}


def _facts(one: Sent) -> Facts:
    intent = read_sql(one.statement, one.dialect, NO_TABLES)
    target = TargetFacts("shop", "production", dialect=one.dialect)
    return Facts(principal=READER, target=target, intent=intent)


def _shown(sent: list[Sent], decided: dict[Sent, Decision]) -> str:
    lines = [
        f"{one.tool}, {one.dialect}, {[reason.code for reason in decided[one].reasons]}: "
        f"{one.statement[:160]!r}"
        for one in sent
    ]
    return "\n".join([f"{len(sent)} statements:", *lines])


def test_there_are_enough_of_them() -> None:
    assert len({(one.dialect, one.statement) for one in SENT}) >= 1_000
    assert {one.kind for one in SENT} == KINDS


def test_reads_are_allowed(decided: dict[Sent, Decision]) -> None:
    reads = [one for one in SENT if one.kind == "read"]
    stopped = [one for one in reads if decided[one].decision != "allow"]
    assert len(stopped) <= 0.01 * len(reads), _shown(stopped, decided)


def test_plain_settings_and_transactions_are_allowed(decided: dict[Sent, Decision]) -> None:
    settings = [one for one in SENT if one.kind == "session"]
    stopped = [one for one in settings if decided[one].decision != "allow"]
    assert not stopped, _shown(stopped, decided)


def test_a_principal_that_may_read_does_nothing_else(decided: dict[Sent, Decision]) -> None:
    others = [one for one in SENT if one.kind in ("write", "secret", "other")]
    allowed = [one for one in others if decided[one].decision == "allow"]
    assert not allowed, _shown(allowed, decided)


def test_no_write_is_read_as_a_read(decided: dict[Sent, Decision]) -> None:
    hidden = [one for one in SENT if one.kind in ("write", "other") and _is_read(one)]
    assert not hidden, _shown(hidden, decided)


def _is_read(one: Sent) -> bool:
    intent = read_sql(one.statement, one.dialect, NO_TABLES)
    understood = not intent.opaque and not intent.inadmissible
    return understood and all(effect.verb is Verb.READ for effect in intent.effects)
