"""Which effects a grant covers, and what that does to a decision: it answers no denial and nothing opaque."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcers.contract.grant import Grant, GrantScope
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import Decision as Answer
from enforcers.intent.model import Effect, Intent, Resource, ResourceType
from enforcers.policy.engine import Facts
from enforcers.policy.policy import Policy

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALLOW_READS = {"effect": "allow", "match": {"verb": ["read"]}}
ALLOW_WRITES = {"effect": "allow", "match": {"verb": ["write"]}}
ASK_WRITES = {"effect": "require_approval", "match": {"verb": ["write"]}}
ASK_ALL = {"effect": "require_approval", "match": {"kind": ["sql"]}}
DENY_WRITES = {"effect": "deny", "match": {"verb": ["write"]}}


def grant(number: int = 1, minutes: int = 10, name: str = "access", **scope: Any) -> Grant:
    return Grant(
        id=UUID(int=100 + number),
        issue=Issue(version=1, by="admin-1", at=NOW),
        grant=UUID(int=number),
        name=name,
        principal="agent-1",
        scope=GrantScope(**(scope or {"resources": ("orders",)})),
        not_before=NOW,
        expires_at=NOW + timedelta(minutes=minutes),
    )


def used(*numbers: int) -> tuple[UUID, ...]:
    return tuple(UUID(int=number) for number in numbers)


Decide = Callable[..., tuple[str, tuple[UUID, ...]]]


@pytest.fixture
def decide(policy_of: Callable[..., Policy], facts: Callable[..., Facts]) -> Decide:
    """The answer to a notation, and the grants that were needed."""

    def build(text: str | Intent, rules: list[Any], *grants: Grant, **more: Any) -> Any:
        asked = replace(facts(text, **more), grants=grants, now=NOW)
        found = policy_of(*rules).decide(asked)
        return found.decision.value, found.grants

    return build


def test_a_grant_speaks_where_no_rule_does(decide: Decide) -> None:
    assert decide("sql: write table orders", [ALLOW_READS]) == ("deny", ())
    assert decide("sql: write table orders", [ALLOW_READS], grant()) == ("allow", used(1))
    assert decide("sql: write table orders", [ALLOW_READS], grant(resources=("o",))) == ("deny", ())


def test_a_grant_that_is_not_needed_is_not_used(decide: Decide) -> None:
    assert decide("sql: read table orders", [ALLOW_READS], grant()) == ("allow", ())


def test_a_grant_answers_a_rule_that_asks(decide: Decide) -> None:
    assert decide("sql: write table orders", [ASK_WRITES], grant()) == ("allow", used(1))
    assert decide("sql: write table orders", [ASK_WRITES, ALLOW_WRITES], grant()) == (
        "allow",
        used(1),
    )
    assert decide("sql: write table orders", [ASK_ALL], grant()) == ("allow", used(1))


@pytest.mark.parametrize(
    "rules",
    [
        [DENY_WRITES],
        [DENY_WRITES, ALLOW_WRITES],
        [DENY_WRITES, ASK_WRITES],
        [{**DENY_WRITES, "match": {"kind": ["sql"]}}],
        [{"effect": "deny", "when": "target.production"}, ALLOW_WRITES],
    ],
)
def test_a_grant_answers_no_denial(decide: Decide, rules: list[Any]) -> None:
    assert decide("sql: write table orders", rules, grant()) == ("deny", ())


def test_a_grant_answers_nothing_that_is_asked_every_time(decide: Decide) -> None:
    asking = {**ASK_WRITES, "approval": {"every_time": True}}
    assert decide("sql: write table orders", [asking], grant()) == ("require_approval", ())


@pytest.mark.parametrize("environment", ["production", "development"])
def test_a_grant_answers_nothing_opaque(decide: Decide, environment: str) -> None:
    for rules in ([ALLOW_READS], [ASK_ALL], [ALLOW_WRITES]):
        answer, grants = decide(
            "sql: write table orders; opaque", rules, grant(), environment=environment
        )
        assert answer != "allow"
        assert grants == ()


def test_a_grant_answers_nothing_inadmissible(decide: Decide) -> None:
    assert decide("sql: write table orders; inadmissible", [ASK_ALL], grant()) == ("deny", ())


def test_a_grant_does_not_stand_in_for_a_missing_capability(decide: Decide) -> None:
    limit = {
        "effect": "constrain",
        "match": {"verb": ["write"]},
        "obligations": [{"kind": "limit_rows", "value": 1}],
    }
    assert decide("sql: write table orders", [limit], grant()) == ("deny", ())
    able = {"capabilities": ("limit_rows",)}
    assert decide("sql: write table orders", [limit], grant(), **able)[0] == "allow"


def test_an_action_without_effects_is_covered_by_no_grant(decide: Decide) -> None:
    writes = grant(condition="effect.verb == 'write'")
    assert decide("sql: write table orders", [ASK_ALL], writes) == ("allow", used(1))
    assert decide("sql:", [ALLOW_READS], writes) == ("deny", ())
    assert decide("sql:", [ASK_ALL], writes) == ("require_approval", ())


def test_a_grant_covers_some_effects_and_not_the_others(decide: Decide) -> None:
    both = "sql: write table orders; write table bills"
    assert decide(both, [ALLOW_READS], grant()) == ("deny", ())
    assert decide(both, [ASK_ALL, ALLOW_WRITES], grant()) == ("require_approval", ())
    assert decide(both, [ASK_WRITES], grant()) == ("require_approval", ())
    two = (grant(1), grant(2, resources=("bills",)))
    assert decide(both, [ALLOW_READS], *two) == ("allow", used(1, 2))
    assert decide(both, [ASK_ALL], *two) == ("allow", used(1, 2))


def test_as_few_grants_as_will_do_are_used_those_that_end_first(decide: Decide) -> None:
    orders = "sql: write table orders"
    late, soon = grant(1, 20), grant(2, 5)
    assert decide(orders, [ALLOW_READS], late, soon) == ("allow", used(2))
    assert decide(orders, [ALLOW_READS], soon, late) == ("allow", used(2))
    both = "sql: write table orders; write table bills"
    wide = grant(3, 30, resources=("orders", "bills"))
    assert decide(both, [ALLOW_READS], soon, wide) == ("allow", used(3))
    assert decide(both, [ALLOW_READS], grant(4, 1, resources=("bills",)), soon, wide) == (
        "allow",
        used(4, 2),
    )


def test_a_grant_for_what_a_person_will_be_asked_about_anyway_is_not_used(decide: Decide) -> None:
    """Of two, the one that speaks for what no rule allows is needed; a person speaks for the other effect."""
    asking = {**ASK_WRITES, "approval": {"every_time": True}}
    text = "sql: write table orders; drop table bills"
    grants = (grant(1), grant(2, resources=("bills",)))
    assert decide(text, [asking], *grants) == ("require_approval", used(2))


def test_a_warning_is_no_reason_to_use_a_grant(decide: Decide) -> None:
    warning = {**DENY_WRITES, "mode": "warn"}
    assert decide("sql: write table orders", [warning, ALLOW_WRITES], grant()) == ("allow", ())
    asking = {**ASK_WRITES, "mode": "warn"}
    assert decide("sql: write table orders", [asking, ALLOW_WRITES], grant()) == ("allow", ())


def test_a_rule_that_warns_asks_nobody(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts]
) -> None:
    asking = {**ASK_WRITES, "mode": "warn"}
    found = policy_of(asking, ALLOW_WRITES).decide(facts("sql: write table orders"))
    assert (found.decision, found.asks, found.would_deny) == (Answer.ALLOW, (), True)


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({"resources": ("orders",)}, True),
        ({"resources": ("ord*",)}, True),
        ({"resources": ("*ers",)}, True),
        ({"resources": ("ORDERS",)}, False),
        ({"resources": ("order",)}, False),
        ({"resources": ("ord*r*s",)}, True),
        ({"resources": ("orders*orders",)}, False),
        ({"resources": ("*s*r*",)}, False),
        ({"resources": ("orders.",)}, False),
        ({"resources": ("o.ders",)}, False),
        ({"resources": ("[a-z]*",)}, False),
        ({"resources": ("public.orders",)}, False),
        ({"resources": ("x", "orders")}, True),
        # What would cover everything covers nothing.
        ({}, False),
        ({"verbs": ("write",)}, False),
        ({"resources": ("*",)}, False),
        ({"resources": ("**",)}, False),
        ({"resources": ("*.*",)}, False),
        ({"resources": ("*e*",)}, False),
        ({"resources": ("*", "orders")}, False),
        ({"resources": ("*",), "condition": "effect.name == 'orders'"}, True),
        ({"condition": "effect.verb != ''"}, False),
        ({"condition": "effect.verb != ''", "verbs": ("write",)}, False),
        ({"condition": "effect.verb != ''", "resources": ("*e*",)}, False),
        ({"condition": "effect.verb != ''", "resources": ("orders",)}, True),
        ({"condition": "principal.id == 'agent-1'"}, False),
        ({"resources": ("orders",), "verbs": ("write", "read")}, True),
        ({"resources": ("orders",), "verbs": ("WRITE",)}, False),
        ({"resources": ("orders",), "verbs": ("delete",)}, False),
        ({"resources": ("orders",), "types": ("table",)}, True),
        ({"resources": ("orders",), "types": ("host",)}, False),
        ({"resources": ("orders",), "systems": ("db",)}, True),
        ({"resources": ("orders",), "systems": ("other",)}, False),
        ({"resources": ("orders",), "catalogs": ("main",)}, False),
        ({"resources": ("orders",), "environments": ("production",)}, True),
        ({"resources": ("orders",), "environments": ("staging",)}, False),
        ({"condition": "effect.name == 'orders'"}, True),
        ({"condition": "effect.name == 'bills'"}, False),
        ({"resources": ("bills",), "condition": "effect.name == 'orders'"}, False),
        ({"condition": "effect.name == 'orders' && principal.id == 'agent-1'"}, True),
        ({"condition": "effect.name == 'orders' && principal.id == 'agent-2'"}, False),
        # What cannot be read covers nothing.
        ({"condition": "true"}, False),
        ({"condition": "effect.nome == 'orders'"}, False),
        ({"condition": "effect.name"}, False),
        ({"condition": "((("}, False),
        ({"condition": "1 / size(effect.tags) == 0"}, False),
        ({"condition": "effect.name == 'bills') || (effect.name == 'orders'"}, False),
    ],
)
def test_a_scope_covers(decide: Decide, scope: dict[str, Any], covers: bool) -> None:
    one = grant().model_copy(update={"scope": GrantScope(**scope)})
    answer, grants = decide("sql: write table orders", [ALLOW_READS], one)
    assert (answer, grants) == (("allow", used(1)) if covers else ("deny", ()))


@pytest.mark.parametrize("kind", [one for one in ResourceType if one is not ResourceType.TABLE])
def test_a_name_alone_means_a_table(decide: Decide, kind: ResourceType) -> None:
    """`billing.*` is meant for a schema, not for a host or a file that is called so."""
    text = f"sql: write {kind.value} billing.example"
    named = {"resources": ("billing.*",)}
    assert decide(text, [ALLOW_READS], grant(**named)) == ("deny", ())
    typed = grant(**named, types=(kind.value,))
    assert decide(text, [ALLOW_READS], typed) == ("allow", used(1))


def test_a_namespace_is_part_of_the_name(decide: Decide, facts: Callable[..., Facts]) -> None:
    (effect,) = facts("sql: write table orders").intent.effects
    resource = Resource(ResourceType.TABLE, "orders", namespace="secret")
    intent = Intent("sql", effects=(Effect(effect.verb, resource, effect.extent),))
    assert decide(intent, [ALLOW_READS], grant(resources=("orders",))) == ("deny", ())
    assert decide(intent, [ALLOW_READS], grant(resources=("billing.*",))) == ("deny", ())
    assert decide(intent, [ALLOW_READS], grant(resources=("secret.*",))) == ("allow", used(1))


# --- laws ------------------------------------------------------------------------------------------------

RANK = {"allow": 0, "require_approval": 1, "deny": 2}
rules = st.lists(
    st.sampled_from(
        [ALLOW_READS, ALLOW_WRITES, ASK_WRITES, ASK_ALL, DENY_WRITES,
         {**ASK_WRITES, "approval": {"every_time": True, "groups": ["dba"], "count": 2}},
         {**ASK_ALL, "mode": "warn"},
         {"effect": "allow", "where": "effect.name == 'bills'"}]
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip
texts = st.lists(
    st.sampled_from(
        [
            "write table orders",
            "write table bills",
            "read table orders",
            "drop table bills",
            "opaque",
        ]
    ),
    unique=True,
    max_size=3,
).map(lambda parts: "sql: " + "; ".join(parts))
grants = st.lists(
    st.builds(
        grant,
        st.integers(1, 9),
        st.integers(1, 60),
        resources=st.sampled_from([("orders",), ("bills",), ("orders", "bills"), ("x",), ("*",)]),
        verbs=st.sampled_from([(), ("write",), ("read", "drop")]),
    ),
    max_size=4,
    unique_by=lambda one: one.grant,
)
environments = st.sampled_from(["production", "development"])
defaults = st.sampled_from(["deny", "allow_with_would_deny"])


def _covers(one: Grant, effect: Effect) -> bool:
    """The same, written down once more."""
    return (
        effect.resource.name in one.scope.resources
        and one.scope.resources != ("*",)
        and (not one.scope.verbs or effect.verb.value in one.scope.verbs)
    )


def _laws_of_grants(
    policy_of: Callable[..., Policy],
    asked: Facts,
    written: list[dict[str, Any]],
    held: list[Grant],
    default: str,
    shuffle: Any,
) -> None:
    named = [{**rule, "id": f"r-{n}"} for n, rule in enumerate(written)]
    policy = policy_of(*named, default=default)
    plain = policy.decide(asked)
    found = policy.decide(replace(asked, grants=tuple(held)))
    # They only ever move towards allow, and are named only where they did.
    assert RANK[found.decision] <= RANK[plain.decision]
    if found.grants:
        assert (found.decision, found.would_deny) != (plain.decision, plain.would_deny)
    else:
        assert found == plain
    # Neither the order of grants nor that of rules matters.
    mixed = replace(asked, grants=tuple(shuffle.sample(held, len(held))))
    assert policy.decide(mixed) == found
    other = policy_of(*shuffle.sample(named, len(named)), default=default)
    assert other.decide(mixed) == found
    # Those that it names are enough, and each of them is needed.
    by_id = {one.grant: one for one in held}
    needed = tuple(by_id[one] for one in found.grants)
    assert policy.decide(replace(asked, grants=needed)) == found
    for one in needed:
        fewer = tuple(other for other in needed if other is not one)
        assert policy.decide(replace(asked, grants=fewer)) != found
    # With grants too, one more denying rule never allows.
    denying = policy_of(*named, {**DENY_WRITES, "id": "deny"}, default=default).decide(mixed)
    assert RANK[denying.decision] >= RANK[found.decision]
    # An effect that no grant covers is no better off: alone, it gets the same answer.
    for effect in asked.intent.effects:
        if not any(_covers(one, effect) for one in held):
            alone = replace(asked, intent=replace(asked.intent, effects=(effect,)))
            assert policy.decide(replace(alone, grants=tuple(held))) == policy.decide(alone)


@pytest.mark.parametrize("examples", [40, pytest.param(3_000, marks=pytest.mark.prove)])
def test_the_laws_of_grants(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts], examples: int
) -> None:
    @settings(deadline=None, max_examples=examples)
    @given(rules, texts, grants, environments, defaults, st.randoms())
    def hold(
        written: list[dict[str, Any]],
        text: str,
        held: list[Grant],
        environment: str,
        default: str,
        shuffle: Any,
    ) -> None:
        asked = facts(text, environment=environment)
        _laws_of_grants(policy_of, asked, written, held, default, shuffle)

    hold()
