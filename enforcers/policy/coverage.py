"""
What a bundle's tests look at: each rule true and false, each conjunct decisive.

    tests ──run──▶ Facts ──examine──▶ RuleSeen … ──▶ RuleCoverage

A conjunct was decisive if in some test it alone was false: then the test says what it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from enforcers.policy.bundle import Bundle, Rule
from enforcers.policy.compiling import CompiledRule
from enforcers.policy.engine import Decision, Facts
from enforcers.policy.examining import ExaminedPolicy, Held, RuleSeen, conjuncts
from enforcers.policy.policy import Policy
from enforcers.policy.trial import OwnTest, RunCase


@dataclass(slots=True)
class ConjunctCoverage:
    """One conjunct, over all tests."""

    part: str
    text: str
    decisive: list[str] = field(default_factory=list)
    """Tests in which it alone was false."""


@dataclass(slots=True)
class RuleCoverage:
    """One rule, over all tests."""

    rule: Rule
    conjuncts: tuple[ConjunctCoverage, ...]
    true: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    @property
    def covered(self) -> int:
        """How many of its points some test looked at."""
        return (
            bool(self.true) + bool(self.false) + sum(bool(one.decisive) for one in self.conjuncts)
        )

    @property
    def points(self) -> int:
        """True once, false once, each conjunct decisive once."""
        return 2 + len(self.conjuncts)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every rule, and the tests that could not be run."""

    rules: tuple[RuleCoverage, ...]
    tests: int
    unread: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        """All that tests could look at."""
        return sum(one.points for one in self.rules)

    @property
    def percent(self) -> float:
        """Share of all points that some test looked at, rounded down to a tenth."""
        # Rounded down: a requirement of 100 is met by everything, not by almost everything.
        return sum(one.covered for one in self.rules) * 1_000 // self.points / 10


def cover(policy: Policy, tests: Iterable[OwnTest], run_case: RunCase) -> Coverage:
    """Run the tests and note what they looked at of the policy's rules."""
    rules = {one.rule.id: _begin(one) for one in policy.compiled}
    listening: dict[str, _Listening] = {}
    count, unread = 0, []
    for test in tests:
        count += 1
        # A pack's own tests run against the pack alone.
        listener = listening.setdefault(test.policy.hash, _Listening.of(test.policy))
        try:
            run_case(listener, test.case)
        except Exception:
            # Whatever a reader raises, the test looked at nothing; `policy test` says why.
            unread.append(test.case.name)
        for facts in listener.take():
            _note(rules, test.case.name, listener.examine(facts).rules)
    return Coverage(tuple(rules.values()), count, tuple(unread))


class _Listening(ExaminedPolicy):
    """A policy that keeps what it was asked."""

    def __init__(
        self, bundle: Bundle, policy_hash: str, compiled: Sequence[CompiledRule] | None = None
    ) -> None:
        super().__init__(bundle, policy_hash, compiled)
        self._asked: list[Facts] = []

    def decide(self, facts: Facts) -> Decision:
        self._asked.append(facts)
        return super().decide(facts)

    def take(self) -> list[Facts]:
        """What it was asked since the last call."""
        asked, self._asked = self._asked, []
        return asked


def _begin(one: CompiledRule) -> RuleCoverage:
    parts = (("where" if each.with_effect else "when", each.text) for each in conjuncts(one))
    return RuleCoverage(one.rule, tuple(ConjunctCoverage(*part) for part in parts))


def _note(rules: dict[str, RuleCoverage], test: str, seen: Iterable[RuleSeen]) -> None:
    for one in seen:
        covered = rules.get(one.rule.id)
        if covered is None:
            # Of a pack, and disabled in the bundle.
            continue
        if one.applies is not None:
            (covered.true if one.applies else covered.false).append(test)
        for index in _decisive(one.vectors if one.conditions else ()):
            covered.conjuncts[index].decisive.append(test)


def _decisive(vectors: Iterable[tuple[Held, ...]]) -> set[int]:
    """Places that alone were false in some vector."""
    found = set()
    for vector in vectors:
        false = [index for index, held in enumerate(vector) if held is not True]
        if len(false) == 1 and vector[false[0]] is False:
            found.add(false[0])
    return found
