"""Whoever asks without end reaches few people: the ledger counts requests, and a rule looks at them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from enforcers.contract.action import Action, PrincipalKind
from enforcers.contract.digest import action_digest
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.wire import encode
from enforcers.history.ledger import Ledger
from enforcers.judge import Judgement, judge
from enforcers.policy.bundle import Bundle
from enforcers.policy.policy import Policy
from enforcers.world import World

LIMIT = 3
RULES: list[dict[str, Any]] = [
    {"id": "ask", "effect": "require_approval", "match": {"verb": ["write"]}},
    {"id": "read", "effect": "allow", "match": {"verb": ["read"]}},
    {
        "id": "enough",
        "effect": "deny",
        "when": 'approvals.asking && "asks" in budgets.spent',
    },
]
BUNDLE = {
    "apiVersion": "sluicegate.io/v1",
    "name": "asking",
    "default": "deny",
    "budgets": {"asks": {"counter": "asks", "limit": LIMIT}},
    "rules": [{"message": "m", **rule} for rule in RULES],
}
WORLD = World(
    Policy(Bundle.model_validate(BUNDLE), "ab" * 32),
    {"agent-1": EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT)},
    "judge-1",
)

Ask = Callable[..., Judgement]


@pytest.fixture
def ask(action: Callable[..., Action], now: datetime) -> Ask:
    """Propose one statement after another; each is judged by what the ledger knows, and counted."""
    ledger, proposed = Ledger(), iter(range(1_000))

    def propose(text: str, session: str = "s-1", minutes: int = 0) -> Judgement:
        one, at = action(text), now + timedelta(minutes=minutes)
        who = one.proposal.principal.model_copy(update={"session": session})
        proposal = one.proposal.model_copy(update={"principal": who})
        one = one.model_copy(update={"proposal": proposal})
        found = judge(one, action_digest(encode(one)), WORLD, at, ledger.past(one, at))
        ledger.count(found, one, next(proposed), at)
        return found

    return propose


WAYS = {
    "another statement": lambda number: (f"UPDATE t SET a = {number}", "s-1"),
    "another session": lambda number: (f"UPDATE t SET a = {number}", f"s-{number}"),
    "another comment": lambda number: (f"UPDATE t SET a = 1 -- {number}", "s-1"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_more_requests_are_sent_than_a_budget_allows(
    ask: Ask, way: Callable[[int], tuple[str, str]]
) -> None:
    found = [ask(*way(number)) for number in range(4 * LIMIT)]
    assert [one.request is not None for one in found] == [True] * LIMIT + [False] * 3 * LIMIT
    assert {one.verdict.decision.value for one in found[LIMIT:]} == {"deny"}


def test_waiting_for_an_answer_is_not_asking(ask: Ask) -> None:
    found = [ask("UPDATE t SET a = 1") for _ in range(4 * LIMIT)]
    assert [one.request is not None for one in found] == [True] + [False] * (4 * LIMIT - 1)
    assert {one.verdict.decision.value for one in found} == {"require_approval"}


def test_who_has_asked_often_goes_on_with_what_asks_nobody(ask: Ask) -> None:
    for number in range(LIMIT + 1):
        ask(f"UPDATE t SET a = {number}")
    found = [ask("UPDATE t SET a = 0"), ask("SELECT a FROM t")]
    assert [one.verdict.decision.value for one in found] == ["require_approval", "allow"]


def test_people_can_be_asked_again_when_the_window_has_moved_on(ask: Ask) -> None:
    for number in range(LIMIT + 1):
        ask(f"UPDATE t SET a = {number}")
    assert ask("UPDATE t SET a = 9", minutes=59).request is None
    assert ask("UPDATE t SET a = 9", minutes=66).request is not None
