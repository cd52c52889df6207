"""`sluicegate policy diff`: archived actions and labelled cases under two policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from analytics.archive import Archive, RawRecord
from console.identity import init_home, key_path, load_executor
from console.settings import Settings
from enforcers.contract.action import (
    Action,
    CanaryPayload,
    Payload,
    Principal,
    PrincipalKind,
    Proposal,
    SqlPayload,
    Target,
)
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment
from enforcers.contract.issue import Issue
from enforcers.contract.keys import load_key
from enforcers.contract.record import Draft, seal
from enforcers.contract.trust import Role
from enforcers.contract.wire import encode
from tests.console.cli.bundles import CATALOG, bundle
from tests.console.conftest import Sluicegate

READ, PERSONAL = "SELECT id FROM orders", "SELECT email FROM customers"
LENIENT = ("when: target.production", "when: target.production && action.reason != ''")
UNTESTED = (
    "  expect: {decision: deny, rules: [deny-pii]}",
    "  with: {reason: because}\n  expect: {decision: deny, rules: [deny-pii]}",
)
LOOSE = (LENIENT, UNTESTED)
BOTH = (
    *LOOSE,
    ("tests:\n", "- id: deny-orders\n  effect: deny\n  match: {verb: [read]}\n  where: effect.name == 'orders'\n"
     "  message: 'no'\n  remedy: do not\ntests:\n"),
    ("{decision: allow, rules: [allow-read], ", "{decision: deny, rules: [allow-read, deny-orders], "),
    ("rules: [deny-pii]}\n- name: nobody", "rules: [deny-pii], not_rules: [deny-orders]}\n- name: nobody"),
)  # fmt: skip
"""Reads of `orders` are denied, and personal data passes with a reason."""
CONSTRAINED = (
    ("- id: deny-pii", "- id: limit\n  effect: constrain\n  match: {verb: [read], type: [table]}\n"
     "  when: action.ticket == ''\n  message: some rows\n  obligations: [{kind: limit_rows, value: 10}]\n- id: deny-pii"),
    ("  expect: {decision: allow, rules: [allow-read], not_rules: [deny-pii]}",
     "  with: {capabilities: [limit_rows]}\n  expect: {decision: allow, rules: [allow-read, limit], not_rules: [deny-pii]}"),
    ("  with: {permissions: []}\n  expect: {decision: deny, not_rules: [allow-read]}",
     "  with: {permissions: [], ticket: T-1}\n  expect: {decision: deny, not_rules: [allow-read, limit]}"),
)  # fmt: skip
"""Executors of the archived actions cannot limit rows: what was allowed is denied."""


def proposed(payload: Payload, who: str = "agent:local", catalog: str | None = "shop") -> Action:
    target = Target(system="duckdb", environment="production", dialect="duckdb", catalog=catalog)
    principal = Principal(id=who, kind=PrincipalKind.AGENT)
    return Action(
        id=uuid7(),
        proposal=Proposal(principal=principal, target=target, payload=payload),
        executor="executor-1",
        reply_partition=0,
        issued_at=utc_now(),
        nonce="0" * 32,
    )


def sql(text: str, **around: Any) -> Action:
    return proposed(SqlPayload(statement=text), **around)


def store(settings: Settings, actions: list[Action]) -> None:
    executor = load_executor(settings)
    sealed = seal([Draft(one, encode(one)) for one in actions], executor.signer, "executor-1")
    now_ms = int(utc_now().timestamp() * 1000)
    records = [
        RawRecord("actions", 0, offset, now_ms, 1, b"k", one.headers, one.value)
        for offset, one in enumerate(sealed)
    ]
    with Archive.open(settings.archive, cluster_id="c") as archive:
        archive.append(records, {("actions", 0): 0})


@pytest.fixture
def archived(home: Path) -> Callable[..., None]:
    """Keys, a catalog, and an archive that holds these actions."""
    init_home(Settings.load())
    (home / "shop.yaml").write_text(CATALOG)
    (home / "sluicegate.toml").write_text('[catalogs]\nshop = "shop.yaml"\n')
    return lambda *actions: store(Settings.load(), list(actions))


def compared(sluicegate: Sluicegate, *arguments: Any, code: int) -> Any:
    result = sluicegate("policy", "diff", *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_a_policy_is_not_different_from_itself(
    archived: Callable[..., None], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    archived(sql(READ), sql(PERSONAL))
    path = bundle(tmp_path)
    found = compared(sluicegate, path, path, code=0)
    assert (found["compared"], found["changes"], found["apart"]) == (2, [], {})
    assert found["old"] == found["new"]


STEPS = [
    ("newly allowed", (), LOOSE, 3, ("looser", "agent:local", "deny-pii", "deny", "allow", [PERSONAL])),
    ("newly denied", LOOSE, (), 1, ("stricter", "agent:local", "deny-pii", "allow", "deny", [PERSONAL])),
    ("no capability", (), CONSTRAINED, 1, ("stricter", "agent:local", "missing_capability", "allow", "deny", [READ])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "change"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS]
)
def test_what_changes_is_named_by_who_and_which_rule(
    old: tuple[tuple[str, str], ...],
    new: tuple[tuple[str, str], ...],
    code: int,
    change: tuple[Any, ...],
    archived: Callable[..., None],
    tmp_path: Path,
    sluicegate: Sluicegate,
) -> None:
    archived(sql(READ), sql(PERSONAL))
    paths = bundle(tmp_path, *old, name="old.yaml"), bundle(tmp_path, *new, name="new.yaml")
    (found,) = compared(sluicegate, *paths, code=code)["changes"]
    names = ("step", "principal", "rule", "before", "after", "examples")
    assert tuple(found[name] for name in names) == change
    assert found["count"] == 1


def test_what_passes_more_weighs_more_than_what_passes_less(
    archived: Callable[..., None], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    archived(sql(READ), sql(PERSONAL))
    old, new = bundle(tmp_path, name="old.yaml"), bundle(tmp_path, *BOTH, name="new.yaml")
    found = compared(sluicegate, old, new, code=3)
    assert (found["looser"], found["stricter"]) == (1, 1)


def test_people_see_the_change_and_what_was_not_there(
    archived: Callable[..., None], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    archived(sql(PERSONAL.replace(" FROM", "\nFROM")), sql(READ))
    paths = bundle(tmp_path, name="old.yaml"), bundle(tmp_path, *LOOSE, name="new.yaml")
    result = sluicegate("policy", "diff", *paths)
    assert result.exit_code == 3
    for part in ("deny-pii", "agent:local", PERSONAL, "2 compared: 1 looser", "saw none"):
        assert part in result.stdout
    # A statement of two lines is one row.
    assert len([line for line in result.stdout.splitlines() if "looser" in line]) == 2


def test_what_cannot_be_judged_as_it_was_is_counted_apart(
    archived: Callable[..., None], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    twice = sql(READ)
    archived(
        twice,
        twice,
        sql(READ, catalog="gone"),
        sql(READ, who="agent:gone"),
        proposed(CanaryPayload(), catalog=None),
    )
    path = bundle(tmp_path)
    found = compared(sluicegate, path, path, code=0)
    assert found["compared"] == 1
    assert found["apart"] == {
        "of an unknown catalog": 1,
        "of a principal that is not enrolled here": 1,
    }
    assert (
        "1 of an unknown catalog, not compared" in sluicegate("policy", "diff", path, path).stdout
    )


def enrolment(who: str, disabled: bool = False) -> Enrolment:
    principal = EnrolledPrincipal(
        id=who, kind=PrincipalKind.AGENT, permissions=("read",), disabled=disabled
    )
    issue = Issue(version=1, by="administrator-1", at=utc_now(), reason="test")
    return Enrolment(id=uuid7(), issue=issue, principal=principal)


@pytest.mark.parametrize(("role", "compared_then"), [(Role.ADMINISTRATOR, 2), (Role.EXECUTOR, 1)])
def test_who_was_enrolled_by_a_record_is_known_if_an_administrator_signed_it(
    role: Role,
    compared_then: int,
    archived: Callable[..., None],
    tmp_path: Path,
    sluicegate: Sluicegate,
) -> None:
    archived(sql(READ), sql(PERSONAL, who="agent:new"))
    settings, model = Settings.load(), enrolment("agent:new")
    (sealed,) = seal(
        [Draft(model, encode(model))], load_key(key_path(settings, role)), "administrator-1"
    )
    at = int(utc_now().timestamp() * 1000)
    record = RawRecord("principals", 0, 0, at, 1, b"agent:new", sealed.headers, sealed.value)
    with Archive.open(settings.archive, cluster_id="c") as archive:
        archive.append([record], {("principals", 0): 0})
    paths = bundle(tmp_path, name="old.yaml"), bundle(tmp_path, *LOOSE, name="new.yaml")
    found = compared(sluicegate, *paths, code=3 if compared_then == 2 else 0)
    assert found["compared"] == compared_then
    assert [one["principal"] for one in found["changes"]] == ["agent:new"] * (compared_then - 1)


def test_the_newest_actions_are_compared(
    archived: Callable[..., None], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    archived(sql(PERSONAL), sql(READ), sql(READ))
    paths = bundle(tmp_path, name="old.yaml"), bundle(tmp_path, *LOOSE, name="new.yaml")
    assert compared(sluicegate, *paths, "--limit", "2", code=0)["compared"] == 2
    assert compared(sluicegate, *paths, "--limit", "3", code=3)["compared"] == 3


def test_junit_fails_on_what_changes(
    archived: Callable[..., None], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    archived(sql(READ), sql(PERSONAL))
    paths = bundle(tmp_path, name="old.yaml"), bundle(tmp_path, *LOOSE, name="new.yaml")
    out = tmp_path / "diff.xml"
    assert sluicegate("policy", "diff", *paths, "--junit", out).exit_code == 3
    (suite,) = Xml.parse(out).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    same, changed = suite
    assert (len(same), same.get("name")) == (0, "1 of 2 answers stay the same")
    assert changed.get("name") == "agent:local: deny-pii: deny -> allow"
    assert changed[0].text == PERSONAL


def rows(tmp_path: Path, *cases: Any) -> Path:
    path = tmp_path / "cases.jsonl"
    path.write_text(
        "".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in cases)
    )
    return path


def test_cases_are_compared_as_well(tmp_path: Path, sluicegate: Sluicegate) -> None:
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    case = {"kind": "sql", "dialect": "duckdb", "text": PERSONAL}
    path = rows(
        tmp_path,
        case,
        {**case, "context": {"principal": "agent:b"}},
        "no json\n",
        {**case, "text": READ},
    )
    paths = bundle(tmp_path, name="old.yaml"), bundle(tmp_path, *LOOSE, name="new.yaml")
    more = ("--cases", path, "--catalog", tmp_path / "catalog.yaml")
    found = compared(sluicegate, *paths, *more, code=3)
    assert (found["compared"], found["looser"], found["apart"]) == (3, 2, {"unreadable": 1})
    assert [one["principal"] for one in found["changes"]] == ["agent:b", "agent:case"]
    assert compared(sluicegate, *paths, *more, "--limit", "1", code=3)["compared"] == 1


def test_what_cannot_be_compared_is_said_in_one_line(
    tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path, broken = (
        bundle(tmp_path),
        bundle(tmp_path, ("target.production", "nothing"), name="x.yaml"),
    )
    for arguments, code, why in (
        ((path, path, "--cases", tmp_path / "none"), 2, "cannot be read"),
        ((path, broken, "--cases", tmp_path / "none"), 2, "x.yaml:16"),
        ((path, path, "--cases", path, "--archive", tmp_path), 2, "give one of"),
        ((path, path, "--limit", "0", "--cases", path), 2, "--limit"),
    ):
        result = sluicegate("policy", "diff", *arguments)
        assert (result.exit_code, why in result.stderr) == (code, True), result.stderr
        assert result.stderr.count("\n") == 1


def test_no_archive_is_said(
    archived: Callable[..., None], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = bundle(tmp_path)
    result = sluicegate("policy", "diff", path, path, "--archive", tmp_path / "none")
    assert (result.exit_code, "holds no archive" in result.stderr) == (1, True)
