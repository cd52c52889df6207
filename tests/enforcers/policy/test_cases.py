"""The circumstances of a bundle's test reach the policy as those of an action would."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from enforcers.contract.action import ShellPayload, SqlPayload
from enforcers.contract.grant import GrantScope
from enforcers.contract.verdict import Decision as Answer
from enforcers.policy.budgets import Counter
from enforcers.policy.bundle import Bundle, Case
from enforcers.policy.case import CaseGrant, CaseWindow
from enforcers.policy.cases import occasion_of, payload_of_case, run_case, target_of
from enforcers.policy.engine import WindowFacts
from enforcers.policy.messages import window_message
from enforcers.policy.policy import Policy
from enforcers.policy.vocabulary import MESSAGES

SQL = {"kind": "sql", "dialect": "postgres", "text": "SELECT id FROM orders"}


def _case(action: dict[str, Any], context: dict[str, Any] | None = None) -> Case:
    written = {"name": "n", "with": context or {}, "expect": {"decision": "allow"}, **action}
    return Case.model_validate(written)


def _policy(effect: str, when: str) -> Policy:
    rule = {
        "id": "one",
        "effect": effect,
        "match": {"verb": ["read"]},
        "when": when,
        "message": "m",
    }
    if effect != "allow":
        rule["remedy"] = "r"
    return Policy(
        Bundle.model_validate(
            {
                "apiVersion": "sluicegate.io/v1",
                "name": "under-test",
                "default": "deny",
                "variables": {},
                "rules": [rule, {"id": "reads", "effect": "allow", "match": {"verb": ["write"]}, "message": "m"}],
            }
        ),
        "0" * 64,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("context", "condition"),
    [
        ({}, 'target.system == "test" && target.catalog == "" && principal.id == "test"'),
        ({}, 'time.weekday == "" && history.actions == 0 && principal.session == ""'),
        ({"system": "postgres", "catalog": "shop"}, 'target.system == "postgres" && target.catalog == "shop"'),
        ({"principal": "agent:7", "groups": ["team"], "owner": "ann"}, 'principal.id == "agent:7" && "team" in principal.groups && principal.owner == "ann"'),
        ({"on_behalf_of": "bob", "session_id": "s-1"}, 'principal.on_behalf_of == "bob" && principal.session == "s-1"'),
        ({"now": "2026-11-22T10:30:00+01:00"}, 'time.hour == 9 && time.minute == 570 && time.weekday == "sun" && time.date == "2026-11-22"'),
        ({"history": {"denials": 3, "tags_read": ["secret"]}}, 'history.denials == 3 && "secret" in history.tags_read && session.denials == 0'),
        ({"session": {"rows": 9, "tables": 2}}, "session.rows == 9 && session.tables == 2 && history.rows == 0"),
        ({"approvals": ["dba"]}, '"dba" in approvals.groups'),
        ({"grants": [{"name": "look", "verbs": ["read"], "resources": ["orders"]}]}, '"look" in grants.names'),
        ({"grants": [{"name": "look", "verbs": ["write"], "resources": ["orders"]}]}, "size(grants.names) == 0"),
        ({"grants": [{"name": "look", "resources": ["orders"], "environments": ["staging"]}]}, "size(grants.names) == 0"),
        ({"grants": [{"name": "look", "resources": ["orders"], "types": ["table"]}]}, '"look" in grants.names'),
        ({"grants": [{"name": "look", "resources": ["orders"], "types": ["program"]}]}, "size(grants.names) == 0"),
        ({"reason": "report", "ticket": "T-1"}, 'action.reason == "report" && action.ticket == "T-1"'),
    ],
)  # fmt: skip
def test_a_rule_sees_what_a_test_says(context: dict[str, Any], condition: str) -> None:
    found = run_case(_policy("require_approval", condition), _case(SQL, context))
    assert [one.id for one in found.fired] == ["one"]


def test_a_grant_of_a_test_allows_what_it_covers() -> None:
    asking = _policy("require_approval", "!intent.opaque")
    grants = {"grants": [{"name": "look", "verbs": ["read"], "resources": ["orders"]}]}
    assert run_case(asking, _case(SQL)).decision is Answer.REQUIRE_APPROVAL
    assert run_case(asking, _case(SQL, grants)).decision is Answer.ALLOW
    other = {"grants": [{"name": "look", "verbs": ["read"], "resources": ["users"]}]}
    assert run_case(asking, _case(SQL, other)).decision is Answer.REQUIRE_APPROVAL
    elsewhere = {**SQL, "text": "SELECT id FROM users"}
    assert run_case(asking, _case(elsewhere, grants)).decision is Answer.REQUIRE_APPROVAL


def test_an_action_can_be_given_as_a_gate_sends_it() -> None:
    statement = {"kind": "sql", "statement": "SELECT 1"}
    assert payload_of_case(_case({"payload": statement})) == SqlPayload(statement="SELECT 1")
    argv = {"kind": "shell", "argv": ["ls", "-l"], "cwd": "/tmp"}
    assert payload_of_case(_case({"payload": argv})) == ShellPayload(argv=("ls", "-l"), cwd="/tmp")
    line = payload_of_case(_case({"kind": "shell", "text": "ls"}))
    assert line == ShellPayload(line="ls", cwd="/srv/app", workspace="/srv/app")


def test_a_moment_is_taken_in_utc_and_a_grant_holds_then() -> None:
    context = _case(SQL, {"now": "2026-11-22T10:00:00+01:00"}).context
    assert occasion_of(context).now == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert target_of(_case(SQL)).dialect == "postgres"


WINDOW = [one.name for one in fields(WindowFacts)]


def test_a_window_has_the_same_counts_in_tests_rules_and_budgets() -> None:
    assert list(CaseWindow.model_fields) == WINDOW
    assert {one.name for one in MESSAGES["Window"]} == set(WINDOW)
    assert {*get_args(Counter), "tags_read"} == set(WINDOW)


@pytest.mark.parametrize("name", WINDOW)
def test_each_count_of_a_test_reaches_the_rules(name: str) -> None:
    value: Any = ["secret"] if name == "tags_read" else 7
    message = window_message(CaseWindow.model_validate({name: value}).facts)
    assert getattr(message, name) == value
    assert [one.name for one, _ in message.ListFields()] == [name]


def test_a_grant_of_a_test_says_all_that_a_grant_can() -> None:
    assert set(CaseGrant.model_fields) == {"name", *GrantScope.model_fields}
    written = {"verbs": ["read"], "resources": ["hr.*"], "types": ["table"], "condition": "true"}
    assert CaseGrant.model_validate({"name": "look", **written}).scope == GrantScope(**written)


@pytest.mark.parametrize(
    "wrong", [{"resources": [""]}, {"condition": ""}, {"verbs": ["x"] * 201}, {"holder": "me"}]
)
def test_a_grant_of_a_test_that_nobody_could_issue_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _case(SQL, {"grants": [{"name": "look", "resources": ["orders"], **wrong}]})
