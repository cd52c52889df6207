"""
Why a policy decides as it does on one action.

    payload ──read──▶ intent ──examine──▶ every rule ──decide──▶ decision ──▶ nearest change that would pass
"""

from __future__ import annotations

from dataclasses import dataclass

from enforcers.catalog.model import Catalog
from enforcers.contract.action import Payload, Target
from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Rewrite
from enforcers.intent.model import Intent
from enforcers.policy.bundle import RuleEffect
from enforcers.policy.engine import Decision, Facts
from enforcers.policy.examining import Examination, ExaminedPolicy
from enforcers.policy.nearest import Change, nearest_change
from enforcers.rewriting.duty import carry_out


@dataclass(frozen=True, slots=True)
class Asked:
    """What is explained, besides the facts: the text that would be masked and limited."""

    payload: Payload | None
    """None for what no gate can send."""
    target: Target
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that there is to say about one decision."""

    facts: Facts
    examination: Examination
    decision: Decision
    rewrite: Rewrite | None
    nearest: Change | None
    """None where it passes, and where no single change helps."""

    @property
    def intent(self) -> Intent:
        """What the action would do."""
        return self.facts.intent

    @property
    def remedies(self) -> tuple[str, ...]:
        """What the rules that stop it, and the readers, say would pass."""
        if self.decision.decision is Answer.ALLOW:
            return ()
        stopping = (RuleEffect.DENY, RuleEffect.REQUIRE_APPROVAL)
        said = [one.remedy for one in self.decision.reasons]
        said += [one.remedy for one in self.decision.fired if one.effect in stopping]
        return tuple(dict.fromkeys(one for one in said if one))


def explain(policy: ExaminedPolicy, facts: Facts, asked: Asked) -> Explanation:
    """Decide on `facts`, and show how. Raises PolicyError for what does not compile."""

    def whole(changed: Facts) -> tuple[Decision, Rewrite | None]:
        return carry_out(policy.decide(changed), asked.payload, asked.target, asked.catalog)

    examination = policy.examine(facts)
    decision, rewrite = whole(facts)
    nearest = nearest_change(policy, facts, lambda one: whole(one)[0], examination)
    return Explanation(facts, examination, decision, rewrite, nearest)
