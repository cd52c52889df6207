"""The laws of a decision, for any rules and any order of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcers.intent.model import Effect, Extent, Finding, Intent, Resource, ResourceType, Verb
from enforcers.policy.compiling import CompiledRule
from enforcers.policy.engine import Decision, Facts, PrincipalFacts, TargetFacts
from enforcers.policy.matrix import Matrix
from enforcers.policy.policy import Policy

# Compiling a policy takes longer at some times than at others; how long is not what is tested.
law = settings(deadline=None)

RANK = {"allow": 0, "require_approval": 1, "deny": 2}
VERBS = ("read", "write", "drop")
NONE = {"match": {"kind": ["sql"]}}

conditions = st.sampled_from(
    [
        NONE,
        {"match": {"verb": ["read"]}},
        {"match": {"verb": ["write", "drop"]}},
        {"where": "effect.verb in ['read', 'write', 'drop']"},
        {"where": "effect.name == 't1'", "when": "intent.kind == 'sql'"},
        {"when": "size(intent.effects) < 2"},
        {"when": "intent.opaque"},
        {"when": "!target.production", "match": {"environment": ["development"]}},
    ]
)


def _rule(effect: str, mode: str, condition: dict[str, Any]) -> dict[str, Any]:
    obligations = [{"kind": "limit_rows", "value": 9}] if effect == "constrain" else []
    return {"effect": effect, "mode": mode, "obligations": obligations, **condition}


rules = st.lists(
    st.builds(
        _rule,
        st.sampled_from(["deny", "require_approval", "allow", "constrain"]),
        st.sampled_from(["enforce", "enforce", "warn", "shadow"]),
        conditions,
    ),
    min_size=1,
    max_size=6,
)
effects = st.lists(
    st.builds(
        lambda verb, name: Effect(Verb(verb), Resource(ResourceType.TABLE, name)),
        st.sampled_from(VERBS),
        st.sampled_from(["t1", "t2"]),
    ),
    max_size=3,
).map(tuple)
findings = st.sampled_from([(), (Finding("c", "m"),)])


def _facts(intent: Intent, environment: str, enrolled: bool = True) -> Facts:
    who = PrincipalFacts("a", "agent", enrolled)
    target = TargetFacts("db", environment)
    return Facts(who, target, intent, capabilities=frozenset({"limit_rows"}))


any_facts = st.builds(
    lambda effects, opaque, environment: _facts(
        Intent("sql", effects=effects, opaque=opaque), environment
    ),
    effects,
    findings,
    st.sampled_from(["production", "development", "unheard-of"]),
)
defaults = st.sampled_from(["deny", "allow_with_would_deny"])


def _rank(decision: Decision) -> int:
    return RANK[decision.decision]


def _named(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**rule, "id": f"r-{n}"} for n, rule in enumerate(written)]


@law
@given(rules, any_facts, defaults, st.randoms())
def test_the_order_of_rules_does_not_matter(
    policy_of: Callable[..., Policy],
    written: list[dict[str, Any]],
    facts: Facts,
    default: str,
    random: Any,
) -> None:
    named = _named(written)
    shuffled = random.sample(named, len(named))
    first = policy_of(*named, default=default).decide(facts)
    assert first == policy_of(*shuffled, default=default).decide(facts)


matches = st.fixed_dictionaries(
    {},
    optional={
        "verb": st.lists(st.sampled_from(VERBS), min_size=1, max_size=2),
        "type": st.lists(st.sampled_from(["table", "file"]), min_size=1, max_size=2),
        "extent": st.lists(st.sampled_from(["none", "key_bound"]), min_size=1, max_size=2),
        "tag": st.lists(st.sampled_from(["pii", "secret"]), min_size=1, max_size=2),
    },
).filter(bool)
touching = st.lists(
    st.builds(
        lambda verb, type_, tags, extent: Effect(
            Verb(verb),
            Resource(ResourceType(type_), "t1", tags=tuple(sorted(tags))),
            Extent(extent),
        ),
        st.sampled_from(VERBS),
        st.sampled_from(["table", "file", "host"]),
        st.sets(st.sampled_from(["pii", "secret", "own"])),
        st.sampled_from(["none", "key_bound", "whole"]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)


def _as_condition(match: dict[str, list[str]]) -> str:
    tags = match.get("tag")
    tagged = [f"effect.tags.exists(one, one in {tags})"] if tags else []
    single = [f"effect.{name} in {values}" for name, values in match.items() if name != "tag"]
    return " && ".join([*single, *tagged])


@law
@given(
    st.sampled_from(["deny", "require_approval", "allow"]),
    matches,
    st.sampled_from([{}, {"where": "effect.extent != 'whole'"}]),
    touching,
)
def test_match_names_the_effects_that_its_condition_would(
    policy_of: Callable[..., Policy],
    effect: str,
    match: dict[str, list[str]],
    more: dict[str, str],
    touched: tuple[Effect, ...],
) -> None:
    facts = _facts(Intent("sql", effects=touched), "production")
    matching = {**_rule(effect, "enforce", {"match": match, **more}), "id": "one"}
    condition = " && ".join([*more.values(), _as_condition(match)])
    spelt = {**_rule(effect, "enforce", {"where": condition}), "id": "one"}
    found, expected = (policy_of(one).decide(facts) for one in (matching, spelt))
    assert (found.decision, found.fired) == (expected.decision, expected.fired)


@law
@given(rules, conditions, any_facts, defaults)
def test_another_denying_rule_never_gives_permission(
    policy_of: Callable[..., Policy],
    written: list[dict[str, Any]],
    condition: dict[str, Any],
    facts: Facts,
    default: str,
) -> None:
    before = policy_of(*written, default=default).decide(facts)
    after = policy_of(*written, _rule("deny", "enforce", condition), default=default).decide(facts)
    assert _rank(after) >= _rank(before)


@law
@given(rules, any_facts, defaults)
def test_a_failing_rule_denies_and_is_named(
    policy_of: Callable[..., Policy], written: list[dict[str, Any]], facts: Facts, default: str
) -> None:
    broken = _rule("allow", "enforce", {"when": "intent.opaque || !intent.opaque"})
    policy = policy_of(*written, {**broken, "id": "broken"}, default=default)
    # Nothing that can fail gets past loading, so the failure is put in behind it.
    failing = [
        CompiledRule(one.rule, "1 / 0 == 1", one.where) if one.rule.id == "broken" else one
        for one in policy._rules
    ]
    policy._rules = tuple(failing)
    policy._single["broken"] = Matrix([failing[-1]])
    decision = policy.decide(facts)
    assert decision.decision == "deny"
    assert decision.failed_rules == ("broken",)
    assert [reason.code for reason in decision.reasons] == ["rule_failed"]


@law
@given(rules, effects, findings, st.sampled_from(["production", "development"]), defaults)
def test_the_inadmissible_is_denied_everywhere(
    policy_of: Callable[..., Policy],
    written: list[dict[str, Any]],
    found: tuple[Effect, ...],
    opaque: tuple[Finding, ...],
    environment: str,
    default: str,
) -> None:
    bad = (Finding("nul_byte", "m"),)
    intent = Intent("sql", effects=found, opaque=opaque, inadmissible=bad)
    decision = policy_of(*written, default=default).decide(_facts(intent, environment))
    assert (decision.decision, decision.reasons[0].code) == ("deny", "nul_byte")


@law
@given(rules, effects, defaults, st.sampled_from(["production", "prod", "", "Development"]))
def test_the_opaque_is_denied_in_production(
    policy_of: Callable[..., Policy],
    written: list[dict[str, Any]],
    found: tuple[Effect, ...],
    default: str,
    environment: str,
) -> None:
    intent = Intent("sql", effects=found, opaque=(Finding("unparsable", "m"),))
    decision = policy_of(*written, default=default).decide(_facts(intent, environment))
    assert decision.decision == "deny"
    assert "unparsable" in [reason.code for reason in decision.reasons]


@law
@given(rules, effects, defaults)
def test_the_opaque_is_never_plainly_allowed(
    policy_of: Callable[..., Policy],
    written: list[dict[str, Any]],
    found: tuple[Effect, ...],
    default: str,
) -> None:
    intent = Intent("sql", effects=found, opaque=(Finding("unparsable", "m"),))
    decision = policy_of(*written, default=default).decide(_facts(intent, "development"))
    assert decision.decision != "allow"


@law
@given(rules, effects, defaults)
def test_whoever_is_not_enrolled_is_denied(
    policy_of: Callable[..., Policy],
    written: list[dict[str, Any]],
    found: tuple[Effect, ...],
    default: str,
) -> None:
    facts = _facts(Intent("sql", effects=found), "development", enrolled=False)
    assert policy_of(*written, default=default).decide(facts).decision == "deny"


@law
@given(rules, any_facts, st.sampled_from(["warn", "shadow"]))
def test_warn_and_shadow_never_weaken_what_is_opaque(
    policy_of: Callable[..., Policy], written: list[dict[str, Any]], facts: Facts, mode: str
) -> None:
    opaque = _facts(Intent("sql", facts.intent.effects, opaque=(Finding("c", "m"),)), "development")
    asking = [_rule("require_approval", "enforce", NONE), *written]
    denying = _rule("deny", "enforce", NONE)
    assert policy_of(*asking, denying).decide(opaque).decision == "deny"
    relaxed = policy_of(*asking, {**denying, "mode": "warn"}).decide(opaque)
    assert relaxed.decision == "deny"
    assert policy_of(*asking, {**denying, "mode": mode}).decide(opaque).decision != "allow"


@law
@given(
    rules,
    any_facts,
    st.sampled_from(["warn", "shadow"]),
    st.sampled_from(["allow", "require_approval"]),
)
def test_a_rule_that_is_not_enforced_never_speaks_for_an_effect(
    policy_of: Callable[..., Policy],
    written: list[dict[str, Any]],
    facts: Facts,
    mode: str,
    effect: str,
) -> None:
    before = policy_of(*written).decide(facts)
    extra = _rule(effect, mode, {"where": "effect.verb in ['read', 'write', 'drop']"})
    assert _rank(policy_of(*written, extra).decide(facts)) == _rank(before)


@law
@given(rules, any_facts)
def test_every_denial_and_every_question_has_a_reason(
    policy_of: Callable[..., Policy], written: list[dict[str, Any]], facts: Facts
) -> None:
    decision = policy_of(*written).decide(facts)
    assert (decision.decision == "allow" and not decision.would_deny) == (not decision.reasons)


@law
@given(rules, any_facts)
def test_one_evaluation_gives_what_each_rule_gives_alone(
    policy_of: Callable[..., Policy], written: list[dict[str, Any]], facts: Facts
) -> None:
    together = policy_of(*_named(written)).decide(facts)
    alone = {fired.id for rule in _named(written) for fired in policy_of(rule).decide(facts).fired}
    assert {rule.id for rule in together.fired} == alone


@pytest.mark.parametrize("broken", [None, 3, "x"])
def test_facts_of_the_wrong_type_are_denied(policy_of: Callable[..., Policy], broken: Any) -> None:
    policy = policy_of(_rule("allow", "enforce", {"match": {"verb": ["read"]}}))
    assert policy.decide(_facts(broken, "development")).decision == "deny"
    assert policy.decide(broken).decision == "deny"
