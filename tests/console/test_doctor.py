"""What `doctor` says of what holds where the broker is; every row with a remedy where something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from console import agents, grants, publishing, quarantines
from console.administering import Desk, load_voice
from console.checks import CHECKS, Finding, examine
from console.identity import init_home, key_path
from console.settings import Settings
from enforcers.contract.base import uuid7
from enforcers.contract.control import Quarantined
from enforcers.contract.enrolment import Enrolment
from enforcers.contract.grant import GrantScope, GrantStatus
from enforcers.contract.publication import PolicyFile
from enforcers.contract.trust import Role
from enforcers.errors import BrokerError
from tests.console.memory_line import MemoryLine, in_memory

Sluicegate = Callable[..., Result]
Lay = Callable[[Desk], object]
POLICY = Path(__file__).parent / "approving.yaml"
LOOKS = ("control topics", "policy in force", "kill switch", "quarantines", "enrolled", "grants")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other checks start programs and load policies, and have tests of their own."""
    few = tuple(one for one in CHECKS if one[0] in ("broker", "keys", "trust"))
    monkeypatch.setattr("console.checks.CHECKS", few)


@pytest.fixture
def settings(home: Path) -> Settings:
    """A machine with its keys and a target."""
    home.mkdir(mode=0o700)
    (home / "shop.db").touch()
    (home / "sluicegate.toml").write_text(
        '[targets.shop]\nsystem = "sqlite"\npath = "shop.db"\nenvironment = "staging"\n'
    )
    settings = Settings.load({"bootstrap": "127.0.0.1:1"})
    init_home(settings)
    return settings


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> MemoryLine:
    """A broker that answers, whose topics are lists."""

    def answers(asked: Any) -> str:
        asked.close()
        return "a-cluster"

    monkeypatch.setattr("console.checks.run_apart", answers)
    return in_memory(monkeypatch)


def found(settings: Settings) -> dict[str, Finding]:
    return {one.check: one for one in examine(settings)}


def desk_of(settings: Settings, line: MemoryLine) -> Desk:
    return Desk(settings, line, *load_voice(settings))  # type: ignore[arg-type]


# ---- What holds -----------------------------------------------------------------------------------------


def _stop(**stops: Any) -> Lay:
    return lambda desk: quarantines.stop(desk, Quarantined(**stops), None, "looks odd")


def _stop_briefly(desk: Desk) -> None:
    quarantines.stop(desk, Quarantined(everything=True), timedelta(microseconds=1), "a moment")


def _lift(desk: Desk) -> None:
    control = quarantines.stop(desk, Quarantined(everything=True), None, "a drill")
    quarantines.lift(desk, str(control.control), "done")


def _push(desk: Desk) -> None:
    draft = publishing.draft_of(POLICY)
    desk.publish(publishing.publication_of(draft, desk, "two eyes"))


def _push_what_does_not_load(desk: Desk) -> None:
    draft = publishing.draft_of(POLICY)
    good = publishing.publication_of(draft, desk, "typo")
    desk.publish(good.model_copy(update={"files": (PolicyFile(name="p.yaml", text="rules: ["),)}))


def _push_with_another_digest(desk: Desk) -> None:
    draft = publishing.draft_of(POLICY)
    good = publishing.publication_of(draft, desk, "mixed up")
    desk.publish(good.model_copy(update={"digest": "ab" * 32}))


def _both(*parts: Lay) -> Lay:
    return lambda desk: [part(desk) for part in parts]


def _disable(desk: Desk) -> None:
    agents.change(desk, "agent:local", {"disabled": True}, "leaves")


def _change(**fields: Any) -> Lay:
    return lambda desk: agents.change(desk, "agent:local", fields, "changes")


def _let_end(desk: Desk) -> None:
    issue = desk.issue(agents.TOPIC, "agent:local", "until then")
    ended = agents.one_of(desk, "agent:local").model_copy(update={"not_after": PAST})
    desk.publish(Enrolment(id=uuid7(), issue=issue, principal=ended))


def _grant(desk: Desk) -> Any:
    scope = GrantScope(resources=("orders",))
    return grants.issue(desk, grants.Terms("agent:local", "repair", scope, HOUR), "fix")


def _ended_grant(desk: Desk) -> None:
    grants.end(desk, str(_grant(desk).grant), GrantStatus.REVOKED, "enough")


LIFT = "lift it with `sluicegate quarantine lift "
PAST = datetime(2026, 1, 1, tzinfo=UTC)
ROWS: list[Any] = [
    pytest.param(_grant, "policy in force", True, "nothing was published", "", id="no-policy"),
    pytest.param(_push, "policy in force", True, "approving version 1, ", "", id="a-policy"),
    pytest.param(_push, "policy in force", True, "published by administrator-1, ", "", id="by-whom"),
    pytest.param(_push, "policy in force", True, "two eyes", "", id="why"),
    pytest.param(_push_what_does_not_load, "policy in force", False, "keeps the file of its settings", "push one that loads", id="a-bad-policy"),
    pytest.param(_push_with_another_digest, "policy in force", False, "does not load here", "push one that loads", id="another-digest"),
    pytest.param(_both(_push, _push_what_does_not_load), "policy in force", False, "keeps version 1", "push one that loads", id="a-bad-policy-on-a-good-one"),
    pytest.param(_grant, "kill switch", True, "off", "", id="nothing-stopped"),
    pytest.param(_stop(everything=True), "kill switch", False, "everything is stopped, without end, by administrator-1", LIFT, id="kill-switch"),
    pytest.param(_stop_briefly, "kill switch", True, "off", "", id="kill-switch-that-is-over"),
    pytest.param(_lift, "kill switch", True, "off", "", id="kill-switch-that-was-lifted"),
    pytest.param(_stop(everything=True), "quarantines", True, "none", "", id="told-once"),
    pytest.param(_stop(principal="agent:other"), "quarantines", True, "1: principal agent:other without end", "", id="another-principal"),
    pytest.param(_stop(principal="agent:local"), "quarantines", False, "what is proposed here is stopped: principal agent:local", LIFT, id="own-principal"),
    pytest.param(_stop(system="sqlite"), "quarantines", False, "system sqlite", LIFT, id="own-target"),
    pytest.param(_stop(environment="staging"), "quarantines", False, "environment staging", LIFT, id="own-environment"),
    pytest.param(_stop(system="command"), "quarantines", False, "system command", LIFT, id="own-commands"),
    pytest.param(_stop(system="sqlite", environment="production"), "quarantines", True, "1: ", "", id="only-half-of-it"),
    pytest.param(_grant, "enrolled", True, "2 enabled", "", id="enrolled"),
    pytest.param(_disable, "enrolled", False, "`agent:local`, who proposes here, is disabled", "agents enable agent:local", id="disabled"),
    pytest.param(_let_end, "enrolled", False, "is ended", "agents scope agent:local --until", id="ended"),
    pytest.param(_change(executors=("other",)), "enrolled", False, "executor `executor-1` may not speak", "agents scope", id="another-executor"),
    pytest.param(_change(public_keys=("ab" * 32,)), "enrolled", False, "must sign what it proposes here", "principal_key", id="no-own-key"),
    pytest.param(_grant, "grants", True, "1 in force, 0 ended", "", id="a-grant"),
    pytest.param(_ended_grant, "grants", True, "0 in force, 1 ended", "", id="an-ended-grant"),
]  # fmt: skip


@pytest.mark.parametrize(("lay", "check", "ok", "detail", "remedy"), ROWS)
def test_a_row_says_what_holds(
    lay: Lay, check: str, ok: bool, detail: str, remedy: str, settings: Settings, line: MemoryLine
) -> None:
    lay(desk_of(settings, line))
    one = found(settings)[check]
    assert (one.ok, one.asked) == (ok, True), one
    assert detail in one.detail
    assert remedy in one.remedy
    assert bool(one.remedy) is not ok


def test_an_administrators_machine_need_not_propose(settings: Settings, line: MemoryLine) -> None:
    _disable(desk_of(settings, line))
    key_path(settings, Role.EXECUTOR).unlink()
    assert found(settings)["enrolled"].detail == "1 enabled, 1 disabled"


def test_what_changes_nothing_is_counted_and_is_no_policy(
    settings: Settings, line: MemoryLine
) -> None:
    _push(desk_of(settings, line))
    (true,) = line.records["policies"]
    line.put("policies", b"policy", None)
    line.records["policies"].append(true)
    rows = found(settings)
    assert rows["control topics"].detail.startswith(
        "2 records change nothing, such as policies/0/1"
    )
    assert "approving version 1" in rows["policy in force"].detail


def test_without_a_broker_each_row_says_that_nobody_was_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.checks.PATIENCE_S", 0.1)
    for bootstrap, why in (("", "no kafka runs here"), ("127.0.0.1:1", "no kafka answers")):
        settings = Settings.load({"bootstrap": bootstrap} if bootstrap else {})
        init_home(settings)
        rows = found(settings)
        assert [rows[name].asked for name in LOOKS] == [False] * len(LOOKS)
        assert all(why in rows[name].detail for name in LOOKS)


def test_topics_that_cannot_be_read_are_one_problem(
    settings: Settings, line: MemoryLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise BrokerError("topic `principals` does not exist; start a judge")

    monkeypatch.setattr(line, "read", read)
    rows = found(settings)
    assert (rows[LOOKS[0]].ok, rows[LOOKS[0]].remedy) == (False, "start a judge")
    assert [rows[name].asked for name in LOOKS[1:]] == [False] * (len(LOOKS) - 1)


# ---- As it is shown -------------------------------------------------------------------------------------


def test_a_reason_cannot_make_lines_of_its_own(
    settings: Settings, line: MemoryLine, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:1")
    desk = desk_of(settings, line)
    quarantines.stop(
        desk, Quarantined(everything=True), None, "x\n│ kill switch │ ok │ off; y\x1b[2J"
    )
    shown = sluicegate("doctor")
    assert shown.exit_code == 1
    (row,) = [one for one in shown.stdout.splitlines() if one.startswith("│ kill switch")]
    assert "problem" in row
    assert "\x1b" not in shown.stdout
    checks = json.loads(sluicegate("doctor", "--json").stdout)["checks"]
    (one,) = [one for one in checks if one["check"] == "kill switch"]
    assert (one["ok"], one["asked"]) == (False, True)
    assert one["remedy"].startswith(LIFT)
