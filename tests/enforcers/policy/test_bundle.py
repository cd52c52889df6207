"""What a bundle may hold, and what it says when it may not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from enforcers.contract.verdict import Decision as Answer
from enforcers.errors import PolicyError
from enforcers.policy import fragments
from enforcers.policy.bundle import Case
from enforcers.policy.engine import Decision, Facts, FiredRule
from enforcers.policy.loading import load_policy, load_policy_bytes
from enforcers.policy.policy import Policy

BUNDLE = """\
apiVersion: sluicegate.io/v1
name: small
default: deny
non_production: [development]
variables:
  is_plain: 'effect.name != "x"'
rules:
- id: reads
  effect: allow
  match: {verb: [read]}
  where: is_plain
  message: reads pass
- id: no-drops
  effect: deny
  match: {verb: [drop]}
  when: intent.kind == "sql"
  message: nothing is dropped
  remedy: leave it
tests:
- name: a read
  kind: sql
  text: 'sql: read table a'
  expect: {decision: allow, rules: [reads], not_rules: [no-drops]}
- name: a drop
  kind: sql
  text: 'sql: drop table a'
  with: {environment: development}
  expect: {decision: deny, rules: [no-drops], not_rules: [reads]}
"""

Run = Callable[[Policy, Case], Decision]


@pytest.fixture(scope="session")
def run_case(facts: Callable[..., Facts]) -> Run:
    """Runs a test whose text is an intent in short notation."""

    def run(policy: Policy, case: Case) -> Decision:
        context = case.context
        return policy.decide(facts(case.text, context.environment, context.permissions))

    return run


def silent(policy: Policy, case: Case) -> Decision:
    """Decides as a test expects, by no rule."""
    return Decision(case.expect.decision, policy.hash)


def _refusal(text: str, run: Run) -> str:
    with pytest.raises(PolicyError) as refused:
        load_policy_bytes(text.encode(), run)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_a_good_bundle_loads_and_its_version_is_the_hash_of_its_bytes(
    tmp_path: Path, run_case: Run
) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(BUNDLE)
    policy = load_policy(path, run_case)
    assert policy.hash == hashlib.sha256(BUNDLE.encode()).hexdigest()
    assert policy.hash != load_policy_bytes(BUNDLE.encode() + b"# \n", run_case).hash


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("name: small", "name: small\nname: other", "key `name` is written twice, in line 3"),
        ("remedy: leave it", "remedi: leave it", "`rules.1.remedi`: unknown key; did you mean `remedy`?"),
        ("name: small", "name: small\nzzz: 1", "`zzz`: unknown key; remove it"),
        ("{verb: [read]}", "{verb: [reed]}", "`rules.0.match.verb.0`"),
        ("{verb: [read]}", "{kind: [sqll]}", "`rules.0.match.kind.0`"),
        ("sluicegate.io/v1", "sluicegate.io/v2", "`apiVersion`"),
        ("default: deny", "default: allow", "`default`"),
        ("effect: deny", "effect: forbid", "`rules.1.effect`"),
        ("name: small", "name: !!python/object:os.system small", "not readable as YAML"),
        ("name: small", "name: [", "not readable as YAML"),
        ('intent.kind == "sql"', "intent.kind", "rule `no-drops`, `when`: gives string, not bool"),
        ('intent.kind == "sql"', "intent.knd == 'sql'", "did you mean `kind`?"),
        ('effect.name != "x"', 'effect.nmae != "x"', "did you mean `name`?"),
        ("where: is_plain", "where: is_plan", "did you mean `is_plain`?"),
        ("is_plain: 'e", "effect: 'e", "variable `effect` has a reserved name"),
        ("  where: is_plain\n", "", "variable `is_plain` is never read"),
        ("id: no-drops", "id: reads", "rule `reads` is written 2 times"),
        ("name: a drop", "name: a read", "test `a read` is written 2 times"),
        ("match: {verb: [read]}", "match: {environment: [develpment]}", "did you mean `development`?"),
        ("match: {verb: [read]}", "match: {type: [table]}", "allow rule `reads` is boundless"),
        ("remedy: leave it", "remedy: ''", "rule `no-drops` has no remedy"),
        ("message: nothing is dropped", "message: ''", "`rules.1.message`"),
        ("effect: allow", "effect: allow\n  mode: warn", "rule `reads` cannot warn"),
        ("effect: allow", "effect: allow\n  obligations: [{kind: transaction}]", "belong to `constrain`"),
        ("effect: allow", "effect: allow\n  obligations: [{kind: msk}]", "`rules.0.obligations.0.kind`"),
        ("effect: allow", "effect: constrain\n  obligations: [{kind: mask}]", "obligation `mask` needs `columns`"),
        ("effect: allow", "effect: constrain\n  obligations: [{kind: limit_rows}]", "needs a `value`"),
        ("[development]", "[development, production]", "remove it there"),
        ("rules: [reads], ", "", "rule `reads` has no test that it must hit"),
        (", not_rules: [reads]", "", "rule `reads` has no test that it must not hit"),
        ("rules: [reads]", "rules: [read]", "unknown rule `read`; did you mean `reads`?"),
        ("decision: allow", "decision: deny", "test `a read` expects deny, got allow"),
        ("sql: read table a", "sql: read table x", "test `a read` expects allow, got deny (no_rule_allows)"),
        ("sql: read table a", "sql: reed table a", "test `a read` cannot be run: ValueError"),
        ('intent.kind == "sql"', '.intent.kind == "sql"', "`.intent` begins with a dot; remove it"),
        ('intent.kind == "sql"', "'\"a\" in .intent.tags'", "`.intent` begins with a dot; remove it"),
        ('intent.kind == "sql"', "'!(.intent.opaque)'", "`.intent` begins with a dot; remove it"),
        ("'effect.name != \"x\"'", "'effect.name != .effect.base'", "`.effect` begins with a dot; remove it"),
        ("environment: development", "grants: [{name: g, resources: ['']}]", "`tests.1.with.grants.0.resources.0`"),
    ],
)  # fmt: skip
def test_a_bad_bundle_does_not_load(old: str, new: str, complaint: str, run_case: Run) -> None:
    assert old in BUNDLE
    assert complaint in _refusal(BUNDLE.replace(old, new, 1), run_case)


def test_a_rule_without_any_condition_is_refused(run_case: Run) -> None:
    bare = BUNDLE.replace('  match: {verb: [drop]}\n  when: intent.kind == "sql"\n', "")
    assert "rule `no-drops` has no condition" in _refusal(bare, run_case)


def test_rules_must_apply_exactly_where_a_test_says(run_case: Run) -> None:
    def noisy(policy: Policy, case: Case) -> Decision:
        fired = (
            FiredRule("reads", "allow", "enforce", "m"),
            FiredRule("no-drops", "deny", "enforce", "m"),
        )
        return Decision(case.expect.decision, policy.hash, fired=fired)

    assert "expects rule `reads`, which did not apply" in _refusal(BUNDLE, silent)
    assert "expects rule `no-drops` not to apply, but it did" in _refusal(BUNDLE, noisy)
    assert Answer.ALLOW == "allow"


def test_a_fragment_that_breaks_out_of_its_place_is_refused(run_case: Run) -> None:
    for text in ("true), (true", "intent.opaque || (", "intent.opaque) || (intent.opaque"):
        broken = BUNDLE.replace("'effect.name != \"x\"'", f"'{text}'")
        assert "variable `is_plain`: " in _refusal(broken, run_case)


@pytest.mark.parametrize(
    "text",
    [
        'intent.effects.exists(e, e .name == "x")',
        '["a"].exists(one, one.startsWith("a"))',
        '"a".contains(intent.kind) // .intent',
        '(intent).kind.endsWith(".intent")',
    ],
)
def test_a_dot_behind_a_value_stays(text: str) -> None:
    assert fragments.expand(text, {}) == text


def test_fragments_cannot_grow_without_end(run_case: Run) -> None:
    doubling = "\n".join(f"  v{n}: '(v{n - 1} || v{n - 1})'" for n in range(1, 16))
    grown = BUNDLE.replace("rules:\n", f"  v0: '{'intent.opaque'}'\n{doubling}\nrules:\n", 1)
    assert "grows beyond" in _refusal(grown, run_case)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"x: " + b"[" * 5_000, b" " * 2_000_000])
def test_other_bytes_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy_bytes(data, silent)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(PolicyError, match="check the path"):
        load_policy(Path("nowhere.yaml"), silent)
