"""`sluicegate policy explain`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.console.cli.bundles import CATALOG, bundle
from tests.console.conftest import Sluicegate


def printed(sluicegate: Sluicegate, *arguments: Any) -> Any:
    result = sluicegate("policy", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def around(tmp_path: Path) -> tuple[str, ...]:
    """A policy and a catalog."""
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    return (
        "--policy",
        str(bundle(tmp_path)),
        "--catalog",
        str(tmp_path / "catalog.yaml"),
        "--dialect",
        "duckdb",
    )


def test_a_denial_is_explained(around: tuple[str, ...], sluicegate: Sluicegate) -> None:
    found = printed(sluicegate, "explain", *around, "--sql", "SELECT email FROM customers")
    assert (found["decision"], found["reasons"][0]["rule"]) == ("deny", "deny-pii")
    (effect,) = found["intent"]["effects"]
    assert (effect["verb"], effect["resource"]["name"], effect["resource"]["tags"]) == (
        "read",
        "customers",
        ["pii"],
    )
    rules = {one["id"]: one for one in found["rules"]}
    assert (
        rules["deny-pii"]["matched"],
        rules["deny-pii"]["applies"],
        rules["deny-pii"]["effects"],
    ) == (True, True, [0])
    (condition,) = rules["allow-read"]["conditions"]
    assert (condition["text"], condition["held"]) == ('"read" in principal.permissions', True)
    assert condition["values"] == {"principal.permissions": ["read", "bounded_write"]}
    assert found["remedies"] == ["leave it out"]
    assert found["nearest"] == {
        "kind": "environment",
        "text": "it is proposed for a target in `staging`",
        "asks": False,
    }


def test_people_read_the_same(around: tuple[str, ...], sluicegate: Sluicegate) -> None:
    result = sluicegate("policy", "explain", *around, "--sql", "SELECT email FROM customers")
    assert result.exit_code == 0
    for part in (
        "0: read table customers #pii, extent none",
        "deny-pii (deny): applies, to effects 0",
        "when target.production  is  true",
        "target.production = true",
        "principal.permissions = ['read', 'bounded_write']",
        "deny-pii: no personal data",
        "leave it out",
        "it would pass if it is proposed for a target in `staging`",
    ):
        assert part in result.stdout


def test_the_permissions_are_those_that_are_given(
    around: tuple[str, ...], sluicegate: Sluicegate
) -> None:
    asked = ("explain", *around, "--sql", "SELECT id FROM orders")
    assert printed(sluicegate, *asked)["decision"] == "allow"
    found = printed(sluicegate, *asked, "--permission", "other")
    assert (found["decision"], found["principal"]["permissions"]) == ("deny", ["other"])
    # Nothing stands open: a grant for this comes before a standing permission.
    assert found["nearest"]["text"] == "a grant `access` for read `orders`"


def test_the_configured_principal_is_explained_as_it_is_enrolled(
    home: Path, around: tuple[str, ...], sluicegate: Sluicegate
) -> None:
    sluicegate("keys", "init")
    path = home / "principals.yaml"
    path.write_text("principals: [{id: 'agent:local', kind: agent, permissions: [other]}]\n")
    found = printed(sluicegate, "explain", *around, "--sql", "SELECT id FROM orders")
    assert found["principal"]["permissions"] == ["other"]


def test_a_declared_target_brings_its_catalog_and_environment(
    home: Path, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    home.mkdir()
    (home / "shop.yaml").write_text(CATALOG)
    (home / "sluicegate.toml").write_text(
        '[catalogs]\nshop = "shop.yaml"\n'
        '[targets.shop]\nsystem = "duckdb"\npath = "shop.duckdb"\nenvironment = "staging"\ncatalog = "shop"\n'
    )
    asked = (
        "--policy",
        bundle(tmp_path),
        "--target",
        "shop",
        "--sql",
        "SELECT email FROM customers",
    )
    found = printed(sluicegate, "explain", *asked)
    assert found["target"] == {
        "system": "duckdb",
        "environment": "staging",
        "catalog": "shop",
        "dialect": "duckdb",
    }
    assert (found["decision"], found["intent"]["effects"][0]["resource"]["tags"]) == (
        "allow",
        ["pii"],
    )
    refused = sluicegate("policy", "explain", *asked, "--environment", "production")
    assert (refused.exit_code, "leave these out" in refused.stderr) == (2, True)


OTHER_KINDS = [
    (("--shell", "ls -l"), "shell", "deny"),
    (("--json-payload", '{"tool": "refund", "arguments": {"order": 1}}'), "tool", "deny"),
    (("--json-payload", '{"kind": "sql", "statement": "SELECT 1 FROM orders"}'), "sql", "allow"),
]


@pytest.mark.parametrize(
    ("asked", "kind", "decision"), OTHER_KINDS, ids=[kind for _, kind, _ in OTHER_KINDS]
)
def test_every_kind_is_explained(
    asked: tuple[str, str],
    kind: str,
    decision: str,
    around: tuple[str, ...],
    sluicegate: Sluicegate,
) -> None:
    found = printed(sluicegate, "explain", *around, *asked)
    assert (found["intent"]["kinds"], found["decision"]) == ([kind], decision)


REFUSED = [
    ((), "give one of"),
    (("--sql", "SELECT 1", "--shell", "ls"), "give one of"),
    (("--json-payload", "{"), "no JSON"),
    (("--json-payload", "[" * 100_000), "no JSON"),
    (("--json-payload", '{"kind": "sql"}'), "payload refused at"),
    (("--json-payload", '{"kind": "canary"}'), "canary"),
    (("--sql", "SELECT 1", "--environment", "pro duction"), "environment"),
    (("--sql", "SELECT 1", "--target", "nowhere"), "not declared"),
]


@pytest.mark.parametrize(
    ("asked", "why"), REFUSED, ids=[" ".join(asked)[:40] for asked, _ in REFUSED]
)
def test_a_question_that_is_none_is_refused_in_one_line(
    asked: tuple[str, ...], why: str, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    result = sluicegate("policy", "explain", "--policy", bundle(tmp_path), *asked)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr
    assert result.stderr.count("\n") == 1


def test_nothing_of_what_is_explained_reaches_the_terminal_raw(
    around: tuple[str, ...], sluicegate: Sluicegate
) -> None:
    statement = 'SELECT email FROM "cust\x1b[2J\u202eomers\n\nallow"'
    result = sluicegate("policy", "explain", *around, "--sql", statement)
    assert result.exit_code == 0
    assert not {"\x1b", "\u202e"} & set(result.output)
    # What an action is called cannot look like a line of the answer.
    assert not [line for line in result.stdout.splitlines() if line.startswith("allow")]
