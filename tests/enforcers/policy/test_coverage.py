"""What a bundle's tests look at: rules true and false, conjuncts decisive, packs' tests apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from enforcers.policy.case import Case
from enforcers.policy.cases import run_case
from enforcers.policy.coverage import Coverage, cover
from enforcers.policy.policy import Policy
from enforcers.policy.trial import OwnTest, try_tests

RULE = {
    "id": "deny-late",
    "effect": "deny",
    "match": {"kind": ["sql"], "verb": ["read"]},
    "when": 'target.production && action.reason == ""',
    "where": 'effect.name == "users"',
    "remedy": "say why",
}
ALLOW = {"id": "allow-read", "effect": "allow", "match": {"kind": ["sql"], "verb": ["read"]}}


def case(
    name: str, text: str = "SELECT a FROM users", decision: str = "allow", **around: str
) -> Case:
    return Case.model_validate(
        {
            "name": name,
            "kind": "sql",
            "dialect": "duckdb",
            "text": text,
            "with": around,
            "expect": {"decision": decision},
        }
    )


HIT = case("hit", decision="deny")
STAGING = case("staging", environment="staging")
REASON = case("reason", reason="because")
OTHER = case("other", "SELECT a FROM orders")
TWO = case("two", environment="staging", reason="because")
NOTHING = case("nothing", "DROP TABLE users", decision="deny")
TABLE: list[tuple[str, list[Case], tuple[int, int, list[int]]]] = [
    ("nothing tested", [], (0, 0, [0, 0, 0])),
    ("hit only", [HIT], (1, 0, [0, 0, 0])),
    ("one conjunct alone is false", [HIT, STAGING], (1, 1, [1, 0, 0])),
    ("the other is", [HIT, REASON], (1, 1, [0, 1, 0])),
    ("two false at once decide nothing", [HIT, TWO], (1, 1, [0, 0, 0])),
    ("where decides by its effect", [HIT, OTHER], (1, 1, [0, 0, 1])),
    ("an action that `match` keeps out decides nothing", [HIT, NOTHING], (1, 1, [0, 0, 0])),
    ("everything", [HIT, STAGING, REASON, OTHER], (1, 3, [1, 1, 1])),
]


def covered(policy: Policy, cases: list[Case]) -> Coverage:
    return cover(policy, [OwnTest(policy, one) for one in cases], run_case)


@pytest.mark.parametrize(
    ("cases", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_rule_is_covered_by_what_its_tests_look_at(
    cases: list[Case], expected: tuple[int, int, list[int]], policy_of: Callable[..., Policy]
) -> None:
    found = covered(policy_of(RULE, ALLOW), cases)
    (rule,) = [one for one in found.rules if one.rule.id == "deny-late"]
    decisive = [len(one.decisive) for one in rule.conjuncts]
    assert (len(rule.true), len(rule.false), decisive) == expected


def test_only_everything_is_a_hundred(policy_of: Callable[..., Policy]) -> None:
    policy = policy_of(RULE)
    everything = [HIT, STAGING, REASON, OTHER]
    assert covered(policy, everything).percent == 100
    assert all(
        covered(policy, [one for one in everything if one is not left_out]).percent < 100
        for left_out in everything
    )


def test_an_effect_is_looked_at_by_itself(policy_of: Callable[..., Policy]) -> None:
    # `orders` makes `where` false, but `users` beside it makes the rule apply: the first decided nothing less.
    found = covered(policy_of(RULE), [case("both", "SELECT 1 FROM users, orders", "deny")])
    assert [len(one.decisive) for one in found.rules[0].conjuncts] == [0, 0, 1]
    assert found.rules[0].true == ["both"]


def test_a_test_that_cannot_be_run_is_named_and_covers_nothing(
    policy_of: Callable[..., Policy],
) -> None:
    def broken(policy: Policy, one: Case) -> None:
        raise ValueError("no")

    found = cover(policy_of(RULE), [OwnTest(policy_of(RULE), HIT)], broken)  # type: ignore[arg-type]
    assert (found.unread, found.rules[0].covered) == (("hit",), 0)


def test_a_pack_is_covered_by_its_own_tests_against_itself(
    policy_of: Callable[..., Policy],
) -> None:
    whole = policy_of(RULE, ALLOW)
    pack = Policy(policy_of(RULE).bundle, "1" * 64)
    found = cover(whole, [OwnTest(pack, HIT), OwnTest(whole, STAGING)], run_case)
    assert (found.rules[0].true, found.rules[0].false) == (["hit"], ["staging"])


def test_a_rule_that_the_bundle_disabled_is_not_counted(policy_of: Callable[..., Policy]) -> None:
    pack = Policy(policy_of(RULE, ALLOW).bundle, "1" * 64)
    found = cover(policy_of(ALLOW), [OwnTest(pack, HIT)], run_case)
    assert [one.rule.id for one in found.rules] == ["allow-read"]


TRIALS = [
    (HIT, ()),
    (case("wrong decision"), ("expects allow, got deny",)),
    (STAGING, ()),
]


@pytest.mark.parametrize(("one", "problems"), TRIALS, ids=[one.name for one, _ in TRIALS])
def test_a_test_is_held_against_what_came(
    one: Case, problems: tuple[str, ...], policy_of: Callable[..., Policy]
) -> None:
    policy = policy_of(RULE, ALLOW)
    (trial,) = try_tests([OwnTest(policy, one)], run_case)
    assert (trial.problems, trial.passed) == (problems, not problems)


def test_every_problem_of_a_test_is_named(policy_of: Callable[..., Policy]) -> None:
    written = HIT.model_dump(by_alias=True) | {
        "expect": {"decision": "allow", "rules": ["no-such"], "not_rules": ["deny-late"]}
    }
    (trial,) = try_tests([OwnTest(policy_of(RULE), Case.model_validate(written))], run_case)
    assert trial.problems == (
        "expects allow, got deny",
        "expects rule `no-such`, which did not apply",
        "expects rule `deny-late` not to apply, but it did",
    )
    assert (trial.came, trial.fired) == ("deny (deny-late)", ("deny-late",))
