"""What an explanation shows, and the nearest change that would pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from enforcers.catalog import EMPTY_CATALOG
from enforcers.contract.action import Target
from enforcers.contract.verdict import Decision as Answer
from enforcers.policy.engine import Facts
from enforcers.policy.examining import ExaminedPolicy, RuleSeen
from enforcers.policy.explain import Asked, Explanation, explain
from enforcers.policy.policy import Policy

READ = {"kind": ["sql"], "verb": ["read"]}
ALLOW = {"id": "allow-read", "effect": "allow", "match": READ}
PII = "sql: read table users #pii; read table orders"


def explained(policy: Policy, facts: Facts) -> Explanation:
    asked = Asked(None, Target(system="db", environment=facts.target.environment), EMPTY_CATALOG)
    return explain(ExaminedPolicy.of(policy), facts, asked)


def seen(found: Explanation, name: str) -> RuleSeen:
    (one,) = [one for one in found.examination.rules if one.rule.id == name]
    return one


def test_every_condition_shows_the_values_that_it_read(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts]
) -> None:
    rule = {
        "id": "deny-it",
        "effect": "deny",
        "match": READ,
        "when": 'target.production && size(intent.effects) == 2 && action.reason == "x"',
        "where": '"pii" in effect.tags',
    }
    one = seen(explained(policy_of(rule, ALLOW), facts(PII)), "deny-it")
    assert (one.admitted, one.applies, one.matched, one.named) == (True, False, (True, True), ())
    assert [(each.part, each.text, each.held, each.values) for each in one.conditions] == [
        ("when", "target.production", (True,), (("target.production", True),)),
        ("when", "size(intent.effects) == 2", (True,), (("size(intent.effects)", 2),)),
        ("when", 'action.reason == "x"', (False,), (("action.reason", ""),)),
        ("where", '"pii" in effect.tags', (True, False), (("effect.tags", [["pii"], []]),)),
    ]


def test_fragments_are_shown_as_what_they_stand_for(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts]
) -> None:
    variables = {"late": 'action.reason == "" && target.production'}
    rule = {"id": "deny-late", "effect": "deny", "when": "late && intent.kind == 'sql'"}
    found = explained(policy_of(rule, variables=variables), facts(PII))
    assert [each.text for each in seen(found, "deny-late").conditions] == [
        'action.reason == ""',
        "target.production",
        "intent.kind == 'sql'",
    ]


STATES = [
    ("kept out by match", {"effect": "deny", "match": {"verb": ["drop"]}}, (False, False)),
    ("kept out by the environment", {"effect": "deny", "match": {"environment": ["staging"]}}, (False, False)),
    ("applies", {"effect": "deny", "match": READ}, (True, True)),
    ("does not apply", {"effect": "deny", "match": READ, "when": "intent.opaque"}, (True, False)),
    ("warns", {"effect": "deny", "mode": "warn", "match": READ}, (True, True)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "state"), [row[1:] for row in STATES], ids=[row[0] for row in STATES]
)
def test_each_rule_says_what_became_of_it(
    rule: dict[str, Any],
    state: tuple[bool, bool],
    policy_of: Callable[..., Policy],
    facts: Callable[..., Facts],
) -> None:
    one = seen(explained(policy_of({"id": "rule-x", **rule}), facts(PII)), "rule-x")
    assert (one.admitted, one.applies) == state


HALTED = [
    ("sql: read table users; inadmissible", {}, "inadmissible"),
    ("sql: read table users", {"enrolled": False}, "not enrolled"),
    ("sql: " + "; ".join(f"read table t{n}" for n in range(4_200)), {}, "too many parts"),
]


@pytest.mark.parametrize(("text", "around", "why"), HALTED, ids=[why for *_, why in HALTED])
def test_where_no_rule_is_asked_none_is_said_to_speak(
    text: str,
    around: dict[str, Any],
    why: str,
    policy_of: Callable[..., Policy],
    facts: Callable[..., Facts],
) -> None:
    found = explained(policy_of(ALLOW), facts(text, **around))
    assert why in found.examination.halted
    assert seen(found, "allow-read").applies is None
    assert (found.decision.decision, found.nearest) == (Answer.DENY, None)


def test_what_is_shown_is_what_decides(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts]
) -> None:
    """Over the shapes of the other tests: who fired is who is seen to apply, and the conjuncts agree with it."""
    rules = [{"id": f"rule-{n}", **rule} for n, (_, rule, _) in enumerate(STATES)]
    policy = policy_of(*rules, ALLOW)
    for text in (
        "sql: read table users",
        "sql: drop table users",
        "shell: execute program ls",
        "sql: opaque",
    ):
        found = explained(policy, facts(text))
        applied = {one.rule.id for one in found.examination.rules if one.applies}
        assert applied == {one.id for one in found.decision.fired}
        for one in found.examination.rules:
            if one.conditions:
                assert one.applies == any(all(vector) for vector in one.vectors)


NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
ASK = {"effect": "require_approval", "remedy": "ask"}
DENY = {"effect": "deny", "remedy": "do not"}
MAY = 'principal.permissions.exists(p, p in ["write", "admin"])'
CHANGES: list[tuple[str, list[dict[str, Any]], str, str, str]] = [
    ("allowed", [ALLOW], "sql: read table users", "", ""),
    ("nobody allows it", [], "sql: read table users", "grant", "a grant `access` for read `users`"),
    ("only what is not allowed is granted", [{**ALLOW, "where": 'effect.name == "orders"'}], PII, "grant", "a grant `access` for read `users`"),
    ("a grant by its name", [ALLOW, {**DENY, "match": READ, "when": '!("bulk" in grants.names)'}], "sql: read table users", "grant", "a grant `bulk` for read `users`"),
    ("a permission", [ALLOW, {**DENY, "match": READ, "when": f"!({MAY})"}], "sql: read table users", "permission", "`agent-1` is given the permission `write`"),
    ("a reason", [ALLOW, {**DENY, "match": READ, "when": 'action.reason == ""'}], "sql: read table users", "reason", "it is proposed with a reason"),
    ("a ticket", [ALLOW, {**DENY, "match": READ, "when": 'action.ticket == ""'}], "sql: read table users", "ticket", "it is proposed with a ticket"),
    ("a capability", [ALLOW, {"effect": "constrain", "match": READ, "obligations": [{"kind": "transaction"}]}], "sql: read table users", "capability", "an executor that was granted `transaction` carries it out"),
    ("two capabilities", [ALLOW, {**DENY, "match": READ, "when": '!("mask" in action.capabilities && "limit_rows" in action.capabilities)'}], "sql: read table users", "capability", "an executor that was granted `mask` and `limit_rows` carries it out"),
    ("an environment", [ALLOW, {**DENY, "match": READ, "when": "target.production"}], "sql: read table users", "environment", "it is proposed for a target in `development`"),
    ("another time", [ALLOW, {**DENY, "match": READ, "when": "time.hour < 18"}], "sql: read table users", "time", "it is proposed at Sun 2026-11-22 18:00 UTC"),
    ("anybody's approval", [ALLOW, {**ASK, "match": READ}], "sql: read table users", "approval", "anybody who may vote approves it"),
    ("a group's approval", [ALLOW, {**ASK, "match": READ, "approval": {"groups": ["dba", "sre"], "count": 2}}], "sql: read table users", "approval", "`dba` or `sre` (2) approves it"),
    ("all groups' approval", [ALLOW, {**ASK, "match": READ, "approval": {"groups": ["dba", "sre"], "count": 2, "all_groups": True}}], "sql: read table users", "approval", "`dba` and `sre` (2) approves it"),
    ("an approval that a rule looks at", [ALLOW, {**DENY, "match": READ, "when": '!("dba" in approvals.groups)'}], "sql: read table users", "approval", "`dba` approves it"),
    ("a reason comes before a person", [ALLOW, {**ASK, "match": READ, "when": 'action.reason == ""'}], "sql: read table users", "reason", "it is proposed with a reason"),
    ("then a person", [ALLOW, {**DENY, "match": READ, "when": "target.production"}, {**ASK, "match": READ}], "sql: read table users", "environment", "it is proposed for a target in `development`; then anybody who may vote approves it"),
    ("nothing helps", [ALLOW, {**DENY, "match": READ}], "sql: read table users", "", ""),
    ("two things would be needed", [ALLOW, {**DENY, "match": READ, "when": 'action.reason == ""'}, {**DENY, "match": READ, "when": 'action.ticket == ""'}], "sql: read table users", "", ""),
    ("a grant never answers a denial", [{**DENY, "match": READ}], "sql: read table users", "", ""),
    ("what is opaque is not granted in production", [ALLOW], "sql: read table users; opaque", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "text", "kind", "said"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_the_nearest_change(
    rules: list[dict[str, Any]],
    text: str,
    kind: str,
    said: str,
    policy_of: Callable[..., Policy],
    facts: Callable[..., Facts],
) -> None:
    named = [{"id": f"rule-{n}", **rule} for n, rule in enumerate(rules)]
    # A policy needs a rule; this one never has anything to say.
    idle = {"id": "idle", "effect": "deny", "match": {"kind": ["http"]}, "remedy": "none"}
    found = explained(policy_of(*named, idle), replace(facts(text), now=NOW))
    assert (
        found.nearest.kind if found.nearest else "",
        found.nearest.text if found.nearest else "",
    ) == (kind, said)


def test_a_name_that_no_grant_can_hold_is_not_promised(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts]
) -> None:
    idle = {"id": "idle", "effect": "deny", "match": {"kind": ["http"]}, "remedy": "none"}
    assert explained(policy_of(idle), facts(f"sql: read table {'x' * 300}")).nearest is None


def test_remedies_are_those_of_what_stops_it(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts]
) -> None:
    deny = {"id": "deny-it", "effect": "deny", "match": READ, "remedy": "do less"}
    ask = {"id": "ask-it", "effect": "require_approval", "match": READ, "remedy": "ask"}
    loud = {**ALLOW, "remedy": "never shown"}
    assert explained(policy_of(deny, ask, loud), facts(PII)).remedies == ("do less", "ask")
    assert explained(policy_of(loud), facts(PII)).remedies == ()
