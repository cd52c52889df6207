"""The shipped bundle on intents written out in `tests/cases/policy/production.txt`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from enforcers.errors import PolicyError
from enforcers.policy.bundle import Mode, parse_bundle, read_sheet
from enforcers.policy.cases import run_case
from enforcers.policy.engine import Facts
from enforcers.policy.lint import lint
from enforcers.policy.loading import check_policy_files, files_of, load_policy, load_policy_bytes
from enforcers.policy.policy import Policy

ROOT = Path(__file__).parents[3]
CASES = [
    line
    for line in (ROOT / "tests/cases/policy/production.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(scope="module")
def production() -> Policy:
    return load_policy(ROOT / "policies/production.yaml", run_case)


@pytest.mark.parametrize("line", CASES)
def test_the_shipped_policy_decides(
    line: str, production: Policy, facts: Callable[..., Facts]
) -> None:
    expected, environment, written, text = (part.strip() for part in line.split("|", 3))
    permissions = () if written == "-" else tuple(written.split(","))
    decision = production.decide(facts(text, environment, permissions))
    assert decision.decision == expected, decision.reasons
    assert bool(decision.reasons) == (expected != "allow")
    assert all(reason.remedy or reason.rule is None for reason in decision.reasons)


def test_the_shipped_policy_has_no_complaint(production: Policy) -> None:
    untested = {"untested"}  # Tests of extended rules stand in their own files.
    assert {one.code for one in lint(production.bundle, production.compiled)} <= untested


def test_unenrolled_principals_are_denied(production: Policy, facts: Callable[..., Facts]) -> None:
    decision = production.decide(facts("sql: read table orders", enrolled=False))
    assert [reason.code for reason in decision.reasons] == ["not_enrolled"]


def test_every_case_of_the_table_is_decided_by_a_rule_at_least_once(
    production: Policy, facts: Callable[..., Facts]
) -> None:
    fired: set[str] = set()
    for line in CASES:
        _, environment, written, text = (part.strip() for part in line.split("|", 3))
        decision = production.decide(facts(text, environment, tuple(written.split(","))))
        fired |= {rule.id for rule in decision.fired}
    for _, data in files_of(ROOT / "policies/production.yaml"):
        fired |= {rule for case in parse_bundle(data)[0].tests for rule in case.expect.rules}
    assert fired == {rule.id for rule in production.bundle.rules}


def test_every_rule_is_enforced(production: Policy) -> None:
    assert {rule.mode for rule in production.bundle.rules} == {Mode.ENFORCE}


def test_a_bundle_that_extends_others_is_not_used_without_them() -> None:
    written = read_sheet("own.yaml", (ROOT / "policies/production.yaml").read_bytes()).bundle
    with pytest.raises(PolicyError, match="extends others"):
        Policy(written, "0" * 64)


def test_the_example_of_the_manual_loads() -> None:
    example = (ROOT / "docs/policy.md").read_text().split("```yaml\n")[1].split("```")[0]
    assert load_policy_bytes(example.encode(), run_case).bundle.name == "example"


HEAD = "apiVersion: sluicegate.io/v1\nname: example\ndefault: deny\n"


def test_the_other_examples_of_the_manual_are_bundles_too() -> None:
    blocks = [
        part.split("```")[0] for part in (ROOT / "docs/policy.md").read_text().split("```yaml\n")
    ]
    extending, calendars = (
        HEAD + one for one in blocks if one.startswith(("extends", "calendars"))
    )
    extending = extending.replace(", ./team.yaml", "")
    assert len(load_policy_bytes(extending.encode(), run_case).bundle.rules) > 10
    (case,) = (one for one in blocks if one.startswith("- name"))
    _, complaints = check_policy_files([("c", f"{calendars}tests:\n{case}".encode())], run_case)
    assert [one.message for one in complaints] == [
        "rule `deny-frozen` has no test that it must not hit; add one with it in `not_rules`"
    ]
