"""What the audit commands say of a time of which the archive has nothing, and how they write times for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from typer.testing import Result

from tests.console.cli.archived import Scene

Sluicegate = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("one_session")


LONG_AGO = ("--from", "2001-01-01", "--to", "2001-02-01")


def test_a_period_of_which_the_archive_has_nothing_is_not_taken_for_a_quiet_one(
    sluicegate: Sluicegate,
) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    for command in (("exceptions",), ("who-changed", "users"), ("population",)):
        assert "EMPTY" not in sluicegate("audit", *command).stdout, command
        before = sluicegate("audit", *command, *LONG_AGO)
        assert before.exit_code == 0, command
        empty = "EMPTY     no record is of this period; those of the archive are of 20"
        assert empty in before.stdout, command
        assert "None" not in before.stdout, command
        told = sluicegate("audit", *command, *LONG_AGO, "--json")
        assert json.loads(told.stdout)["elsewhere"], command


def test_an_archive_without_records_says_so(sluicegate: Sluicegate) -> None:
    Scene().store()
    said = sluicegate("audit", "exceptions").stdout
    assert "EMPTY     the archive has no record of any time" in said


TIMES = {
    ("population",): ("actions", "recorded_at"),
    ("exceptions",): ("cases", "at"),
    ("who-changed", "users"): ("changes", "issued_at"),
    ("session", "s-1"): ("actions", "issued_at"),
}
"""Where a command's JSON has a list, and a time in what is in it."""


def test_times_in_json_are_those_of_rfc_3339(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.verdict(scene.action(), would_deny=True)
    scene.store()
    for command, (listed, time) in TIMES.items():
        (first, *_) = json.loads(sluicegate("audit", *command, "--json").stdout)[listed]
        written = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first[time])
        assert written, (command, first[time])
