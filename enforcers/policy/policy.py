"""
A policy: a compiled bundle that decides.

    Facts ─▶ laws that no rule overrides ─▶ `match` ─▶ one evaluation ─▶ combine ─▶ Decision

INVARIANT: `decide` answers with a denial to whatever goes wrong inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from cel_expr_python import cel
from google.protobuf.message import Message

from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Reason
from enforcers.policy import fragments, vocabulary
from enforcers.policy.bundle import PRODUCTION, Bundle, Default
from enforcers.policy.combining import Situation, combine, finding_reason
from enforcers.policy.compiling import CompiledRule, check_fragment, compile_rule
from enforcers.policy.engine import Decision, Facts, TargetFacts
from enforcers.policy.matching import Signature, Touch, may_apply
from enforcers.policy.matrix import Matched, Matrix, RuleError
from enforcers.policy.messages import (
    MAX_PARTS,
    IntentView,
    action_message,
    principal_message,
    target_message,
    view_intent,
)

_ENVIRONMENT = vocabulary.environment()


class Policy:
    """Decides by the rules of one bundle. Safe to use from several threads."""

    def __init__(self, bundle: Bundle, policy_hash: str) -> None:
        """Compile the bundle. Raises PolicyError; lint and tests are `load_policy`'s work."""
        self.bundle = bundle
        self._hash = policy_hash
        self._rules = compile_rules(bundle)
        self._all = Matrix(self._rules)
        self._single = {one.rule.id: Matrix([one]) for one in self._rules}
        self._matrix_of = lru_cache(4_096)(self._choose)
        self._matrix = lru_cache(256)(self._build)
        # By value: statements that differ in a constant only have the same intent.
        self._view = lru_cache(4_096)(view_intent)
        self._principal = lru_cache(1_024)(principal_message)
        self._target = lru_cache(1_024)(self._target_message)
        self._action = lru_cache(1_024)(action_message)

    @property
    def hash(self) -> str:
        """SHA-256 of the bundle's bytes."""
        return self._hash

    def decide(self, facts: Facts) -> Decision:
        """Return the decision for `facts`; never raises."""
        try:
            return self._decide(facts)
        except RuleError as error:
            return self._deny("rule_failed", str(error), "correct the rule that is named")
        except Exception as error:
            return self._deny("policy_failed", f"the policy failed: {type(error).__name__}", "")

    def is_production(self, environment: str) -> bool:
        """Whether an environment counts as production: all do that the bundle does not name."""
        return environment not in self.bundle.non_production

    def _decide(self, facts: Facts) -> Decision:
        view = self._view(facts.intent)
        if view.inadmissible:
            reasons = tuple(finding_reason(finding) for finding in view.inadmissible)
            return Decision(Answer.DENY, self._hash, reasons)
        if not facts.principal.enrolled:
            return self._deny(
                "not_enrolled",
                f"principal `{facts.principal.id[:200]}` is not enrolled as"
                f" {facts.principal.kind} for this executor",
                "enrol it, or propose as a principal that is; the judge reads who is when it starts",
            )
        if view.oversized:
            remedy = "split it into smaller actions"
            return self._deny("oversized", f"the action has more than {MAX_PARTS} parts", remedy)
        matched, failures = self._match(facts, view)
        if failures:
            return self._failed(failures)
        return combine(matched, self._situation(facts, view))

    def _match(self, facts: Facts, view: IntentView) -> tuple[tuple[Matched, ...], dict[str, str]]:
        """What became of the rules, or which of them failed and how."""
        matrix = self._matrix_of(self._signature(facts, view))
        activation = self._activation(facts, view)
        try:
            return matrix.evaluate(activation, view.touches), {}
        except RuleError as error:
            failures = self._failures(matrix, activation, view.touches)
            # Every rule answers alone but not all together: that is a failure as well.
            return (), failures or {"": str(error)}

    def _failures(
        self, matrix: Matrix, activation: cel.Activation, touches: Sequence[Touch]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for rule in matrix.rules:
            try:
                self._single[rule.id].evaluate(activation, touches)
            except RuleError as error:
                found[rule.id] = str(error)
        return found

    def _choose(self, signature: Signature) -> Matrix:
        """The rules that may apply, as one expression; many signatures have the same."""
        return self._matrix(
            frozenset(one.rule.id for one in self._rules if may_apply(one.rule, signature))
        )

    def _build(self, ids: frozenset[str]) -> Matrix:
        return Matrix(one for one in self._rules if one.rule.id in ids)

    def _signature(self, facts: Facts, view: IntentView) -> Signature:
        environment = facts.target.environment
        named = PRODUCTION if self.is_production(environment) else environment
        return Signature(named, facts.principal.kind, view.kinds, view.touched)

    def _activation(self, facts: Facts, view: IntentView) -> cel.Activation:
        return _ENVIRONMENT.Activation(
            {
                "principal": self._principal(facts.principal),
                "target": self._target(facts.target),
                "action": self._action(facts.reason, facts.ticket, facts.capabilities),
                "intent": view.message,
            }
        )

    def _target_message(self, target: TargetFacts) -> Message:
        return target_message(target, self.is_production(target.environment))

    def _situation(self, facts: Facts, view: IntentView) -> Situation:
        return Situation(
            policy_hash=self._hash,
            effects=view.effects,
            opaque=view.opaque,
            production=self.is_production(facts.target.environment),
            default_allows=self.bundle.default is Default.ALLOW_WITH_WOULD_DENY,
            capabilities=facts.capabilities,
        )

    def _deny(self, code: str, message: str, remedy: str) -> Decision:
        reason = Reason(code=code, message=message[:2_000], remedy=remedy)
        return Decision(Answer.DENY, self._hash, (reason,))

    def _failed(self, failures: dict[str, str]) -> Decision:
        reasons = tuple(
            Reason(
                code="rule_failed",
                message=f"rule `{rule or 'all'}` gave no answer: {error}"[:2_000],
                rule=rule or None,
                remedy="correct the rule",
            )
            for rule, error in sorted(failures.items())
        )
        return Decision(Answer.DENY, self._hash, reasons, failed_rules=tuple(sorted(failures)))


def compile_rules(bundle: Bundle) -> tuple[CompiledRule, ...]:
    """Compile every rule of a bundle. Raises PolicyError."""
    fragments.check_names(bundle.variables)
    variables = fragments.expand_all(bundle.variables)
    for name, text in variables.items():
        check_fragment(name, text)
    return tuple(compile_rule(rule, variables) for rule in bundle.rules)
