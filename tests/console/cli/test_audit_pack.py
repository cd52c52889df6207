"""`audit pack`: whole, the same again, checkable by the stand-alone verifier, and no name of it is a stranger's."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from analytics.archive import Archive
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from console.identity import key_path
from console.pack.access import BEFORE, WITHIN
from enforcers.contract.action import PrincipalKind
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment
from enforcers.contract.grant import Grant, GrantScope
from enforcers.contract.keys import load_key
from enforcers.contract.trust import Role
from enforcers.contract.verdict import Decision
from tests.analytics.records import raw
from tests.console.cli.archived import ADMINISTRATOR, Scene, issue
from tests.console.conftest import at_home
from tests.console.pages.test_pages import EVERYTHING, NAMES, assert_harmless

Sluicegate = Callable[..., Result]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a signed archive: a policy, two changes, and a denial between them."""
    home = tmp_path_factory.mktemp("signed") / "home"
    with pytest.MonkeyPatch.context() as patch:
        at_home(home, patch)
        scene = Scene()
        scene.publish()
        scene.done(EVERYTHING, principal={"id": NAMES, "session": "../../etc/passwd"})
        scene.verdict(scene.action("DROP TABLE a"), Decision.DENY)
        scene.done("DELETE FROM b")
        scene.store(signed=True)
    return home


@pytest.fixture
def stored(signed: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """It is the home of this test, which changes nothing of the archive."""
    return at_home(signed, monkeypatch)


def made(sluicegate: Sluicegate, out: Path, *more: str) -> dict[str, Any]:
    result = sluicegate("audit", "pack", "--out", str(out), "--to", "2999-01-01", "--json", *more)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def files(out: Path) -> set[str]:
    return {str(one.relative_to(out)) for one in out.rglob("*") if one.is_file()}


def test_a_pack_is_whole_and_harmless(stored: Path, sluicegate: Sluicegate, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    said = made(sluicegate, out, "--from", "2026-01-01", "--sample", "2", "--zip")
    assert (said["changes"], said["sample"]) == (3, 2)
    tables = {f"{name}.csv" for name in ("population", "exceptions", "enrolments", "grants")}
    assert {"index.html", "everything.json", "README.txt", *tables} <= files(out)
    assert {"proof/verify_archive.py", "proof/proofs.jsonl", "proof/checkpoint"} <= files(out)
    page = assert_harmless((out / "index.html").read_text("utf-8"))
    for title in ("Population", "Integrity", "Exceptions", "Access", "Requirements", "Sample"):
        assert title in page.text
    body = json.loads((out / "everything.json").read_text())
    assert [one["role"] for one in body["keys"]] == [
        "administrator",
        "judge",
        "executor",
        "archiver",
    ]
    assert all(proof["state"] == "valid" for one in body["sample"] for proof in one["proofs"])
    assert len((out / "population.csv").read_text().splitlines()) == 4
    with zipfile.ZipFile(said["zip"]) as packed:
        names = packed.namelist()
        assert {one.removeprefix("pack/") for one in names} == files(out)
        assert all(".." not in one and not one.startswith("/") for one in names)
    assert out.stat().st_mode & 0o777 == 0o700


def test_rights_before_and_in_the_period_are_listed(sluicegate: Sluicegate, tmp_path: Path) -> None:
    scene, now = Scene(), utc_now()
    agent = EnrolledPrincipal(id="agent:=1+1", kind=PrincipalKind.AGENT, owner="ann@example.com")
    for version in (1, 2):
        said = Enrolment(id=uuid7(), issue=issue(version, "needed"), principal=agent)
        scene.put("principals", said, ADMINISTRATOR, agent.id)
    for number, ends in enumerate((2, -1, 2)):
        right = Grant(
            id=uuid7(),
            issue=issue(1, "release"),
            grant=uuid7(),
            name="bulk",
            principal=agent.id,
            scope=GrantScope(resources=("billing.*",)),
            not_before=now - timedelta(hours=3),
            expires_at=now + timedelta(hours=ends),
        )
        forger = "executor-1" if number == 2 else ""
        scene.put("grants", right, ADMINISTRATOR, str(right.grant), forger)
    scene.store(now)
    out = tmp_path / "pack"
    made(sluicegate, out, "--from", (now - timedelta(milliseconds=500)).isoformat())
    body = json.loads((out / "everything.json").read_text())
    (held,) = body["enrolments"]
    assert (held["said"], held["version"], held["owner"]) == (BEFORE, 2, "ann@example.com")
    assert [(one["said"], one["counts"]) for one in body["grants"]] == [
        (BEFORE, True),
        (WITHIN, False),
    ]
    assert len((out / "grants.csv").read_text().splitlines()) == 3
    assert "billing.*" in (out / "index.html").read_text()


def test_missing_offsets_are_told_as_missing(sluicegate: Sluicegate, tmp_path: Path) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    with Archive.open(scene.settings.archive, cluster_id="c") as archive:
        late = raw("actions", 8, b"{}", timestamp_ms=int(utc_now().timestamp() * 1_000))
        archive.append([late], {("actions", 0): 1})
    out = tmp_path / "pack"
    made(sluicegate, out, "--from", "2026-01-01")
    page = (out / "index.html").read_text()
    assert "7 records MISSING in 1 gaps. Possible reasons: " in page
    assert "normal" not in page
    (gap,) = json.loads((out / "everything.json").read_text())["population"]["offsets"]["longest"]
    assert (gap["topic"], gap["first"], gap["last"], gap["missing"]) == ("actions", 1, 7, 7)


@pytest.mark.parametrize("few", [0, 20])
def test_a_record_behind_the_sample_counts_once_in_every_file(
    few: int,
    stored: Path,
    sluicegate: Sluicegate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether what proofs need is copied first, or read from the archive's files."""
    monkeypatch.setattr("analytics.audit.proven.FEW", few)
    out = tmp_path / "pack"
    made(sluicegate, out, "--from", "2026-01-01", "--sample", "3")
    behind = json.loads((out / "everything.json").read_text())["records_behind_the_sample"]
    # Three actions, their verdicts, two outcomes, and the one policy that all of them rest on.
    assert behind == {"records": 9, "proved": 9}
    for name in ("records", "proofs"):
        assert len((out / "proof" / f"{name}.jsonl").read_text().splitlines()) == 9
    assert "9 of 9 records behind the sample are proved" in (out / "index.html").read_text()


def test_the_same_archive_and_seed_give_the_same_pack(
    stored: Path, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    packs = [tmp_path / "one" / "pack", tmp_path / "two" / "pack"]
    for out in packs:
        out.parent.mkdir()
        made(sluicegate, out, "--from", "2026-01-01", "--sample", "2", "--seed", "x")
    one, two = packs
    assert files(one) == files(two)
    differing = {
        name for name in files(one) if (one / name).read_bytes() != (two / name).read_bytes()
    }
    assert differing <= {"index.html", "everything.json"}
    bodies = [json.loads((out / "everything.json").read_text()) for out in packs]
    assert bodies[0] | {"made": ""} == bodies[1] | {"made": ""}


def verified(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    proof = out / "proof"
    command = [sys.executable, "-I", str(proof / "verify_archive.py"), str(proof), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("more", [(), ("--whole-log",)])
def test_the_stand_alone_verifier_agrees_and_sees_an_edited_record(
    more: tuple[str, ...], stored: Path, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    out = tmp_path / "pack"
    made(sluicegate, out, "--from", "2026-01-01", *more)
    fine = verified(out)
    assert fine.returncode == 0, fine.stdout + fine.stderr
    records = out / "proof" / "records.jsonl"
    first, *others = records.read_text().splitlines()
    edited = json.loads(first)
    edited["timestamp_ms"] += 1
    records.write_text("\n".join([json.dumps(edited), *others]) + "\n")
    wrong = verified(out)
    assert wrong.returncode == 1
    assert "a record was edited" in wrong.stdout


def test_the_heads_around_the_period_are_shown_and_of_one_history(
    sluicegate: Sluicegate, tmp_path: Path
) -> None:
    """Checkpoints as the archiver puts them on their topic, and one that a stranger signed."""
    scene = Scene()
    settings, now = scene.settings, utc_now()
    signer = load_key(key_path(settings, Role.ARCHIVER))
    signing = NoteSigner(origin_of_archive("c"), signer.key)
    stranger = NoteSigner(origin_of_archive("c"), scene.signers["judge-1"].key)
    for number in range(3):
        at = int((now - timedelta(hours=3 - number)).timestamp() * 1_000)
        with Archive.open(settings.archive, cluster_id="c", signing=signing) as archive:
            work = raw("findings", number, b"{}", timestamp_ms=at)
            archive.append([work], {("findings", 0): number})
        note = (settings.archive / "log" / "checkpoint").read_bytes()
        forged = str(stranger.sign("sluicegate/c/archive\n9\n" + "A" * 43 + "=\n")).encode()
        with Archive.open(settings.archive, cluster_id="c", signing=signing) as archive:
            told = [
                raw("checkpoints", 2 * number + n, one, timestamp_ms=at + 1)
                for n, one in enumerate((note, forged))
            ]
            archive.append(told, {("checkpoints", 0): 2 * number})
    out = tmp_path / "pack"
    made(sluicegate, out, "--from", "150m", "--to", "30m")
    found = json.loads((out / "everything.json").read_text())["integrity"]
    assert (found["start"]["size"], found["end"]["size"]) == (1, 5)
    assert found["agrees"] == {"1": True, "5": True}
    assert found["consistent"] is True
    assert files(out) >= {"proof/held/0", "proof/held/1"}


def test_without_a_signed_log_the_pack_says_what_is_not_proved(
    sluicegate: Sluicegate, tmp_path: Path
) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    out = tmp_path / "pack"
    made(sluicegate, out, "--from", "2026-01-01")
    assert "no proofs in this pack" in (out / "proof" / "README.txt").read_text()
    assert "0 of 3 records behind the sample are proved" in (out / "index.html").read_text()


def test_what_is_there_is_not_replaced(
    stored: Path, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    (tmp_path / "pack").mkdir()
    again = sluicegate("audit", "pack", "--out", str(tmp_path / "pack"))
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    nowhere = sluicegate("audit", "pack", "--out", str(tmp_path / "no" / "pack"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)
    assert list(tmp_path.glob(".pack-*")) == []


def test_a_pack_of_a_period_of_which_the_archive_has_nothing_says_so(
    sluicegate: Sluicegate, tmp_path: Path
) -> None:
    scene = Scene()
    scene.done()
    scene.store()
    period = ("--from", "2001-01-01", "--to", "2001-02-01")
    said = sluicegate("audit", "pack", "--out", str(tmp_path / "pack"), *period)
    assert "EMPTY: no record is of this period; those of the archive are of 20" in said.stdout
