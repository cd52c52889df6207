"""A bundle of an action or a session holds what its verdicts rest on, and is proved without us."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from analytics.standalone.verify_archive import Bundle
from enforcers.contract.action import Action
from enforcers.contract.base import uuid7
from tests.console.cli.archived import Scene

Sluicegate = Callable[..., Result]


@pytest.fixture
def approved() -> Action:
    """An action that passed on a vote, beside others of its session and of another one."""
    scene, name = Scene(), uuid7()
    scene.publish()
    asked = scene.action()
    scene.request(asked, name)
    scene.vote(name)
    scene.vote(name, version=2, reason="FORGED", signer="executor-1")
    scene.verdict(asked, approval=name)
    scene.outcome(asked)
    scene.done("DELETE FROM b")
    scene.request(scene.done("DELETE FROM c", principal={"session": "s-2"}), uuid7())
    scene.store(signed=True)
    return asked


def topics(out: Path) -> Counter[str]:
    found = Bundle(out, [], [])
    found.verify()
    assert found.found == []
    assert found.proofs == found.records
    lines = (out / "records.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["topic"] for line in lines)


def test_what_people_said_for_an_action_is_in_its_bundle(
    sluicegate: Sluicegate, approved: Action, tmp_path: Path
) -> None:
    out = tmp_path / "one"
    made = sluicegate("audit", "bundle", "--out", str(out), "--action", str(approved.id))
    assert made.exit_code == 0, made.stderr
    once = {"actions": 1, "verdicts": 1, "outcomes": 1, "requests": 1, "policies": 1}
    assert topics(out) == Counter(once | {"approvals": 2})


def test_a_session_is_bundled_with_all_of_its_actions(
    sluicegate: Sluicegate, approved: Action, tmp_path: Path
) -> None:
    out = tmp_path / "all"
    words = ("--session", "s-1", "--action", str(approved.id))
    assert sluicegate("audit", "bundle", "--out", str(out), *words).exit_code == 0
    found = topics(out)
    assert (found["actions"], found["outcomes"], found["approvals"]) == (2, 2, 2)
    unknown = sluicegate("audit", "bundle", "--out", str(tmp_path / "no"), "--session", "' OR 1=1")
    assert (unknown.exit_code, "is not in the archive" in unknown.stderr) == (1, True)
