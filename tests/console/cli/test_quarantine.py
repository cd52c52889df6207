"""`sluicegate quarantine`: what is stopped, until when, and that only an administrator lifts it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.identity import load_judge
from console.settings import Settings
from enforcers.contract.base import uuid7
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.issue import Issue
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
    result = sluicegate("quarantine", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


WHAT = [
    ("--principal", "agent:local"),
    ("--session", "s-1"),
    ("--system", "postgres"),
    ("--catalog", "shop"),
    ("--environment", "production"),
]


@pytest.mark.parametrize(("option", "name"), WHAT)
def test_what_is_named_is_stopped_until_it_is_lifted(
    line: MemoryLine, sluicegate: Sluicegate, option: str, name: str
) -> None:
    made = done(sluicegate, "add", option, name, *WHY)
    assert made["stops"] == {option[2:]: name, "everything": False}
    (held,) = done(sluicegate, "list")["quarantines"]
    assert held == made
    assert "expires_at" not in held
    assert "without end" in sluicegate("quarantine", "list").stdout
    assert done(sluicegate, "lift", made["control"], *WHY)["still_holding"] == []
    assert done(sluicegate, "list")["quarantines"] == []


def test_several_names_stop_what_fits_all_of_them(line: MemoryLine, sluicegate: Sluicegate) -> None:
    every = [text for pair in WHAT for text in pair]
    stops = done(sluicegate, "add", *every, *WHY)["stops"]
    assert stops == {**{option[2:]: name for option, name in WHAT}, "everything": False}


def test_the_kill_switch_says_what_it_does(line: MemoryLine, sluicegate: Sluicegate) -> None:
    result = sluicegate("quarantine", "add", "--everything", "--for", "1h", *WHY)
    assert result.exit_code == 0
    assert result.stderr.startswith("EVERYTHING IS STOPPED: ")
    assert "stopped until 20" in result.stdout
    assert result.stdout.endswith(": everything\n")


def test_a_name_that_nobody_has_is_pointed_out(line: MemoryLine, sluicegate: Sluicegate) -> None:
    result = sluicegate("quarantine", "add", "--principal", "agent:lcoal", *WHY)
    assert result.exit_code == 0
    assert "note: nobody is enrolled as `agent:lcoal`" in result.stderr


REFUSED: list[Any] = [
    pytest.param(WHY, "names a principal or a target", id="nothing"),
    pytest.param(("--everything", "--principal", "agent:x", *WHY), "names a principal or a target", id="everything-of-one"),
    pytest.param(("--principal", "", *WHY), "names a principal or a target", id="an-empty-name"),
    pytest.param(("--principal", "agent x", *WHY), "principal refused", id="a-space"),
    pytest.param(("--session", "s\x1b[2J", *WHY), "session refused", id="a-control-character"),
    pytest.param(("--everything", "--for", "-1h", *WHY), "is no duration", id="negative"),
    pytest.param(("--everything", "--for", "0s", *WHY), "is not between", id="no-time"),
    pytest.param(("--everything", "--reason", " "), "a reason is wanted", id="no-reason"),
    pytest.param(("--everything",), "Missing option '--reason'", id="reason-left-out"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_cannot_be_stopped_is_refused(
    line: MemoryLine, sluicegate: Sluicegate, arguments: tuple[str, ...], message: str
) -> None:
    result = sluicegate("quarantine", "add", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not line.records


def by_a_judge(line: MemoryLine, **changes: Any) -> Control:
    """A judge's quarantine of one principal for an hour."""
    signer, judge = load_judge(Settings.load())
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "id": uuid7(), "issue": Issue(version=1, by=judge, at=now, reason="probing"), "control": uuid7(),
        "stops": Quarantined(principal="agent:local"), "expires_at": now + timedelta(hours=1), "rule": "probing",
    }  # fmt: skip
    control = Control(**{**fields, **changes})
    line.publish(control, signer, judge)
    return control


def test_an_administrator_lifts_what_a_judge_stopped(
    line: MemoryLine, sluicegate: Sluicegate
) -> None:
    control = by_a_judge(line)
    (held,) = done(sluicegate, "list")["quarantines"]
    assert (held["rule"], held["issue"]["by"]) == ("probing", "judge-1")
    lifted = done(sluicegate, "lift", str(control.control), *WHY)
    assert (lifted["lifted"], lifted["issue"]["by"], lifted["issue"]["version"]) == (
        True,
        "administrator-1",
        2,
    )


def test_a_judge_lifts_nothing(line: MemoryLine, sluicegate: Sluicegate) -> None:
    made = done(sluicegate, "add", "--principal", "agent:local", *WHY)
    issue = Issue(version=2, by="judge-1", at=datetime.now(UTC), reason="let go")
    by_a_judge(line, control=made["control"], lifted=True, issue=issue)
    listed = done(sluicegate, "list")
    assert [one["control"] for one in listed["quarantines"]] == [made["control"]]
    assert "a judge cannot change" in next(iter(listed["ignored"].values()))


def test_what_is_over_is_listed_only_with_all(line: MemoryLine, sluicegate: Sluicegate) -> None:
    past = datetime.now(UTC) - timedelta(seconds=5)
    by_a_judge(line, expires_at=past)
    assert done(sluicegate, "list")["quarantines"] == []
    assert len(done(sluicegate, "list", "--all")["quarantines"]) == 1


@pytest.mark.parametrize("key", ["executor", "judge", "approver"])
def test_only_an_administrator_stops_and_lifts(
    line: MemoryLine, sluicegate: Sluicegate, home: Path, key: str
) -> None:
    sluicegate("keys", "approver", "ada", "--trust")
    result = sluicegate(
        "quarantine", "add", "--everything", "--key", home / f"keys/{key}.key", *WHY
    )
    assert (result.exit_code, "not trusted as administrator" in result.stderr) == (2, True)
    assert not line.records


def test_a_hostile_reason_cannot_paint_the_terminal(
    line: MemoryLine, sluicegate: Sluicegate
) -> None:
    done(sluicegate, "add", "--everything", "--reason", "x\x1b[2J\x9b8m\nfine")
    shown = sluicegate("quarantine", "list").stdout
    assert not {"\x1b", "\x9b"} & set(shown)
    assert r"x\x1b[2J\x9b8m fine" in shown


async def test_what_is_stopped_is_on_the_topic(
    broker: EmbeddedBroker, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setenv("SLUICEGATE_ZONE", "quarantines")
    sluicegate("keys", "init")
    await create_topics(broker.bootstrap, in_zone("quarantines"))
    made = done(sluicegate, "add", "--everything", *WHY)
    assert done(sluicegate, "list")["quarantines"] == [made]
    done(sluicegate, "lift", made["control"][:-4], *WHY)
    assert done(sluicegate, "list") == {"quarantines": [], "ignored": {}}


def test_without_a_broker_it_is_one_line(sluicegate: Sluicegate) -> None:
    sluicegate("keys", "init")
    result = sluicegate("quarantine", "add", "--everything", *WHY)
    assert (result.exit_code, result.stdout) == (5, "")
    assert "run `sluicegate up` first" in result.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("quarantine", "list"), "nothing is stopped\n"),
        (("grant", "list"), "nothing is granted\n"),
        (("grant", "requests"), "nothing is asked\n"),
    ],
)
def test_a_list_of_nothing_says_so(
    command: tuple[str, ...], said: str, line: MemoryLine, sluicegate: Sluicegate
) -> None:
    assert sluicegate(*command).stdout == said
