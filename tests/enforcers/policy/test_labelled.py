"""Labelled texts: what a gate would send for them, and what no gate can send."""

from __future__ import annotations

import pytest

from enforcers.catalog.model import EMPTY_CATALOG
from enforcers.contract.action import (
    Payload,
    ShellPayload,
    SqlPayload,
    Target,
    TextPayload,
    ToolPayload,
)
from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Obligation
from enforcers.intent.model import Intent
from enforcers.policy.bundle import CaseContext, Kind
from enforcers.policy.engine import Decision, Facts, PrincipalFacts
from enforcers.policy.labelled import decide, payload_of

CONTEXT = CaseContext(reason="report", ticket="T-1", cwd="/srv", workspace="/srv/app")
TARGET = Target(system="test", environment="production", dialect="postgres")
AGENT = PrincipalFacts("test", "agent")

SENT: list[tuple[Kind, Payload]] = [
    ("sql", SqlPayload(statement="it")),
    ("shell", ShellPayload(line="it", cwd="/srv", workspace="/srv/app")),
    ("tool", ToolPayload(tool="it")),
    ("http", TextPayload(kind="http", text="it")),
    ("terraform", TextPayload(kind="terraform", text="it")),
]


@pytest.mark.parametrize(("kind", "payload"), SENT)
def test_a_text_is_sent_as_its_kind(kind: Kind, payload: Payload) -> None:
    assert payload_of(kind, "it", CONTEXT) == payload


class Limiting:
    """Allows everything, with at most one row; keeps what it was asked."""

    hash = "00" * 32

    def __init__(self) -> None:
        self.asked: list[Facts] = []

    def decide(self, facts: Facts) -> Decision:
        self.asked.append(facts)
        limit = Obligation(kind="limit_rows", value=1)
        return Decision(Answer.ALLOW, self.hash, obligations=(limit,))


def test_a_policy_is_asked_with_what_the_text_came_with() -> None:
    policy = Limiting()
    payload = SqlPayload(statement="SELECT 1")
    decision, rewrite = decide(policy, EMPTY_CATALOG, payload, TARGET, AGENT, CONTEXT)
    (facts,) = policy.asked
    assert (facts.principal, facts.reason, facts.ticket) == (AGENT, "report", "T-1")
    assert (facts.target.system, facts.target.dialect) == ("test", "postgres")
    assert (decision.decision, rewrite is None) == (Answer.ALLOW, False)


def test_what_no_gate_can_send_has_no_text_to_rewrite() -> None:
    intent = Intent(kind="quantum")
    decision, rewrite = decide(Limiting(), EMPTY_CATALOG, intent, TARGET, AGENT, CONTEXT)
    assert (decision.decision, rewrite) == (Answer.DENY, None)
    assert [one.code for one in decision.reasons] == ["not_rewritable"]
