"""Actions and judgements on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from enforcers.contract.action import Action, Principal, PrincipalKind
from enforcers.contract.verdict import Decision, Reason
from enforcers.intent.model import Intent
from enforcers.judge import Judgement
from tests.enforcers.history.deeds import WRITE, Act, Judge


@pytest.fixture
def act(action: Act, proposal: Callable[..., Any]) -> Act:
    """An action in a session."""

    def build(session: str | None = "s-1", principal: str = "agent-1") -> Action:
        who = Principal(id=principal, kind=PrincipalKind.AGENT, session=session)
        return action(proposal=proposal().model_copy(update={"principal": who}))

    return build


@pytest.fixture
def judged(act: Act, verdict: Callable[..., Any]) -> Judge:
    """A judgement; allowed, unless a code says why not."""

    def build(meant: Intent | None = WRITE, code: str = "", **changes: Any) -> Judgement:
        if code:
            changes |= {"decision": Decision.DENY, "reasons": (Reason(code=code, message="no"),)}
        return Judgement(verdict(act(), **changes), meant)

    return build
