"""Single points of a decision, each with the smallest policy that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from enforcers.intent.model import Intent, ShellFacts, SqlFacts
from enforcers.policy.engine import Facts
from enforcers.policy.messages import MAX_PARTS, view_intent
from enforcers.policy.policy import Policy

MakeFacts = Callable[..., Facts]
MakePolicy = Callable[..., Policy]
READS = {"id": "reads", "effect": "allow", "match": {"verb": ["read"]}, "message": "reads pass"}


def test_every_effect_needs_a_rule_that_speaks_for_it(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    decision = policy_of(READS).decide(facts("sql: read table a; drop table b"))
    assert decision.decision == "deny"
    assert decision.reasons[0].code == "no_rule_allows"
    assert decision.reasons[0].message == "no rule allows `drop` on table `b`"
    assert decision.reasons[0].remedy == "the closest rule is `reads`: reads pass"


def test_two_rules_may_speak_for_one_effect_each(policy_of: MakePolicy, facts: MakeFacts) -> None:
    drops = {"effect": "allow", "match": {"verb": ["drop"]}}
    assert (
        policy_of(READS, drops).decide(facts("sql: read table a; drop table b")).decision == "allow"
    )


def test_a_rule_that_names_no_effect_speaks_for_none(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    policy = policy_of({"effect": "allow", "match": {"kind": ["sql"]}})
    assert policy.decide(facts("sql: read table a")).decision == "deny"
    assert policy.decide(facts("sql:")).decision == "allow"


def test_a_rule_that_names_effects_does_not_allow_an_action_without(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    assert policy_of(READS).decide(facts("sql:")).decision == "deny"


def test_approval_for_one_effect_does_not_cover_another(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    policy = policy_of({"effect": "require_approval", "match": {"verb": ["read"]}})
    assert policy.decide(facts("sql: read table a")).decision == "require_approval"
    assert policy.decide(facts("sql: read table a; drop table b")).decision == "deny"


def test_warn_allows_and_says_so(policy_of: MakePolicy, facts: MakeFacts) -> None:
    watched = {"effect": "deny", "mode": "warn", "match": {"verb": ["read"]}, "remedy": "do not"}
    decision = policy_of(READS, watched).decide(facts("sql: read table a"))
    assert (decision.decision, decision.would_deny) == ("allow", True)
    assert [(reason.code, reason.rule) for reason in decision.reasons] == [("would_deny", "rule-1")]


def test_shadow_is_recorded_only(policy_of: MakePolicy, facts: MakeFacts) -> None:
    watched = {"effect": "deny", "mode": "shadow", "match": {"verb": ["read"]}}
    decision = policy_of(READS, watched).decide(facts("sql: read table a"))
    assert (decision.decision, decision.would_deny, decision.reasons) == ("allow", False, ())
    assert [rule.id for rule in decision.fired] == ["reads", "rule-1"]


def test_the_default_may_allow_and_say_so(policy_of: MakePolicy, facts: MakeFacts) -> None:
    policy = policy_of(READS, default="allow_with_would_deny")
    decision = policy.decide(facts("sql: drop table a"))
    assert (decision.decision, decision.would_deny) == ("allow", True)
    assert policy.decide(facts("sql: read table a")).would_deny is False


def test_obligations_are_joined_to_the_strictest(policy_of: MakePolicy, facts: MakeFacts) -> None:
    def limit(rows: int, column: str) -> dict[str, object]:
        obligations = [{"kind": "limit_rows", "value": rows}, {"kind": "mask", "columns": [column]}]
        return {"effect": "constrain", "match": {"verb": ["read"]}, "obligations": obligations}

    policy = policy_of(READS, limit(100, "b"), limit(10, "a"))
    able = facts("sql: read table a", capabilities=("limit_rows", "mask"))
    limits, mask = policy.decide(able).obligations
    assert (limits.value, mask.columns) == (10, ("a", "b"))


def test_an_obligation_that_nobody_can_carry_out_denies(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    masked = {
        "effect": "constrain",
        "match": {"verb": ["read"]},
        "obligations": [{"kind": "transaction"}],
    }
    decision = policy_of(READS, masked).decide(facts("sql: read table a", capabilities=("mask",)))
    assert [reason.code for reason in decision.reasons] == ["missing_capability"]
    assert decision.obligations == ()


def test_nested_actions_are_judged_with_their_parent(
    policy_of: MakePolicy, facts: MakeFacts, intent: Callable[[str], Intent]
) -> None:
    policy = policy_of({**READS, "match": {"verb": ["read", "execute"], "kind": ["shell"]}})
    parent = intent("shell: execute program psql")
    assert policy.decide(facts(parent)).decision == "allow"
    for inner in (
        "shell: drop table users",
        "shell: inadmissible",
        "shell: opaque",
        "sql: read table a",
    ):
        nested = replace(parent, nested=(replace(parent, nested=(intent(inner),)),))
        assert policy.decide(facts(nested)).decision == "deny", inner


def test_denying_rules_see_nested_kinds(
    policy_of: MakePolicy, facts: MakeFacts, intent: Callable[[str], Intent]
) -> None:
    policy = policy_of({"id": "no-sql", "effect": "deny", "match": {"kind": ["sql"]}})
    nested = replace(intent("shell: execute program psql"), nested=(intent("sql: read table a"),))
    assert [rule.id for rule in policy.decide(facts(nested)).fired] == ["no-sql"]


def test_facts_of_a_kind_are_put_together(intent: Callable[[str], Intent]) -> None:
    inner = Intent("sql", sql=SqlFacts("duckdb", "select", ("max",), ("a.b",), 5))
    outer = Intent(
        "shell",
        nested=(inner,),
        shell=ShellFacts((("/bin/echo", "x"), ("wc",)), ("|",), "/bin/echo"),
    )
    message = view_intent(outer).message
    assert list(message.kinds) == ["shell", "sql"]
    assert (message.sql.statement, message.sql.row_limit, list(message.sql.functions)) == (
        "select",
        5,
        ["max"],
    )
    assert (list(message.shell.programs), list(message.shell.words)) == (["echo", "wc"], ["x"])
    assert message.nested


def test_an_oversized_action_is_denied_without_asking_a_rule(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    words = Intent("shell", shell=ShellFacts((("echo", *["x"] * MAX_PARTS),)))
    decision = policy_of(READS).decide(facts(words))
    assert [reason.code for reason in decision.reasons] == ["oversized"]


def test_prefilter_and_condition_mean_the_same(policy_of: MakePolicy, facts: MakeFacts) -> None:
    matched = {
        "match": {
            "verb": ["drop"],
            "type": ["table"],
            "extent": ["whole"],
            "tag": ["pii", "x'\"\\"],
        }
    }
    written = {
        "where": "effect.verb == 'drop' && effect.type == 'table' && effect.extent == 'whole' && 'pii' in effect.tags"
    }
    for text in (
        "drop table a whole #pii",
        "drop table a whole",
        "drop schema a whole #pii",
        "drop table a #pii",
    ):
        fired = [
            bool(policy_of({"effect": "deny", **condition}).decide(facts(f"sql: {text}")).fired)
            for condition in (matched, written)
        ]
        assert fired[0] == fired[1], text


def test_match_must_hold_for_one_and_the_same_effect(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    policy = policy_of({"effect": "deny", "match": {"verb": ["drop"], "tag": ["pii"]}})
    assert not policy.decide(facts("sql: read table a #pii; drop table b")).fired


def test_principal_kinds_are_matched(policy_of: MakePolicy, facts: MakeFacts) -> None:
    policy = policy_of({**READS, "match": {"verb": ["read"], "principal_kind": ["human"]}})
    assert policy.decide(facts("sql: read table a", kind="human")).decision == "allow"
    assert policy.decide(facts("sql: read table a", kind="agent")).decision == "deny"


def test_variables_are_put_into_conditions_but_not_into_strings(
    policy_of: MakePolicy, facts: MakeFacts
) -> None:
    variables = {"good": "['a', 'good']  // names", "is_good": "effect.name in good"}
    rule = {"effect": "allow", "where": "is_good && effect.name != 'is_good'"}
    policy = policy_of(rule, variables=variables)
    assert policy.decide(facts("sql: read table good")).decision == "allow"
    assert policy.decide(facts("sql: read table is_good")).decision == "deny"


def test_more_conditions_than_one_expression_takes_decide_as_any(
    policy_of: Callable[..., Policy], facts: Callable[..., Facts]
) -> None:
    long = "y" * 2_000
    whens = [{"effect": "deny", "when": f"intent.kind == '{n}{long}'"} for n in range(60)]
    wheres = [
        {
            "effect": "deny",
            "where": f"effect.name in ['t{n}', '{long}']",
            "match": {"verb": ["read"]},
        }
        for n in range(60)
    ]
    allow = {"effect": "allow", "match": {"verb": ["read"]}}
    policy = policy_of(*whens, *wheres, allow, {"effect": "deny", "when": "intent.opaque"})
    assert policy.decide(facts("sql: read table a")).decision == "allow"
    denied = policy.decide(facts("sql: read table a; read table t59"))
    assert [one.rule for one in denied.reasons] == ["rule-119"]
    assert policy.decide(facts("sql: read table t3")).decision == "deny"
    assert policy.decide(facts("sql: read table a; opaque", "development")).decision == "deny"
    assert policy.decide(facts("sql:")).reasons[0].code == "no_rule_allows"
