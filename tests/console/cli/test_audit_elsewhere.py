"""What the audit commands say of a time of which the archive has nothing, and how they write times for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from typer.testing import Result

from tests.console.cli.archived import Scene

Sluicegate = Callable[..., Result]


@pytest.mark.parametrize("command", [("exceptions",), ("who-changed", "users"), ("population",)])
def test_a_period_of_which_the_archive_has_nothing_is_not_taken_for_a_quiet_one(
    command: tuple[str, ...], sluicegate: Sluicegate
) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    assert "EMPTY" not in sluicegate("audit", *command).stdout
    before = sluicegate("audit", *command, "--from", "2001-01-01", "--to", "2001-02-01")
    assert before.exit_code == 0
    assert "EMPTY     no record is of this period; those of the archive are of 20" in before.stdout
    assert "None" not in before.stdout
    told = sluicegate("audit", *command, "--from", "2001-01-01", "--to", "2001-02-01", "--json")
    assert json.loads(told.stdout)["elsewhere"]


def test_an_archive_without_records_says_so(sluicegate: Sluicegate) -> None:
    Scene().store()
    said = sluicegate("audit", "exceptions").stdout
    assert "EMPTY     the archive has no record of any time" in said


@pytest.mark.parametrize(
    ("command", "where"),
    [
        (("population",), ("actions", "recorded_at")),
        (("exceptions",), ("cases", "at")),
        (("who-changed", "users"), ("changes", "issued_at")),
        (("session", "s-1"), ("actions", "issued_at")),
    ],
)
def test_times_in_json_are_those_of_rfc_3339(
    command: tuple[str, ...], where: tuple[str, str], sluicegate: Sluicegate
) -> None:
    scene = Scene()
    scene.verdict(scene.action(), would_deny=True)
    scene.store()
    (first, *_) = json.loads(sluicegate("audit", *command, "--json").stdout)[where[0]]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first[where[1]])
