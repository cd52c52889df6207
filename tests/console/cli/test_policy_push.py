"""`sluicegate policy push|show`: what is handed to the judges, and what is not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from enforcers.contract.publication import Publication
from enforcers.contract.wire import decode
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy_files
from streams.broker import EmbeddedBroker
from streams.topic_making import create_topics
from streams.topics import in_zone
from tests.console.cli.bundles import bundle
from tests.console.conftest import Sluicegate
from tests.console.memory_line import MemoryLine, in_memory

WHY = ("--reason", "first of all")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, sluicegate: Sluicegate) -> MemoryLine:
    """Control topics in memory, and a machine with its keys."""
    assert sluicegate("keys", "init").exit_code == 0
    return in_memory(monkeypatch)


def published(line: MemoryLine) -> list[Publication]:
    return [decode(Publication, record.value or b"") for record in line.records["policies"]]


def shown(sluicegate: Sluicegate) -> list[dict[str, Any]]:
    result = sluicegate("policy", "show", "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["publications"]
    return found


def test_a_bundle_is_published_as_every_judge_will_load_it(
    line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = bundle(tmp_path)
    result = sluicegate("policy", "push", path, *WHY)
    assert result.exit_code == 0, result.output
    assert "it is the first one" in result.stdout
    (one,) = published(line)
    assert (one.issue.version, one.issue.reason, one.bundle) == (1, "first of all", "small")
    assert one.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    files = [(file.name, file.text.encode()) for file in one.files]
    assert load_policy_files(files, run_case).hash == one.digest


def test_what_it_extends_goes_along(
    line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    bundle(tmp_path, name="pack.yaml")
    own = tmp_path / "own.yaml"
    own.write_text(
        "apiVersion: sluicegate.io/v1\nname: own\ndefault: deny\nextends: [./pack.yaml]\nrules: []\n"
    )
    result = sluicegate("policy", "push", own, *WHY, "--json")
    assert result.exit_code == 0, result.output
    (one,) = published(line)
    assert [file.name for file in one.files] == ["own.yaml", "pack.yaml"]
    files = [(file.name, file.text.encode()) for file in one.files]
    assert (
        load_policy_files(files, run_case).hash == one.digest == json.loads(result.stdout)["digest"]
    )


BAD = [
    ("does not compile", ("target.production", "target.prodution")),
    ("fails its tests", ("expect: {decision: deny, rules: [deny-pii]}", "expect: {decision: allow, rules: [deny-pii]}")),
    ("has an untested rule", (", not_rules: [deny-pii]", "")),
    ("is no bundle", ("apiVersion", "version")),
]  # fmt: skip


@pytest.mark.parametrize("change", [change for _, change in BAD], ids=[name for name, _ in BAD])
def test_a_bundle_that_does_not_load_is_not_published(
    change: tuple[str, str], line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    result = sluicegate("policy", "push", bundle(tmp_path, change), *WHY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(one.startswith("error: ") for one in result.stderr.splitlines())
    assert not line.records


def test_nothing_is_published_without_a_reason(
    line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = bundle(tmp_path)
    assert sluicegate("policy", "push", path).exit_code == 2
    assert sluicegate("policy", "push", path, "--reason", "  ").exit_code == 2
    assert not line.records


def test_the_same_bundle_is_not_published_twice(
    line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = bundle(tmp_path)
    assert sluicegate("policy", "push", path, *WHY).exit_code == 0
    again = sluicegate("policy", "push", path, *WHY)
    assert again.exit_code == 2
    assert "is published already, as version 1 by" in again.stderr
    assert len(published(line)) == 1


CHANGES = [
    ("no rule", [("name: a plain read", "name: a plainer read")], ["it decides as the last one does"]),
    ("a condition", [("when: target.production", "when: target.environment == 'production'")], ["~ rule deny-pii"]),
    ("a fragment", [("may_read: '\"read\"", "may_read: 'target.production && \"read\"")], ["~ rule allow-read"]),
    ("a message", [("no personal data", "none")], ["~ rule deny-pii"]),
    ("an environment", [("non_production: [staging]", "non_production: [staging, dev]")], ["~ non_production"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "lines"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_what_changes_against_the_last_one_is_told(
    changes: list[tuple[str, str]],
    lines: list[str],
    line: MemoryLine,
    tmp_path: Path,
    sluicegate: Sluicegate,
) -> None:
    assert sluicegate("policy", "push", bundle(tmp_path), *WHY).exit_code == 0
    result = sluicegate("policy", "push", bundle(tmp_path, *changes), "--reason", "second")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[:-1] == lines
    assert [one.issue.version for one in published(line)] == [1, 2]


def test_rules_that_come_and_go_are_told(
    line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    sluicegate("policy", "push", bundle(tmp_path), *WHY)
    path = tmp_path / "small.yaml"
    path.write_text(path.read_text().replace("deny-pii", "deny-personal"))
    found = json.loads(sluicegate("policy", "push", path, *WHY, "--json").stdout)
    assert found["changes"] == {
        "added": ["deny-personal"],
        "removed": ["deny-pii"],
        "changed": [],
        "elsewhere": [],
    }


def test_who_published_what_when_and_why_is_shown(
    line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    assert shown(sluicegate) == []
    sluicegate("policy", "push", bundle(tmp_path), *WHY)
    sluicegate(
        "policy",
        "push",
        bundle(tmp_path, ("no personal data", "none")),
        "--reason",
        "\x1b[2Jshorter",
    )
    newest, first = shown(sluicegate)
    assert (newest["version"], first["version"], first["reason"]) == (2, 1, "first of all")
    assert (first["by"], first["bundle"]) == ("administrator-1", "small")
    assert newest["digest"] != first["digest"]
    table = sluicegate("policy", "show")
    assert "first of all" in table.stdout
    assert "\x1b" not in table.output


def test_an_approver_cannot_publish(
    line: MemoryLine, tmp_path: Path, sluicegate: Sluicegate, home: Path
) -> None:
    (home / "keys" / "administrator.key").unlink()
    result = sluicegate("policy", "push", bundle(tmp_path), *WHY)
    assert result.exit_code == 2
    assert not line.records


async def test_what_is_published_is_on_the_topic(
    broker: EmbeddedBroker, tmp_path: Path, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setenv("SLUICEGATE_ZONE", "pushed")
    sluicegate("keys", "init")
    await create_topics(broker.bootstrap, in_zone("pushed"))
    assert sluicegate("policy", "push", bundle(tmp_path), *WHY).exit_code == 0
    assert [one["version"] for one in shown(sluicegate)] == [1]
