"""
A policy: a compiled bundle that decides.

    Facts ─▶ laws that no rule overrides ─▶ `match` ─▶ one evaluation ─▶ combine ─▶ Decision

INVARIANT: `decide` answers with a denial to whatever goes wrong inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from cel_expr_python import cel
from google.protobuf.message import Message

from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Reason
from enforcers.errors import PolicyError
from enforcers.policy import vocabulary
from enforcers.policy.budgets import spent
from enforcers.policy.bundle import PRODUCTION, Bundle, Default
from enforcers.policy.calendars import open_at
from enforcers.policy.combining import Covering, Situation, combine, finding_reason
from enforcers.policy.compiling import CompiledRule, compile_file
from enforcers.policy.engine import Decision, Emergency, Facts, TargetFacts
from enforcers.policy.granting import covered
from enforcers.policy.matching import Signature, Touch, may_apply
from enforcers.policy.matrix import Matched, Matrix, RuleError
from enforcers.policy.messages import (
    MAX_PARTS,
    IntentView,
    action_message,
    principal_message,
    target_message,
    time_message,
    view_intent,
    window_message,
)
from enforcers.policy.vocabulary import new_message

_ENVIRONMENT = vocabulary.environment()
_VARIABLES = vocabulary.VARIABLES.keys() - {"effect"}


class Policy:
    """Decides by the rules of one bundle. Safe to use from several threads."""

    def __init__(
        self, bundle: Bundle, policy_hash: str, compiled: Sequence[CompiledRule] | None = None
    ) -> None:
        """
        Take the bundle's rules, compiled one by one where that was not done yet.

        Raises PolicyError; lint and tests are `load_policy`'s work.
        """
        self.bundle = bundle
        self._hash = policy_hash
        self._rules = compile_rules(bundle) if compiled is None else tuple(compiled)
        self._read = _read_by(self._rules)
        self._budgets = tuple(sorted(bundle.budgets.items()))
        terms = bundle.break_glass
        self._emergency = Emergency(terms.groups, terms.minutes) if terms else None
        self._single = {one.rule.id: Matrix([one]) for one in self._rules}
        self._matrix_of = lru_cache(4_096)(self._choose)
        self._matrix = lru_cache(256)(self._build)
        # By value: statements that differ in a constant only have the same intent.
        self._view = lru_cache(4_096)(view_intent)
        self._principal = lru_cache(1_024)(principal_message)
        self._target = lru_cache(1_024)(self._target_message)
        self._action = lru_cache(1_024)(action_message)
        self._time = lru_cache(64)(self._time_message)
        self._window = lru_cache(1_024)(window_message)

    @property
    def hash(self) -> str:
        """Version of the bundle and of all that it extends."""
        return self._hash

    @property
    def compiled(self) -> tuple[CompiledRule, ...]:
        """Its rules with their conditions expanded, as another policy of this bundle can take them."""
        return self._rules

    def decide(self, facts: Facts) -> Decision:
        """Return the decision for `facts`; never raises."""
        try:
            ruling = self._decide(facts)
            if ruling.decision is Answer.REQUIRE_APPROVAL and self._looks_at_asking(facts):
                return self._unless_denied(ruling, replace(facts, asking=True))
            return ruling
        except RuleError as error:
            return self._deny("rule_failed", str(error), "correct the rule that is named")
        except Exception as error:
            return self._deny("policy_failed", f"the policy failed: {type(error).__name__}", "")

    def is_production(self, environment: str) -> bool:
        """Whether an environment counts as production: all do that the bundle does not name."""
        return environment not in self.bundle.non_production

    def _looks_at_asking(self, facts: Facts) -> bool:
        """Whether a rule may have something to say to a question that people were not asked before."""
        return not facts.asked and "approvals" in self._read

    def _unless_denied(self, ruling: Decision, asking: Facts) -> Decision:
        """The ruling, where no rule minds that people are asked."""
        looked = self._decide(asking)
        return looked if looked.decision is Answer.DENY else ruling

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
        covering = self._covering(facts, view) if facts.grants else ()
        matched, failures = self._match(facts, view, covering)
        if failures:
            return self._failed(failures)
        decision = combine(matched, self._situation(facts, view, covering))
        if decision.asks and self._emergency:
            decision = replace(decision, emergency=self._emergency)
        return self._with_named_grants(decision, facts, covering)

    def _covering(self, facts: Facts, view: IntentView) -> Covering:
        """Grants that cover some effect, those that end first before the others."""

        def activate() -> cel.Activation:
            return self._activation(facts, view, (), _VARIABLES)

        found = [
            (one.grant, covered(one, facts.target, view.effects, activate))
            for one in sorted(facts.grants, key=lambda one: (one.expires_at, one.grant))
        ]
        return tuple((grant, named) for grant, named in found if any(named))

    def _with_named_grants(self, decision: Decision, facts: Facts, covering: Covering) -> Decision:
        """Where rules look at grants, each that covers the action may be why it passes more easily."""
        if not covering or "grants" not in self._read or decision.decision is Answer.DENY:
            return decision
        without = self._decide(replace(facts, grants=()))
        if _answer(without) == _answer(decision):
            return decision
        return replace(decision, grants=tuple(grant for grant, _ in covering))

    def _match(
        self, facts: Facts, view: IntentView, covering: Covering
    ) -> tuple[tuple[Matched, ...], dict[str, str]]:
        """What became of the rules, or which of them failed and how."""
        matrix, read = self._matrix_of(self._signature(facts, view))
        activation = self._activation(facts, view, covering, read)
        try:
            return matrix.applying(activation, view.touches), {}
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

    def _choose(self, signature: Signature) -> tuple[Matrix, frozenset[str]]:
        """The rules that may apply, as one expression; many signatures have the same."""
        return self._matrix(
            frozenset(one.rule.id for one in self._rules if may_apply(one.rule, signature))
        )

    def _build(self, ids: frozenset[str]) -> tuple[Matrix, frozenset[str]]:
        """These rules, and the variables that they read: no other gets a value."""
        rules = [one for one in self._rules if one.rule.id in ids]
        return Matrix(rules), _read_by(rules)

    def _signature(self, facts: Facts, view: IntentView) -> Signature:
        environment = facts.target.environment
        named = PRODUCTION if self.is_production(environment) else environment
        return Signature(named, facts.principal.kind, view.kinds, view.touched)

    def _activation(
        self, facts: Facts, view: IntentView, covering: Covering, names: Collection[str]
    ) -> cel.Activation:
        return _ENVIRONMENT.Activation(
            {name: _MAKE[name](self, facts, view, covering) for name in names}
        )

    def _spent(self, facts: Facts) -> tuple[str, ...]:
        return spent(self._budgets, facts)

    def _grants(self, facts: Facts, covering: Covering) -> Message:
        covers = {grant for grant, _ in covering}
        names = sorted({one.name for one in facts.grants if one.grant in covers})
        return new_message("Grants", names=names)

    def _time_message(self, now: datetime | None) -> Message:
        if now is None:
            return new_message("Time")
        return time_message(now, open_at(self.bundle.calendars, now))

    def _target_message(self, target: TargetFacts) -> Message:
        return target_message(target, self.is_production(target.environment))

    def _situation(self, facts: Facts, view: IntentView, covering: Covering) -> Situation:
        return Situation(
            policy_hash=self._hash,
            effects=view.effects,
            opaque=view.opaque,
            production=self.is_production(facts.target.environment),
            default_allows=self.bundle.default is Default.ALLOW_WITH_WOULD_DENY,
            capabilities=facts.capabilities,
            covering=covering,
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


_MAKE: Mapping[str, Callable[[Policy, Facts, IntentView, Covering], Message]] = {
    "principal": lambda policy, facts, *_: policy._principal(facts.principal),
    "target": lambda policy, facts, *_: policy._target(facts.target),
    "action": lambda policy, facts, *_: policy._action(
        facts.reason, facts.ticket, facts.capabilities
    ),
    "intent": lambda policy, facts, view, _: view.message,
    "time": lambda policy, facts, *_: policy._time(
        facts.now and facts.now.replace(second=0, microsecond=0)
    ),
    "history": lambda policy, facts, *_: policy._window(facts.history),
    "session": lambda policy, facts, *_: policy._window(facts.session),
    "grants": lambda policy, facts, _, covering: policy._grants(facts, covering),
    "approvals": lambda policy, facts, *_: new_message(
        "Approvals", groups=facts.approvers, asking=facts.asking
    ),
    "budgets": lambda policy, facts, *_: new_message("Budgets", spent=policy._spent(facts)),
}
"""How each variable of the vocabulary gets its value."""


def compile_rules(bundle: Bundle) -> tuple[CompiledRule, ...]:
    """Compile every rule of a bundle that extends nothing. Raises PolicyError."""
    if bundle.extends:
        raise PolicyError(f"bundle `{bundle.name}` extends others; load it with them")
    compiled = compile_file(bundle, bundle.variables)
    if compiled.remarks:
        raise PolicyError("; ".join(compiled.remarks))
    return tuple(compiled.rules[rule.id] for rule in bundle.rules)


def _read_by(rules: Iterable[CompiledRule]) -> frozenset[str]:
    # Every expression walks over the effects of the intent.
    return frozenset({"intent"}.union(*(one.reads for one in rules))) & _VARIABLES


def _answer(decision: Decision) -> tuple[object, ...]:
    return decision.decision, decision.would_deny, decision.asks, decision.obligations
