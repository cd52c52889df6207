"""`audit population`, `audit exceptions`: nothing is left out, and each unusual thing is shown with its records."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import Result

from analytics.audit.unusual import MEANINGS
from enforcers.contract.action import PrincipalKind
from enforcers.contract.approval import Choice
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment
from enforcers.contract.outcome import Status
from enforcers.contract.verdict import Decision
from tests.console.cli.archived import ADMINISTRATOR, Scene, issue, touching

Sluicegate = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("one_session")
LATER = timedelta(minutes=5)
"""After the grace in which an answer may still be on its way."""


def asked(sluicegate: Sluicegate, *arguments: str) -> dict[str, Any]:
    result = sluicegate("audit", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


# ---- Population -----------------------------------------------------------------------------------------


def test_every_change_is_counted_and_listed_and_reads_are_left_out_but_named(
    sluicegate: Sluicegate,
) -> None:
    scene = Scene()
    done = scene.done()
    scene.verdict(scene.action("SELECT 1"), intent=(touching("read", "users"),))
    opaque = scene.action("SELECT magic()")
    scene.verdict(opaque, Decision.DENY, intent=())
    silent = scene.action("DELETE FROM orders")
    scene.store()
    found = asked(sluicegate, "population")
    ids = [one["action_id"] for one in found["actions"]]
    assert ids == [str(done.id), str(opaque.id), str(silent.id)]
    assert (found["counted"], found["first"], found["last"]) == (3, 1, 8)
    counts = found["counts"]
    assert (counts["actions"], counts["changes"], counts["unknown"]) == (4, 3, 2)
    assert counts["by_decision"] == {"allow": 1, "deny": 1, "none": 1}
    assert (found["records"], found["gaps"]) == ({"first": 1, "last": 8, "records": 8}, [])
    assert asked(sluicegate, "population", "--all")["counted"] == 4
    first = found["actions"][0]
    assert (first["verbs"], first["resources"]) == (["delete"], ["public.users"])
    assert (first["changes"], first["outcome"], first["rows_affected"]) == ("yes", "succeeded", 1)


def test_a_forged_verdict_or_outcome_is_in_no_figure(sluicegate: Sluicegate) -> None:
    scene = Scene()
    denied = scene.action()
    scene.verdict(denied, signer="executor-1")
    scene.verdict(denied, Decision.DENY)
    scene.outcome(denied, signer="judge-1")
    scene.store()
    found = asked(sluicegate, "population")
    (row,) = found["actions"]
    assert (row["decision"], row["outcome"]) == ("deny", "none")
    assert found["doubted_count"] == 2
    cases = {one["code"]: one for one in asked(sluicegate, "exceptions")["cases"]}
    assert set(cases) == {"forged_verdict", "forged_outcome"}
    assert cases["forged_verdict"]["actions"] == [str(denied.id)]
    assert "not trusted as judge" in cases["forged_verdict"]["what"]


def test_the_same_seed_draws_the_same_sample_and_anybody_can_draw_it(
    sluicegate: Sluicegate,
) -> None:
    scene = Scene()
    for number in range(12):
        scene.done(f"DELETE FROM users WHERE id = {number}")
    scene.store()
    every = asked(sluicegate, "population")["actions"]
    drawn = asked(sluicegate, "population", "--sample", "4", "--seed", "x")["actions"]

    def drawn_by(row: dict[str, Any]) -> str:
        return sha256(f"x:{row['action_id']}:{row['action_digest']}".encode()).hexdigest()

    assert drawn == sorted(every, key=drawn_by)[:4]
    other = asked(sluicegate, "population", "--sample", "4", "--seed", "y")["actions"]
    assert drawn != other


def test_gaps_of_the_archive_are_told(
    sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    # What is missing is seen by the query; how it came to be missing is the verifier's matter.
    views = scene.settings.archive / "views.sql"
    views.write_text(views.read_text() + "\nCREATE OR REPLACE TEMP TABLE kept AS SELECT * FROM records WHERE seq <> 2;"
                     "\nCREATE OR REPLACE TEMP VIEW records AS SELECT * FROM kept;\n")  # fmt: skip
    assert asked(sluicegate, "population")["gaps"] == [[2, 2]]
    assert "1 record MISSING: 2 to 2" in sluicegate("audit", "population").stdout


FORMULAS = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", " =1", "\r\n=1", "＝1"]


def test_a_spreadsheet_runs_nothing_of_the_csv(sluicegate: Sluicegate, tmp_path: Path) -> None:
    scene = Scene()
    for text in FORMULAS:
        scene.done(text, reason=text, principal={"session": "=1"})
    scene.store()
    file = tmp_path / "population.csv"
    assert sluicegate("audit", "population", "--csv", str(file)).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
    assert len(rows) == len(FORMULAS)
    for row in rows:
        assert all(
            not (one or "").strip().startswith(("=", "+", "-", "@", "＝")) for one in row.values()
        )
        assert row["text"].startswith("'")
    assert file.stat().st_mode & 0o777 == 0o600
    printed = sluicegate("audit", "population", "--csv", "-").stdout
    assert printed.splitlines()[0].startswith("seq,recorded_at,action_id")
    assert "\x1b" not in printed


# ---- Exceptions -----------------------------------------------------------------------------------------


def cases_of(sluicegate: Sluicegate) -> dict[str, dict[str, Any]]:
    found = asked(sluicegate, "exceptions")
    assert found["counts"].keys() == {one["code"] for one in found["cases"]}
    return {one["code"]: one for one in found["cases"]}


def test_plain_work_is_no_exception(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.done()
    scene.verdict(scene.action(), Decision.DENY)
    scene.store(utc_now() - LATER)
    assert cases_of(sluicegate) == {}


def odd_actions(scene: Scene) -> dict[str, UUID]:
    found: dict[str, UUID] = {}
    denied = scene.action("DROP TABLE a")
    scene.verdict(denied, Decision.DENY)
    scene.outcome(denied)
    found["executed_without_allow"] = denied.id
    bare = scene.action("DROP TABLE c")
    scene.outcome(bare)
    found["executed_without_verdict"] = bare.id
    slow = scene.action("DELETE FROM d")
    scene.verdict(slow)
    ended = utc_now() + timedelta(seconds=90)
    scene.outcome(slow, finished_at=ended, duration_us=1_000_000)
    found["executed_late"] = slow.id
    other = scene.action("DELETE FROM b")
    scene.verdict(other)
    scene.outcome(other, executed_digest="ee" * 32)
    found["ran_other_bytes"] = other.id
    lost = scene.action()
    scene.verdict(lost)
    found["allow_without_outcome"] = lost.id
    doubtful = scene.action()
    scene.verdict(doubtful)
    scene.outcome(doubtful, status=Status.UNKNOWN)
    found["outcome_unknown"] = doubtful.id
    warned = scene.action()
    scene.verdict(warned, would_deny=True)
    scene.outcome(warned)
    found["warned_only"] = warned.id
    found["no_verdict"] = scene.action().id
    forged = scene.action()
    topic, key, headers, value = scene.raw.pop()
    scene.raw.append((topic, key, headers, value + b" "))
    found["forged_action"] = forged.id
    return found


def test_odd_actions_are_named_with_their_records(sluicegate: Sluicegate) -> None:
    scene = Scene()
    wanted = odd_actions(scene)
    scene.store(utc_now() - LATER)
    cases = asked(sluicegate, "exceptions")["cases"]
    found = {(one["code"], action) for one in cases for action in one["actions"]}
    assert found >= {(code, str(action)) for code, action in wanted.items()}
    assert {one["code"] for one in cases} == wanted.keys()
    assert all(one["records"] for one in cases)


def test_no_length_that_somebody_claims_stops_the_audit(sluicegate: Sluicegate) -> None:
    scene = Scene()
    asked_for = scene.action()
    scene.verdict(asked_for)
    most = 2**53 - 1
    scene.outcome(asked_for, duration_us=most)
    topic, key, headers, value = scene.raw.pop()
    longer = value.replace(str(most).encode(), str(2**63 - 1).encode())
    assert longer != value
    scene.raw.append((topic, key, headers, longer))
    scene.store(utc_now() - LATER)
    # Then nobody can say that it is forged.
    scene.settings.trust.unlink()
    assert cases_of(sluicegate) == {}
    assert asked(sluicegate, "population")["counted"] == 1
    (found,) = asked(sluicegate, "action", str(asked_for.id))["actions"]
    assert found["alarms"] == []


def test_what_one_action_contradicts_is_said_first(sluicegate: Sluicegate, tmp_path: Path) -> None:
    scene = Scene()
    wanted = odd_actions(scene)
    scene.store(utc_now() - LATER)
    for code in ("executed_without_allow", "executed_without_verdict", "executed_late"):
        page = tmp_path / "page.html"
        told = sluicegate("audit", "action", str(wanted[code]), "--html", str(page))
        assert told.stdout.startswith(f"ALARM     {code}: {MEANINGS[code]}"), told.stdout
        assert f'<p class="loud">ALARM: {code}: ' in page.read_text()
        (found,) = asked(sluicegate, "action", str(wanted[code]))["actions"]
        assert found["alarms"] == [code]
    (fine,) = asked(sluicegate, "action", str(wanted["warned_only"]))["actions"]
    assert fine["alarms"] == []


def test_what_is_young_may_still_be_answered(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.verdict(scene.action())
    scene.action()
    scene.store()
    assert cases_of(sluicegate) == {}


def approved(scene: Scene, **more: Any) -> UUID:
    """An action that passed on people's word; the votes are the test's."""
    name = uuid7()
    asked_for = scene.action(**more)
    scene.verdict(asked_for, Decision.REQUIRE_APPROVAL, request=name)
    scene.request(asked_for, name)
    return name


def passes(scene: Scene, name: UUID, **more: Any) -> UUID:
    again = scene.action(**more)
    scene.verdict(again, approval=name)
    scene.outcome(again)
    return again.id


def test_an_approval_by_somebody_else_is_no_exception_and_a_missing_one_is(
    sluicegate: Sluicegate,
) -> None:
    scene = Scene()
    name = approved(scene)
    scene.vote(name)
    passes(scene, name)
    bare = passes(scene, approved(scene))
    late = approved(scene)
    later = passes(scene, late)
    scene.vote(late)
    forged = approved(scene)
    scene.vote(forged, signer="executor-1")
    by_forgery = passes(scene, forged)
    scene.store()
    found = asked(sluicegate, "exceptions")["cases"]
    unapproved = [one["actions"][0] for one in found if one["code"] == "unapproved"]
    assert unapproved == [str(bare), str(later), str(by_forgery)]
    assert {one["code"] for one in found} == {"unapproved", "forged_word"}


def test_who_votes_for_himself_is_named(sluicegate: Sluicegate) -> None:
    scene = Scene()
    asking = {"principal": {"on_behalf_of": ADMINISTRATOR}}
    name = approved(scene, **asking)
    scene.vote(name)
    used = passes(scene, name, **asking)
    scene.store()
    cases = cases_of(sluicegate)
    assert cases.keys() == {"self_approval", "unapproved"}
    assert cases["self_approval"]["actions"] == [str(used)]
    assert cases["self_approval"]["who"] == ADMINISTRATOR
    told = sluicegate("audit", "action", str(used)).stdout
    assert "OWN REQUEST" in told
    assert told.startswith("ALARM     unapproved: ")


def test_broken_glass_is_reviewed_by_somebody_else_afterwards_only(sluicegate: Sluicegate) -> None:
    scene = Scene()
    name = approved(scene)
    scene.vote(name, break_glass=True, reason="the shop is down")
    used = passes(scene, name)
    scene.vote(name, version=2, choice=Choice.REVIEW, reason="it was right")
    scene.store()
    case = cases_of(sluicegate)["break_glass_unreviewed"]
    assert case["actions"] == [str(used)]
    assert case["what"].endswith("agent:local: the shop is down")


def test_what_administrators_lay_down_is_told(sluicegate: Sluicegate) -> None:
    scene = Scene()
    scene.publish(reason="stricter")
    agent = EnrolledPrincipal(id="agent:etl", kind=PrincipalKind.AGENT)
    for version, disabled in ((1, False), (2, True)):
        principal = agent.model_copy(update={"disabled": disabled})
        said = Enrolment(id=uuid7(), issue=issue(version, "left"), principal=principal)
        scene.put("principals", said, ADMINISTRATOR, "agent:etl")
    stop = Control(
        id=uuid7(), issue=issue(1, "attack"), control=uuid7(), stops=Quarantined(everything=True)
    )
    lifted = stop.model_copy(update={"issue": issue(2, "over"), "lifted": True, "id": uuid7()})
    for one in (stop, lifted):
        scene.put("controls", one, ADMINISTRATOR, str(stop.control))
    scene.store()
    cases = cases_of(sluicegate)
    wanted = (
        "policy_published",
        "principal_changed",
        "principal_disabled",
        "kill_switch",
        "quarantine_lifted",
    )
    assert cases.keys() == set(wanted)
    assert cases["kill_switch"]["what"] == "stopped: everything: attack"
    assert cases["policy_published"]["who"] == ADMINISTRATOR
    text = sluicegate("audit", "exceptions").stdout
    assert all(f"case      {code}: 1, " in text for code in wanted)


def test_without_a_trust_file_the_figures_say_that_nothing_was_checked(
    sluicegate: Sluicegate,
) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    scene.settings.trust.unlink()
    for command in ("population", "exceptions"):
        assert "NOT checked" in sluicegate("audit", command).stdout
    assert asked(sluicegate, "population")["checked"] is False


def test_of_many_cases_the_first_are_told_and_all_are_counted(
    sluicegate: Sluicegate, tmp_path: Path
) -> None:
    scene = Scene()
    for _ in range(3):
        scene.action()
    scene.store(utc_now() - LATER)
    file = tmp_path / "exceptions.csv"
    found = asked(sluicegate, "exceptions", "--limit", "2", "--csv", str(file))
    assert (len(found["cases"]), found["counts"]) == (2, {"no_verdict": 3})
    assert len(file.read_text().splitlines()) == 3
    for command in ("exceptions", "population"):
        again = sluicegate("audit", command, "--csv", str(file))
        assert (again.exit_code, "give --force" in again.stderr) == (2, True)
        assert sluicegate("audit", command, "--csv", str(file), "--force").exit_code == 0
    assert "and 1 more" in sluicegate("audit", "exceptions", "--limit", "2").stdout


def test_the_page_on_audits_names_every_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")
    part = page.partition("\n## Exceptions\n")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", part, re.M))
    assert told == MEANINGS
