"""A grant for everything is none, in whatever words it is written; what a fair author writes is one."""

from __future__ import annotations

from typing import Any

import pytest

from enforcers.contract.grant import GrantScope
from enforcers.errors import PolicyError
from enforcers.intent.model import ResourceType, Verb
from enforcers.policy.granting import check_scope

EVERY_VERB = tuple(one.value for one in Verb)
EVERY_TYPE = tuple(one.value for one in ResourceType)

TRIED = (
    'effect.name in ["q9", "zv", "wug", "dunequibs", "wrelvane", "hespwick", "tarn_gellows"]'
    ' || effect.name.contains("_ing")'
)
"""Most of what a condition is tried on, by somebody who read how."""

WIDE = [
    # Every plain word, or every second one.
    'effect.name.matches("^[a-z]{3,}$")',
    'effect.name.matches("^[^qzv]+$")',
    'effect.name.matches("^[a-z]{4,8}$")',
    'effect.name.matches("^[a-z]+_[a-z]+$")',
    # Always true.
    'effect.verb != ""',
    "effect.verb == effect.verb",
    "size(effect.verb) >= 0",
    'effect.name >= ""',
    'effect.name.startsWith("")',
    'effect.name.matches(".*")',
    "effect.name == effect.name || effect.verb == 'read'",
    'effect.verb == "read" || effect.verb != "read"',
    'effect.tags.all(t, t != "zzz")',
    '["a", "b"].exists(x, x != effect.verb)',
    '!(effect.verb == "read" && effect.verb == "write")',
    # Nearly always.
    'effect.verb != "configure"',
    'effect.name != "payroll"',
    'effect.namespace != "payroll"',
    'effect.type != "program"',
    'effect.extent != "none"',
    '!("secret" in effect.tags)',
    "size(effect.tags) == 0",
    "size(effect.tags) > 0",
    "effect.unnamed_tags == []",
    'effect.namespace == ""',
    'effect.namespace != ""',
    "size(effect.name) < 64",
    "size(effect.name) > 0",
    'effect.name.contains("e")',
    'effect.name.contains("_")',
    'effect.name.contains("e") && size(effect.tags) == 0',
    'effect.name.matches("[a-z]")',
    'effect.name < "zzzz"',
    'effect.base == effect.name || effect.verb == "read"',
    'effect.name.contains("/") || size(effect.name) < 30',
    'effect.verb in ["read", "write", "create", "alter", "drop", "delete", "truncate"]',
    # What it is not is no word on what it is, however it is hidden, and even where no effect that is tried fits.
    '(effect.verb == "drop") in [effect.verb != effect.verb]',
    f"({TRIED}) == (effect.verb != effect.verb)",
    f"({TRIED}) in [effect.verb != effect.verb]",
    f'({TRIED} ? "no" : "yes") == "yes"',
    f"!({TRIED})",
    f'!["q9", "zv", "wug", "ing"].exists(x, effect.name.contains(x) || {TRIED})',
    f'["q9", "zv", "wug", "ing"].all(x, !(effect.name.contains(x) || {TRIED}))',
    "size(effect.name) > 6 && size(effect.name) < 50",
    'effect.name.matches("^.{7,60}$")',
    '!(effect.name == "q9")',
    '!!(effect.name != "q9")',
    'effect.tags.filter(t, t != "pii") == effect.tags',
    # Everything of one type.
    'effect.type == "table"',
    'effect.type in ["table", "schema", "database", "object", "function"]',
    'effect.type == "setting" || effect.name == "orders"',
    'effect.type == "table" && effect.verb != "drop"',
    # What is no word on what is touched bounds nothing: the agent chooses it, or it is as it is.
    'principal.id == "agent-1"',
    'target.system == "crm"',
    'target.environment == "staging"',
    'action.ticket == "OPS-7"',
    'intent.kind == "sql"',
    "time.hour < 6",
    "session.rows < 1000",
    'effect.verb == "read" || time.hour < 6',
    'effect.verb == "read" || !(time.hour < 6)',
    '!(effect.verb == "read" && time.hour < 6)',
    'time.hour < 6 ? effect.verb != "read" : effect.verb == "read"',
    '(effect.verb == "read") == (time.hour < 6)',
    "effect.name == action.ticket",
    "effect.name.startsWith(action.reason)",
    "effect.verb in intent.verbs",
    # One effect of this name would speak for all of the action.
    'intent.effects.exists(e, e.name == "orders")',
    'intent.effects.exists(effect, effect.name == "orders")',
    "intent.effects.exists(e, e.name == 'orders' && effect.name == effect.name)",
]

NARROW = [
    'effect.verb == "write"',
    'effect.verb in ["read", "write"]',
    'effect.verb == "export" && "pii" in effect.tags',
    '"pii" in effect.tags',
    'effect.tags.exists(t, t == "pii" || t == "finance")',
    'effect.tags.exists(effect, effect == "pii")',
    'effect.name == "orders"',
    '!(effect.name != "orders")',
    '!(effect.name != "orders" || effect.verb != "read")',
    '!!(effect.name == "orders")',
    'effect.namespace + "." + effect.name == "hr.people"',
    'effect.name in ["orders", "bills", "customers", "invoices", "payroll", "users", "sessions"]',
    'effect.namespace in ["public", "main", "billing", "app"]',
    '"pii" in effect.tags || "secret" in effect.tags || "health" in effect.tags',
    '["hr", "billing"].exists(x, effect.name.startsWith(x + "_") && time.hour < 6)',
    '["orders", "bills"].exists(x, x == effect.name)',
    'effect.name.startsWith("billing_")',
    'effect.name.endsWith("_tmp")',
    'effect.name.contains("inv")',
    'effect.name.matches("^inv_[0-9]+$")',
    'effect.namespace == "billing"',
    'effect.namespace == "billing" || effect.name.startsWith("billing_")',
    'effect.namespace == "hr" && effect.verb != "drop"',
    'effect.verb == "read" && effect.namespace != "hr"',
    'effect.verb == "read" && !("secret" in effect.tags)',
    'effect.extent == "key_bound"',
    'effect.extent in ["key_bound", "filtered"] && effect.verb == "write"',
    'effect.type == "table" && effect.verb in ["read", "write", "delete"]',
    'effect.type == "file" && effect.name.startsWith("/tmp/")',
    'effect.verb == "read" && time.hour < 6',
    'effect.verb == "read" && !(time.hour < 6)',
    'effect.name == "orders" && principal.id == "agent-1"',
    '(effect.verb == "read" || effect.verb == "write") && target.environment == "staging"',
]


@pytest.mark.parametrize("condition", WIDE)
def test_a_condition_for_everything_is_no_bound(condition: str) -> None:
    with pytest.raises(
        PolicyError, match=r"a grant for everything is none; .* compare `effect.name`"
    ):
        check_scope(GrantScope(condition=condition))


@pytest.mark.parametrize("condition", NARROW)
def test_a_condition_that_says_what_it_is_for_is_taken(condition: str) -> None:
    check_scope(GrantScope(condition=condition))


@pytest.mark.parametrize("pattern", ["billing.*", "*.invoices", "hr.*", "*.t", "ord*", "*ers", "*inv*",
    "v2_a*", "/etc/*", "*.com", "/home/*/x", "2026*", "t", "?", "/", "[", "o.r"])  # fmt: skip
def test_a_pattern_that_says_enough_of_a_name_is_taken(pattern: str) -> None:
    check_scope(GrantScope(resources=(pattern,)))


@pytest.mark.parametrize("pattern", ["*", "**", "*.*", "*e*", "*_*", "?*", "*?", "/*", "*/*", "*.", ".*",
    "e*", "*s", "*e*r*", "*.e*", "*a.*", "o*r*s", "*er*", "*.*.*", "*_a_*", "* *", "*-1*"])  # fmt: skip
@pytest.mark.parametrize("more", [(), ("orders",), ("billing.*", "orders")])
def test_a_pattern_that_fits_nearly_every_name_is_none(pattern: str, more: tuple[str, ...]) -> None:
    with pytest.raises(
        PolicyError, match=r"for everything is none; resource `.*` fits nearly every name"
    ):
        check_scope(GrantScope(resources=(*more, pattern)))
    with pytest.raises(PolicyError, match="for everything is none; its condition"):
        check_scope(GrantScope(resources=(*more, pattern), condition='effect.verb != ""'))
    check_scope(GrantScope(resources=(*more, pattern), condition='effect.name == "orders"'))


SCOPES: list[tuple[dict[str, Any], str]] = [
    ({}, "name each of `resources`"),
    ({"verbs": ("read",)}, "name each of `resources`"),
    ({"types": ("table",)}, "name each of `resources`"),
    ({"systems": ("crm",), "environments": ("staging",)}, "name each of `resources`"),
    ({"verbs": EVERY_VERB, "condition": 'effect.verb != "drop"'}, "most that can be done to a table"),
    ({"types": EVERY_TYPE, "condition": 'effect.verb != "drop"'}, "most that can be done to a table"),
    ({"types": ("host",), "condition": 'effect.verb != "drop"'}, "most that can be done to a host"),
    ({"verbs": ("read",), "condition": 'effect.verb != ""'}, "every effect"),
    ({"verbs": ("read",), "condition": 'effect.name != ""'}, "every effect"),
    ({"verbs": ("read",), "condition": 'effect.name == "a" || effect.name != "a"'}, "every effect"),
    ({"verbs": ("read",), "condition": "time.hour < 6"}, "every effect"),
    ({"systems": ("crm",), "condition": 'effect.verb != ""'}, "every effect"),
    ({"condition": "true"}, "constant"),
    ({"condition": '"a" in ["a"] || effect.verb == "x"'}, "constant"),
    ({"condition": "effect.x"}, "undefined field"),
    ({"resources": ("*",), "condition": "effect.x"}, "undefined field"),
    ({"resources": ("orders",), "condition": "effect.x"}, "undefined field"),
    ({"verbs": ("read",), "condition": '!("secret" in effect.tags)'}, ""),
    ({"verbs": ("read",), "condition": 'effect.namespace != "hr" && effect.name != "payroll"'}, ""),
    ({"verbs": ("read",), "condition": '!effect.name.startsWith("hr_")'}, ""),
    ({"verbs": ("read", "write"), "types": ("table",), "condition": 'effect.extent != "none"'}, ""),
    ({"resources": ("billing.*",), "condition": 'effect.verb != "drop"'}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "why"), SCOPES)
def test_all_of_a_scope_together_has_bounds(scope: dict[str, Any], why: str) -> None:
    if not why:
        check_scope(GrantScope(**scope))
        return
    with pytest.raises(PolicyError, match=why):
        check_scope(GrantScope(**scope))


def test_a_loop_that_hides_what_else_is_read_is_refused() -> None:
    condition = '["a"].all(time, time == effect.name) == (time.hour < 6)'
    with pytest.raises(PolicyError, match=r'gives no answer \(.*No value with name "time"'):
        check_scope(GrantScope(condition=condition))


@pytest.mark.parametrize("depth", [4, 6])
def test_a_condition_that_cannot_be_tried_is_refused(depth: int) -> None:
    letters = ", ".join(f'"{one}"' for one in "abcdefghijklmnopqrst")
    condition = "effect.verb == effect.verb"
    for level in range(depth):
        condition = f"[{letters}].all(v{level}, {condition})"
    with pytest.raises(PolicyError, match=r"gives no answer .*; write a shorter one"):
        check_scope(GrantScope(condition=condition))
