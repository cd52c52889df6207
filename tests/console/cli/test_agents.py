"""`sluicegate agents`: who is enrolled, before and after, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.identity import load_trust_of
from console.settings import Settings
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.keys import load_key
from streams.broker import EmbeddedBroker
from streams.topic_making import create_topics
from streams.topics import in_zone
from tests.console.conftest import Sluicegate
from tests.console.memory_line import MemoryLine, in_memory

WHY = ("--reason", "test")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, sluicegate: Sluicegate) -> MemoryLine:
    """Control topics in memory, and a machine with its keys."""
    assert sluicegate("keys", "init").exit_code == 0
    return in_memory(monkeypatch)


def done(sluicegate: Sluicegate, *arguments: Any) -> Any:
    """What a command prints as JSON."""
    result = sluicegate("agents", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def known(sluicegate: Sluicegate, identity: str) -> EnrolledPrincipal:
    body = done(sluicegate, "show", identity)
    del body["issue"]
    return EnrolledPrincipal.model_validate(body)


def test_who_laid_it_down_when_and_why_is_shown(line: MemoryLine, sluicegate: Sluicegate) -> None:
    assert done(sluicegate, "show", "agent:local")["issue"] is None
    done(sluicegate, "disable", "agent:local", "--reason", "it ran wild")
    issue = done(sluicegate, "show", "agent:local")["issue"]
    assert (issue["version"], issue["reason"]) == (1, "it ran wild")
    text = sluicegate("agents", "show", "agent:local").stdout
    assert issue["by"] in text
    assert "it ran wild" in text


def test_a_principal_is_enrolled_with_everything_that_is_said(
    line: MemoryLine, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    key = tmp_path / "etl.key"
    done(
        sluicegate, "enroll", "agent:etl", "--kind", "agent", "--owner", "human:ada", "--group", "etl",
        "--group", "night", "--permission", "read", "--executor", "executor-1", "--scope-kind", "sql",
        "--scope-system", "postgres", "--scope-catalog", "shop", "--scope-environment", "staging",
        "--until", "2040-01-01T00:00:00Z", "--key-out", key, *WHY,
    )  # fmt: skip
    found = known(sluicegate, "agent:etl")
    assert (found.kind, found.owner, found.groups) == ("agent", "human:ada", ("etl", "night"))
    assert (found.permissions, found.executors) == (("read",), ("executor-1",))
    assert found.scope.model_dump() == {
        "kinds": ("sql",),
        "systems": ("postgres",),
        "catalogs": ("shop",),
        "environments": ("staging",),
    }
    assert found.not_after is not None
    assert found.public_keys == (bytes(load_key(key).key.verify_key).hex(),)


@pytest.mark.parametrize("kind", ["human", "agent", "service", "ci"])
def test_every_kind_can_be_enrolled(line: MemoryLine, sluicegate: Sluicegate, kind: str) -> None:
    done(sluicegate, "enroll", f"{kind}:x", "--kind", kind, *WHY)
    assert known(sluicegate, f"{kind}:x").kind == kind


def test_nobody_is_enrolled_twice_by_mistake(line: MemoryLine, sluicegate: Sluicegate) -> None:
    enrol = ("agents", "enroll", "agent:local", "--kind", "agent", *WHY)
    refused = sluicegate(*enrol)
    assert (refused.exit_code, "--replace" in refused.stderr) == (2, True)
    assert not line.records
    assert sluicegate(*enrol, "--replace").exit_code == 0
    assert known(sluicegate, "agent:local").permissions == ()


def test_enrolling_anew_keeps_what_protects(
    line: MemoryLine, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    done(sluicegate, "enroll", "agent:a", "--kind", "agent", "--key-out", tmp_path / "a.key", *WHY)
    done(sluicegate, "disable", "agent:a", *WHY)
    done(sluicegate, "enroll", "agent:a", "--kind", "service", "--replace", *WHY)
    found = known(sluicegate, "agent:a")
    assert (found.kind, found.disabled, len(found.public_keys)) == ("service", True, 1)


def test_a_change_of_scope_shows_before_and_after(line: MemoryLine, sluicegate: Sluicegate) -> None:
    done(
        sluicegate,
        "enroll",
        "agent:a",
        "--kind",
        "agent",
        "--permission",
        "read",
        "--scope-kind",
        "sql",
        *WHY,
    )
    changed = done(
        sluicegate, "scope", "agent:a", "--scope-system", "postgres", "--permission", "write", *WHY
    )
    assert changed["before"]["scope"]["systems"] == []
    assert changed["after"]["scope"] == {
        "kinds": ["sql"],
        "systems": ["postgres"],
        "catalogs": [],
        "environments": [],
    }
    assert (changed["before"]["permissions"], changed["after"]["permissions"]) == (
        ["read"],
        ["write"],
    )
    cleared = done(
        sluicegate, "scope", "agent:a", "--clear", "kinds", "--clear", "permissions", *WHY
    )
    assert (cleared["after"]["scope"]["kinds"], cleared["after"]["permissions"]) == ([], [])
    text = sluicegate("agents", "scope", "agent:a", "--owner", "human:ada", *WHY).stdout
    assert "before" in text
    assert "human:ada" in text


def test_disabled_is_disabled_until_it_is_enabled(line: MemoryLine, sluicegate: Sluicegate) -> None:
    for command, state in (("disable", "disabled"), ("enable", "enabled")):
        done(sluicegate, command, "agent:local", *WHY)
        listed = {one["id"]: one for one in done(sluicegate, "list")["principals"]}
        assert listed["agent:local"]["state"] == state
    # It was in the principals file before, and nothing of that is lost.
    assert listed["agent:local"]["version"] == 2
    assert listed["agent:local"]["permissions"] == ["read", "bounded_write"]
    assert {listed[one]["version"] for one in listed if one.startswith("human:")} == {0}


def test_a_new_key_takes_the_place_of_the_old_one(
    line: MemoryLine, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    done(sluicegate, "rotate", "agent:local", "--key-out", tmp_path / "1", *WHY)
    (first,) = known(sluicegate, "agent:local").public_keys
    done(sluicegate, "rotate", "agent:local", "--key-out", tmp_path / "2", *WHY)
    (second,) = known(sluicegate, "agent:local").public_keys
    done(sluicegate, "rotate", "agent:local", "--key-out", tmp_path / "3", "--keep-old", *WHY)
    assert first != second
    assert known(sluicegate, "agent:local").public_keys[:-1] == (second,)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in "123"} == {0o600}
    assert all(
        load_key(tmp_path / name).key.encode().hex() not in str(line.records) for name in "123"
    )


REFUSED: list[Any] = [
    pytest.param(("enroll", "agent x", "--kind", "agent"), "id refused: it must be printable ASCII without spaces; correct it", id="a-space"),
    pytest.param(("enroll", "agent:\x1b[31m", "--kind", "agent"), "id refused", id="a-control-character"),
    pytest.param(("enroll", "agent:\N{CYRILLIC SMALL LETTER A}", "--kind", "agent"), "id refused", id="a-look-alike"),
    pytest.param(("enroll", "a" * 201, "--kind", "agent"), "id refused", id="too-long"),
    pytest.param(("enroll", "", "--kind", "agent"), "id refused", id="no-name"),
    pytest.param(("enroll", "a", "--kind", "robot"), "'robot' is not one of", id="no-such-kind"),
    pytest.param(("enroll", "a", "--kind", "agent", "--scope-kind", "sqll"), "scope.kinds.0 refused", id="no-such-kind-of-action"),
    pytest.param(("enroll", "a", "--kind", "agent", "--scope-system", ""), "scope.systems.0 refused", id="an-empty-scope"),
    pytest.param(("enroll", "a", "--kind", "agent", "--permission", "READ"), "permissions.0 refused", id="no-permission"),
    pytest.param(("enroll", "a", "--kind", "agent", "--until", "tomorrow"), "is no moment with a zone", id="no-moment"),
    pytest.param(("enroll", "a", "--kind", "agent", "--until", "2001-01-01T00:00:00Z"), "would have ended at 2001-01-01 00:00:00Z already", id="over-already"),
    pytest.param(("scope", "agent:local"), "nothing is to change", id="nothing-to-change"),
    pytest.param(("scope", "agent:local", "--clear", "kind"), "cannot be cleared; clear owner", id="cannot-be-cleared"),
    pytest.param(("scope", "agent:local", "--clear", "groups", "--group", "x"), "given and cleared", id="given-and-cleared"),
    pytest.param(("scope", "agent:none", "--group", "x"), "`agent:none` is not enrolled", id="scope-of-nobody"),
    pytest.param(("disable", "agent:none"), "is not enrolled", id="disable-nobody"),
    pytest.param(("enable", "agent:\x1b[2J"), "`agent:\\x1b[2J` is not enrolled", id="enable-a-control-character"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_cannot_be_said_is_refused_in_one_line(
    line: MemoryLine, sluicegate: Sluicegate, arguments: tuple[str, ...], message: str
) -> None:
    result = sluicegate("agents", *arguments, *WHY)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not line.records


def test_a_key_file_that_exists_is_not_written_over(
    line: MemoryLine, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("mine")
    assert sluicegate("agents", "rotate", "agent:local", "--key-out", key, *WHY).exit_code == 2
    assert (key.read_text(), dict(line.records)) == ("mine", {})


def test_a_key_that_nobody_was_told_of_does_not_stay(
    line: MemoryLine, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    done(sluicegate, "disable", "agent:local", *WHY)
    line.meanwhile = lambda: done(sluicegate, "enable", "agent:local", *WHY)
    late = sluicegate("agents", "rotate", "agent:local", "--key-out", tmp_path / "key", *WHY)
    assert (late.exit_code, "look at what holds now" in late.stderr) == (2, True)
    assert not (tmp_path / "key").exists()
    assert known(sluicegate, "agent:local").public_keys == ()


def test_only_an_administrator_enrols(line: MemoryLine, sluicegate: Sluicegate, home: Path) -> None:
    assert sluicegate("keys", "approver", "ada", "--trust").exit_code == 0
    for key in ("approver", "executor", "judge"):
        path = home / f"keys/{key}.key"
        result = sluicegate("agents", "disable", "agent:local", "--key", path, *WHY)
        assert (result.exit_code, "not trusted as administrator" in result.stderr) == (2, True)
    assert not line.records


def test_an_approvers_key_is_made_and_trusted(sluicegate: Sluicegate, home: Path) -> None:
    sluicegate("keys", "init")
    told = json.loads(sluicegate("keys", "approver", "ada-1", "--group", "dba", "--json").stdout)
    assert told["entry"]["groups"] == ["dba"]
    assert not told["trusted"]
    assert (home / "keys/approver.key").stat().st_mode & 0o777 == 0o600
    other = home / "keys/other.key"
    made = sluicegate(
        "keys", "approver", "ada-2", "--person", "human:ada", "--out", other, "--trust"
    )
    assert made.exit_code == 0
    (found,) = (one for one in load_trust_of(Settings.load()).keys.values() if one.id == "ada-2")
    assert (found.role, found.voice, found.kid) == ("approver", "human:ada", load_key(other).kid)


@pytest.mark.parametrize("identity", ["administrator-1", "judge-1", "a b", "a\x1b", ""])
def test_no_approver_takes_anothers_id(sluicegate: Sluicegate, home: Path, identity: str) -> None:
    sluicegate("keys", "init")
    before = (home / "trust.json").read_bytes()
    assert sluicegate("keys", "approver", identity, "--trust").exit_code == 2
    assert (home / "trust.json").read_bytes() == before
    assert not (home / "keys/approver.key").exists()


async def test_what_is_enrolled_is_on_the_topic(
    broker: EmbeddedBroker, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setenv("SLUICEGATE_ZONE", "agents")
    sluicegate("keys", "init")
    await create_topics(broker.bootstrap, in_zone("agents"))
    done(sluicegate, "enroll", "agent:a", "--kind", "agent", *WHY)
    done(sluicegate, "disable", "agent:a", *WHY)
    listed = {one["id"]: one for one in done(sluicegate, "list")["principals"]}
    assert (listed["agent:a"]["state"], listed["agent:a"]["version"]) == ("disabled", 2)
