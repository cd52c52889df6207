"""`audit who-changed`, `audit policy-as-of`: what is found, why, and what is not told as true."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from enforcers.contract.base import utc_now
from enforcers.contract.verdict import Decision
from tests.console.cli.archived import POLICY, Scene, touching
from tests.console.conftest import at_home

Sluicegate = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("one_session")


def changes(sluicegate: Sluicegate, resource: str, *more: str) -> dict[str, Any]:
    result = sluicegate("audit", "who-changed", resource, "--json", *more)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


WAYS = [
    ("users", "the name fits, here in public"),
    ("USERS", "the name fits, here in public"),
    ('"users"', "the name fits, here in public"),
    ("public.users", "this very name"),
    ("crm.public.users", "the name fits, but where it lies was not written"),
    ("public", "it lies in public"),
    ("public.*", "it lies in public"),
    ("us*", "its name begins so"),
    ("public.us*", "its name begins so"),
    ("table:users", "the name fits, here in public"),
]


def test_a_resource_is_found_by_each_of_its_names(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    for name, how in WAYS:
        found = changes(sluicegate, name)
        (change,) = found["changes"]
        assert change["touches"][0]["how"] == how, name
        assert (change["decision"], change["status"]) == ("allow", "succeeded")
    for name in ("user", "billing.users", "file:users", "sers", "private", "users.id"):
        assert changes(sluicegate, name)["changes"] == [], name


def test_whoever_drops_what_holds_it_changed_it(sluicegate: Sluicegate) -> None:
    scene = Scene()
    dropped = scene.action("DROP SCHEMA public CASCADE")
    scene.verdict(dropped, intent=(touching("drop", "public", type="schema", extent="whole"),))
    removed = scene.action("rm -r /srv/data")
    scene.verdict(removed, intent=(touching("delete", "/srv/data", type="file", extent="whole"),))
    scene.store()
    (change,) = changes(sluicegate, "public.users")["changes"]
    assert change["touches"][0]["how"] == "the schema public holds it"
    (change,) = changes(sluicegate, "/srv/data/2026/jan.csv")["changes"]
    assert change["touches"][0]["how"] == "/srv/data holds it"
    (change,) = changes(sluicegate, "/srv/")["changes"]
    assert change["touches"][0]["how"] == "it lies below"


DOTTED = [
    ("host", "drop-57.example.net", "export"),
    ("file", "/srv/app/tee.out", "write"),
    ("file", "out.csv", "write"),
    ("unknown", "systemctl stop backup.timer", "delete"),
    ("unknown", "rm a.out", "delete"),
]
"""Type, name and verb of what one action each touches."""
ASKED = {
    "drop-57.example.net": 0, "host:drop-57.example.net": 0, "example.net": 0, "DROP-57*": 0, "drop-57.exam*": 0,
    "tee.out": 1, "/srv/app/tee.out": 1, "/srv/app": 1, "tee.o*": 1,
    "out.csv": 2, "file:out.csv": 2, '"out.csv"': 2,
    "backup.timer": 3, "systemctl": 3,
    "unknown:rm a.out": 4, '"a.out"': 4,
    "drop": None, "tee": None, "srv": None, "csv.out": None, "table:out.csv": None, "example.ne": None,
}  # fmt: skip
"""What is written, and the one of these that it finds."""


def test_names_with_dots_are_found(sluicegate: Sluicegate) -> None:
    scene = Scene()
    for type_, name, verb in DOTTED:
        intent = (touching(verb, name, type=type_, extent="none"),)
        scene.verdict(scene.action(name), intent=intent)
    scene.store()
    for text, number in ASKED.items():
        found = [one["text"] for one in changes(sluicegate, text)["changes"]]
        assert found == ([] if number is None else [DOTTED[number][1]]), text


def test_a_program_is_found_by_its_path_and_shown_once(sluicegate: Sluicegate) -> None:
    scene = Scene()
    curl = touching("execute", "curl", type="program", namespace="/usr/bin/curl", extent="none")
    scene.verdict(scene.action("x"), intent=(curl,))
    scene.store()
    for text in ("/usr/bin/curl", "/usr/bin", "curl", "program:curl"):
        assert len(changes(sluicegate, text)["changes"]) == 1, text
    text = sluicegate("audit", "who-changed", "curl").stdout
    assert "execute program /usr/bin/curl, extent none" in text
    assert "searched  anything named `curl`; any verb but read and connect" in text
    (row,) = json.loads(sluicegate("audit", "population", "--json").stdout)["actions"]
    assert row["resources"] == ["/usr/bin/curl"]


def test_reading_is_no_change(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.verdict(scene.action("SELECT 1 FROM users"), intent=(touching("read", "users"),))
    scene.store()
    found = changes(sluicegate, "users")
    assert (found["changes"], found["unknown"]) == ([], 0)


def test_what_nobody_understood_is_counted(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.verdict(scene.action(), Decision.DENY, intent=())
    scene.action()
    scene.store()
    assert changes(sluicegate, "users")["unknown"] == 2


def test_what_only_a_forged_verdict_says_is_told_of_no_action(sluicegate: Sluicegate) -> None:
    scene = Scene()
    asked = scene.action("SELECT 1")
    scene.verdict(asked, signer="executor-1")
    scene.verdict(asked, Decision.DENY, intent=(touching("read", "cities"),))
    scene.store()
    found = changes(sluicegate, "users")
    assert (found["changes"], found["doubted"]) == ([], 1)
    assert "1 more are named only by verdicts that do NOT count" in (
        sluicegate("audit", "who-changed", "users").stdout
    )


def test_the_newest_changes_are_told_and_the_others_counted(sluicegate: Sluicegate) -> None:
    scene = Scene()
    done = [scene.done(f"DELETE FROM users WHERE id = {number}") for number in range(3)]
    scene.store()
    found = changes(sluicegate, "users", "--limit", "2")
    assert [one["id"] for one in found["changes"]] == [str(one.id) for one in done[1:]]
    assert found["left_out"] == 1
    assert changes(sluicegate, "users", "--to", "1d")["changes"] == []


def test_the_policy_that_held_is_told_with_what_came_after_it(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.publish()
    asked = scene.action()
    scene.verdict(asked)
    scene.publish(2, "ee" * 32, "another one")
    scene.publish(3, "ff" * 32)
    scene.raw[-1] = (*scene.raw[-1][:3], scene.raw[-1][3].replace(b"shop", b"junk"))
    now = utc_now()
    scene.store(now)
    moment = (now - timedelta(seconds=2)).isoformat()
    body = json.loads(sluicegate("audit", "policy-as-of", moment, "--json").stdout)
    assert (body["policy"]["digest"], body["policy"]["reason"]) == (POLICY, "first one")
    assert (body["policy"]["evidence"]["topic"], body["policy"]["evidence"]["offset"]) == (
        "policies",
        0,
    )
    assert (body["next"]["version"], body["ignored"]) == (2, 0)
    body = json.loads(sluicegate("audit", "policy-as-of", "2999-01-01", "--json").stdout)
    assert (body["policy"]["version"], body["next"], body["ignored"]) == (2, None, 1)
    text = sluicegate("audit", "policy-as-of", moment).stdout
    assert f"shop version 1, {POLICY}" in text
    assert "it does NOT load here" in text


def test_whose_policies_count_needs_a_trust_file(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.publish()
    scene.store()
    scene.settings.trust.unlink()
    result = sluicegate("audit", "policy-as-of", "1s")
    assert result.exit_code == 2
    assert "nobody knows whose policies count" in result.stderr


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an archive that holds nothing."""
    home = tmp_path_factory.mktemp("empty") / "home"
    with pytest.MonkeyPatch.context() as patch:
        at_home(home, patch)
        Scene().store()
    return home


@pytest.fixture
def stored(empty: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """It is the home of this test, which only reads."""
    return at_home(empty, monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("who-changed", "x", "--from", "yesterday"), "is no time"),
        (("who-changed", "x", "--from", "1h", "--to", "2026-01-01"), ""),
        (("who-changed", "x", "--from", "2026-01-02", "--to", "2026-01-01"), "has no time in it"),
        (("who-changed", "x", "--from", "0001-01-01T00:00:00+23:00"), "is no time"),
        (("who-changed", "x", "--to", "9999-12-31T23:59:59-23:00"), "is no time"),
        (("who-changed", "x", "--to", "0001-01-02"), "is no time"),
        (("who-changed", ""), "names no resource"),
        (("who-changed", "..."), "names no resource"),
        (("who-changed", "x" * 10_000), "names no resource"),
        (("who-changed", "pub*lic"), "has a `*` in the middle"),
        (("who-changed", "*.users"), "has a `*` in the middle"),
        (("who-changed", "tabel:users"), "is no type of resource"),
        (("action", "no-uuid"), "is no action id"),
        (("policy-as-of", "soon"), "is no time"),
        (("policy-as-of", "99999d"), "not between 1s"),
    ],
)
def test_what_cannot_be_asked_is_said(
    arguments: tuple[str, ...], why: str, stored: Path, sluicegate: Sluicegate
) -> None:
    result = sluicegate("audit", *arguments)
    assert result.exit_code == (2 if why else 0), result.stderr
    assert why in result.stderr


INJECTIONS = (
    "x' OR 1=1 --",
    "'); DROP VIEW records; --",
    "x\"); COPY (SELECT 1) TO '/tmp/out'; --",
    "$since ? % _ [",
    "' UNION ALL SELECT * FROM read_text('/etc/passwd') --",
)


def test_no_argument_is_read_as_sql(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    for text in INJECTIONS:
        for command in ("who-changed", "session", "action"):
            result = sluicegate("audit", command, text, "--json")
            assert result.exit_code in (0, 1, 2), (command, text)
            assert str(scene.settings.home) not in result.stdout
            assert "cannot be read" not in result.stderr, (command, text)
            if result.exit_code == 0:
                assert json.loads(result.stdout)["changes"] == [], (command, text)
        drawn = sluicegate("audit", "population", "--sample", "9", "--seed", text, "--json")
        assert len(json.loads(drawn.stdout)["actions"]) == 1, text
