"""Bundles that extend others: what is joined, what is refused, and what the version of all is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from enforcers.catalog.model import EMPTY_CATALOG
from enforcers.contract.verdict import Decision as Answer
from enforcers.errors import PolicyError
from enforcers.intent.read import read_intent
from enforcers.policy.bundle import Case
from enforcers.policy.cases import occasion_of, principal_of, run_case, target_of
from enforcers.policy.complaints import BundleError
from enforcers.policy.engine import Decision, Facts
from enforcers.policy.labelled import facts_of, payload_of
from enforcers.policy.loading import (
    check_policy,
    files_of,
    load_policy,
    load_policy_bytes,
    load_policy_files,
)
from enforcers.policy.packs import SHIPPED, Folder

CORE = """\
apiVersion: sluicegate.io/v1
name: core
default: deny
non_production: [staging]
variables:
  may_read: '"read" in principal.permissions'
calendars:
  freeze: {from: 2026-12-20T00:00:00Z, to: 2027-01-02T00:00:00Z}
budgets:
  reads: {counter: rows, limit: 100}
break_glass: {groups: [on-call]}
rules:
- id: core-reads
  effect: allow
  match: {verb: [read]}
  when: may_read
  message: reads pass
- id: core-drops
  effect: deny
  match: {verb: [drop]}
  message: nothing is dropped
  remedy: keep it
- id: core-frozen
  effect: deny
  match: {verb: [write]}
  when: '"freeze" in time.calendars || "reads" in budgets.spent'
  message: nothing is written now
  remedy: wait
- id: core-writes
  effect: require_approval
  match: {verb: [write]}
  message: writes are asked about
  remedy: ask
tests:
- {name: a read, kind: sql, text: SELECT id FROM t, expect: {decision: allow, rules: [core-reads], not_rules: [core-drops, core-frozen, core-writes]}}
- {name: a drop, kind: sql, text: DROP TABLE t, expect: {decision: deny, rules: [core-drops], not_rules: [core-reads]}}
- name: a write in the freeze
  kind: sql
  text: UPDATE t SET a = 1
  with: {now: 2026-12-24T10:00:00Z}
  expect: {decision: deny, rules: [core-frozen, core-writes]}
"""
OWN = """\
apiVersion: sluicegate.io/v1
name: own
default: deny
extends: [core]
rules:
- id: own-secrets
  effect: deny
  match: {verb: [read]}
  where: may_read && effect.name == "secrets"
  message: no secrets
  remedy: leave them
tests:
- {name: a secret, kind: sql, text: SELECT a FROM secrets, expect: {decision: deny, rules: [own-secrets, core-reads]}}
- {name: another, kind: sql, text: SELECT a FROM t, expect: {decision: allow, not_rules: [own-secrets]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with packs, and one bundle beside which other files can be put."""
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs/core.yaml").write_text(CORE)
    (tmp_path / "own.yaml").write_text(OWN)
    return tmp_path


def _load(folder: Path, **written: str) -> object:
    for name, text in written.items():
        (folder / f"{name}.yaml").write_text(text)
    return load_policy(folder / "own.yaml", run_case, Folder(folder / "packs"))


def _refusal(folder: Path, **written: str) -> list[str]:
    with pytest.raises(BundleError) as refused:
        _load(folder, **written)
    assert "\n" not in str(refused.value)
    return [str(one) for one in refused.value.complaints]


def _facts(text: str, **changes: object) -> Facts:
    case = Case.model_validate(
        {
            "name": "n",
            "kind": "sql",
            "dialect": "postgres",
            "text": text,
            "with": changes,
            "expect": {"decision": "deny"},
        }
    )
    target = target_of(case)
    intent = read_intent(payload_of("sql", text, case.context), target, EMPTY_CATALOG)
    around = case.context
    return facts_of(intent, target, principal_of(around), around, occasion_of(around))


def _decide(folder: Path, text: str, **changes: object) -> Decision:
    policy = load_policy(folder / "own.yaml", run_case, Folder(folder / "packs"))
    return policy.decide(_facts(text, **changes))


def test_rules_variables_and_terms_of_a_pack_hold(folder: Path) -> None:
    policy = load_policy(folder / "own.yaml", run_case, Folder(folder / "packs"))
    assert policy.bundle.name == "own"
    assert [rule.id for rule in policy.bundle.rules] == [
        *("own-secrets", "core-reads", "core-drops", "core-frozen", "core-writes")
    ]
    assert policy.bundle.non_production == ("staging",)
    assert policy.bundle.break_glass is not None
    assert [case.name for case in policy.bundle.tests] == ["a secret", "another"]
    assert _decide(folder, "DROP TABLE t").decision is Answer.DENY


def test_the_version_is_that_of_all_files(folder: Path) -> None:
    policy = load_policy(folder / "own.yaml", run_case, Folder(folder / "packs"))
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in (OWN, CORE)]
    listing = f"{hashes[0]}  .\n{hashes[1]}  core\n"
    assert policy.hash == hashlib.sha256(listing.encode()).hexdigest()
    (folder / "packs/core.yaml").write_text(CORE + "# \n")
    again = load_policy(folder / "own.yaml", run_case, Folder(folder / "packs"))
    assert again.hash != policy.hash


def test_a_bundle_can_be_sent_as_files(folder: Path) -> None:
    packs = Folder(folder / "packs")
    files = files_of(folder / "own.yaml", packs)
    assert [name for name, _ in files] == ["own.yaml", "core"]
    here = load_policy(folder / "own.yaml", run_case, packs)
    there = load_policy_files(files, run_case, Folder(folder / "nowhere"))
    assert there.hash == here.hash
    assert there.bundle == here.bundle
    without = load_policy_files(files[:1], run_case, packs)
    assert without.hash == here.hash


def test_files_beside_the_bundle_are_extended_too(folder: Path) -> None:
    team = OWN.replace("name: own", "name: team").replace("own-secrets", "team-secrets")
    (folder / "teams").mkdir()
    (folder / "teams/more.yaml").write_text(
        team.replace("team-secrets", "more").replace("[core]", "[./team.yaml]")
    )
    (folder / "teams/team.yaml").write_text(team)
    own = OWN.replace("[core]", "[./teams/more.yaml, core]")
    own = own.replace("[own-secrets, core-reads]", "[own-secrets, team-secrets, more, core-reads]")
    complaints = _refusal(folder, own=own)
    # The three rules say the same: each denies wherever another does.
    assert [one.split(": ")[0] for one in complaints][:2] == ["own.yaml:6:3", "teams/more.yaml:6:3"]
    distinct = own.replace('"secrets"', '"secrets" && effect.verb == "read"')
    distinct = distinct.replace("team-secrets, more, ", "")
    (folder / "teams/more.yaml").write_text(
        team.replace("team-secrets", "more")
        .replace("[core]", "[./team.yaml]")
        .replace("secrets", "keys")
    )
    (folder / "teams/team.yaml").write_text(
        team.replace('"secrets"', '"passwords"').replace("FROM secrets", "FROM passwords")
    )
    _load(folder, own=distinct)
    names = [name for name, _ in files_of(folder / "own.yaml", Folder(folder / "packs"))]
    assert names == ["own.yaml", "core", "teams/more.yaml", "teams/team.yaml"]


def test_a_rule_of_a_pack_can_be_changed_in_three_ways_only(folder: Path) -> None:
    adjusted = OWN.replace(
        "rules:\n",
        "adjust:\n"
        "- {rule: core-drops, mode: warn}\n"
        "- {rule: core-writes, approval: {groups: [dba], count: 2}}\n"
        "- {rule: core-frozen, disabled: true}\n"
        "rules:\n",
        1,
    )
    _load(folder, own=adjusted)
    dropped = _decide(folder, "DROP TABLE t")
    assert [rule.mode for rule in dropped.fired] == ["warn"]
    asked = _decide(folder, "UPDATE t SET a = 1", now="2026-12-24T10:00:00Z")
    assert asked.decision is Answer.REQUIRE_APPROVAL
    assert [(one.groups, one.count) for one in asked.asks] == [(("dba",), 2)]
    assert "did you mean `message`" not in str(
        _refusal(folder, own=adjusted.replace("mode: warn", "when: 'true'"))
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("{rule: core-drop, mode: warn}", "own.yaml:6:10: `adjust` names unknown rule `core-drop`; did you mean `core-drops`?"),
        ("{rule: own-secrets, mode: warn}", "own.yaml:6:10: rule `own-secrets` is this file's own; change it there"),
        ("{rule: core-drops}", "own.yaml:6:3: `adjust.0`: write `mode` or `approval`, or `disabled: true` alone"),
        ("{rule: core-drops, disabled: false}", "own.yaml:6:32: `adjust.0.disabled`: input should be true"),
        ("{rule: core-drops, disabled: true, mode: warn}", "write `mode` or `approval`, or `disabled: true` alone"),
        ("{rule: core-drops, effect: allow}", "own.yaml:6:22: `adjust.0.effect`: unknown key"),
        ("{rule: core-reads, mode: warn}", "own.yaml:6:28: rule `core-reads` cannot warn: it denies nothing"),
        ("{rule: core-drops, approval: {}}", "own.yaml:6:32: rule `core-drops`: `approval` belongs to `require_approval`"),
        ("{rule: core-drops, mode: warn}\n- {rule: core-drops, mode: shadow}", "own.yaml:7:10: rule `core-drops` is adjusted twice; keep one"),
    ],
)  # fmt: skip
def test_other_changes_are_refused(folder: Path, change: str, complaint: str) -> None:
    own = OWN.replace("rules:\n", f"adjust:\n- {change}\nrules:\n", 1)
    assert any(complaint in one for one in _refusal(folder, own=own))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[core]", "[cor]", "own.yaml:4:11: no pack `cor` can be read; did you mean `core`?"),
        ("[core]", "[core, zzzz]", "own.yaml:4:17: no pack `zzzz` can be read; there are: core"),
        ("[core]", "[./tem.yaml, core]", "no file `./tem.yaml` can be read; did you mean `team.yaml`?"),
        ("[core]", "[../own.yaml]", "is no pack and no file beside the bundle; write `core`, or `./team.yaml`"),
        ("[core]", "[./a/../own.yaml]", "is no pack and no file beside the bundle"),
        ("[core]", "[/etc/own.yaml]", "is no pack and no file beside the bundle"),
        ("[core]", "['./', core]", "is no pack and no file beside the bundle"),
        ("[core]", "['https://x/y']", "`extends.0`"),
        ("[core]", "[./own.yaml]", "extends itself (own.yaml -> own.yaml); remove one of them"),
        ("id: own-secrets", "id: core-drops", "own.yaml:6:7: rule `core-drops` is written in the bundle itself and `core`; rename one"),
        ("rules:\n", "variables: {may_read: intent.opaque}\nrules:\n", "own.yaml:5:13: variable `may_read` is written in the bundle itself and `core`; rename one"),
        ("may_read &&", "may_reed &&", "own.yaml:9:10: rule `own-secrets`, `where`: undeclared reference to `may_reed`"),
        ("[own-secrets, core-reads]", "[own-secrets, core-red]", "names unknown rule `core-red`; did you mean `core-reads`?"),
        ("[core]", "[]", "undeclared reference to `may_read`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(
    folder: Path, old: str, new: str, complaint: str
) -> None:
    assert old in OWN
    (folder / "team.yaml").write_text(CORE)
    complaints = _refusal(folder, own=OWN.replace(old, new, 1))
    assert any(complaint in one for one in complaints), complaints


def test_a_circle_of_files_is_refused(folder: Path) -> None:
    one = OWN.replace("[core]", "[./two.yaml]")
    two = OWN.replace("[core]", "[./one.yaml]")
    found = _refusal(folder, own=one, one=one.replace("own-", "one-"), two=two)
    assert any("(two.yaml -> one.yaml -> two.yaml)" in complaint for complaint in found)


def test_files_cannot_extend_each_other_without_end(folder: Path) -> None:
    for number in range(12):
        text = OWN.replace("[core]", f"[./f{number + 1}.yaml]").replace("own-", f"f{number}-")
        (folder / f"f{number}.yaml").write_text(text)
    found = _refusal(folder, own=OWN.replace("[core]", "[./f0.yaml]"))
    assert any("more than 8 files extend each other" in complaint for complaint in found)


def test_many_files_are_refused(folder: Path) -> None:
    names = [f"f{number}" for number in range(60)]
    for index, name in enumerate(names):
        text = CORE.replace("core-", f"{name}-").replace("may_read", f"may_{name}")
        more = [f"./f{n}.yaml" for n in range(index * 15 + 1, index * 15 + 16) if n < 60]
        (folder / f"{name}.yaml").write_text(text + f"extends: [{', '.join(more)}]\n")
    found = _refusal(folder, own=OWN.replace("[core]", "[core, ./f0.yaml]"))
    assert any("more than 50 files" in complaint for complaint in found)


def test_a_pack_is_checked_alone_and_with_its_own_tests(folder: Path) -> None:
    broken = CORE.replace("SELECT id FROM t", "DELETE FROM t")
    (folder / "packs/core.yaml").write_text(broken)
    found = _refusal(folder)
    assert all(one.startswith("core.yaml:35:3: test `a read` expects allow") for one in found)
    (folder / "packs/core.yaml").write_text(CORE.replace("when: may_read", "when: is_plain"))
    own = OWN.replace("rules:\n", "variables: {is_plain: '!intent.opaque'}\nrules:\n", 1)
    found = _refusal(folder, own=own)
    assert "core.yaml:16:9: rule `core-reads`, `when`: undeclared reference to `is_plain`" in str(
        found
    )


def test_a_variable_of_the_bundle_does_not_get_into_a_packs_conditions(folder: Path) -> None:
    core = CORE.replace(
        "  when: may_read", "  when: principal.permissions.exists(one, one == 'read') && may_read"
    )
    (folder / "packs/core.yaml").write_text(core)
    own = OWN.replace("rules:\n", "variables: {one: '!intent.opaque'}\nrules:\n", 1)
    _load(folder, own=own.replace("where: may_read", "where: one"))
    assert _decide(folder, "SELECT a FROM t").decision is Answer.ALLOW


def test_own_calendars_and_budgets_take_the_place_of_extended_ones(folder: Path) -> None:
    freeze = "calendars: {freeze: {from: 2027-03-01T00:00:00Z, to: 2027-03-02T00:00:00Z}}\n"
    _load(folder, own=OWN.replace("rules:\n", f"{freeze}rules:\n", 1))
    written = "UPDATE t SET a = 1"
    assert _decide(folder, written, now="2026-12-24T10:00:00Z").decision is Answer.REQUIRE_APPROVAL
    assert _decide(folder, written, now="2027-03-01T10:00:00Z").decision is Answer.DENY


def test_budgets_and_break_glass_of_a_pack_reach_the_decision(folder: Path) -> None:
    written = "UPDATE t SET a = 1"
    assert _decide(folder, written, history={"rows": 100}).decision is Answer.DENY
    asked = _decide(folder, written, history={"rows": 99})
    assert asked.emergency is not None
    assert asked.emergency.groups == ("on-call",)


def test_every_complaint_of_every_file_is_named(folder: Path) -> None:
    (folder / "packs/core.yaml").write_text(CORE.replace("remedy: keep it", "remedi: keep it"))
    own = OWN.replace("message: no secrets", "mesage: no secrets")
    policy, complaints = check_policy(_put(folder, own), run_case, Folder(folder / "packs"))
    assert policy is None
    assert {one.file for one in complaints} == {"own.yaml"}
    own = OWN.replace('== "secrets"', '== "secrets" && intent.knd == 1')
    policy, complaints = check_policy(_put(folder, own), run_case, Folder(folder / "packs"))
    assert [one.file for one in complaints] == ["core.yaml"]


def _put(folder: Path, text: str) -> Path:
    (folder / "own.yaml").write_text(text)
    return folder / "own.yaml"


def test_the_shipped_packs_are_found_without_being_named() -> None:
    with pytest.raises(PolicyError, match=r"no pack `zzz` can be read.*production"):
        load_policy_bytes(OWN.replace("[core]", "[zzz]").encode(), run_case)
    assert SHIPPED.read("production").startswith(b"#")
