"""Witnesses as the settings, `doctor` and `audit verify` have them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from typer.testing import Result

from analytics.archive.witnessed import keep
from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.cosignature import Cosigner
from analytics.log.note import Note, NoteSigner, parse_note
from console.identity import init_home, key_path, load_archiver
from console.settings import Settings
from console.witnesses import (
    LATE_AFTER_S,
    cosigning,
    submitters_of,
    witnessed_checkpoints,
    witnesses_of,
)
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.keys import load_key
from enforcers.contract.record import check_headers
from enforcers.contract.trust import Role
from enforcers.contract.wire import decode
from enforcers.errors import ArchiveError, SettingsError
from streams.announcing import Announcement, Announcer
from streams.witnessing import stamping
from streams.witnessing.reporting import reporting
from tests.console.cli.archived import Scene

Sluicegate = Callable[..., Result]
WITNESS = Cosigner("witness.example/w1", SigningKey(bytes([4]) * 32))
STRANGER = Cosigner("witness.example/w1", SigningKey(bytes([5]) * 32))
KEY = str(WITNESS.public)
URL = "https://witness.example.com/x"


def declared(**more: Any) -> Settings:
    """Settings with one witness."""
    return Settings.load({"witnesses": {"w1": {"url": URL, "key": KEY, **more}}})


# ---- settings --------------------------------------------------------------------------------------------------

REFUSED = {
    "a file": ({"url": "file:///etc/passwd"}, "begins with https"),
    "another scheme": ({"url": "gopher://w"}, "begins with https"),
    "no host": ({"url": "https://"}, "begins with https"),
    "a password": ({"url": "https://a:b@w.example"}, "no user, no password"),
    "a question": ({"url": "https://w.example/?a=b"}, "nothing after"),
    "a port that is none": ({"url": "https://w.example:99999"}, "ort out of range"),
    "a line break": ({"url": "https://w.example/\nx"}, "url"),
    "a letter that is none": ({"url": "https://w.example/\x1b"}, "url"),
    "no time": ({"interval_s": 0}, "interval_s"),
    "a key of two lines": ({"key": "a\nb"}, "key"),
}


@pytest.mark.parametrize(("more", "why"), REFUSED.values(), ids=REFUSED)
def test_a_witness_that_cannot_be_asked_is_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        declared(**more)


@pytest.mark.parametrize("name", ["../x", "a b", "", "x" * 41, "a/b"])
def test_a_name_that_cannot_be_part_of_a_files_is_refused(name: str) -> None:
    with pytest.raises(SettingsError):
        Settings.load({"witnesses": {name: {"url": URL, "key": KEY}}})


def test_a_witness_is_what_the_settings_say(tmp_path: Path) -> None:
    (one,) = witnesses_of(declared(interval_s=7))
    assert (one.name, one.url, one.key, one.interval_s) == ("w1", URL, WITNESS.public, 7)
    assert len(submitters_of(declared(), lambda name, message: None)) == 1
    assert witnesses_of(Settings.load()) == ()
    for more, why in (
        ({"key": str(NoteSigner("a", WITNESS.key).public)}, "no Ed25519 key of a witness"),
        ({"ca_file": tmp_path / "none.pem"}, "holds no certificates"),
    ):
        with pytest.raises(SettingsError, match=why) as refused:
            witnesses_of(declared(**more))
        assert "[witnesses.w1]" in str(refused.value)


# ---- what was cosigned -----------------------------------------------------------------------------------------


@pytest.fixture
def scene() -> Scene:
    """An archive with some signed heads."""
    scene = Scene()
    scene.done()
    scene.store(signed=True)
    return scene


def own(scene: Scene) -> str:
    return (scene.settings.archive / "log" / "checkpoint").read_text()


def cosign(scene: Scene, text: str, at: float, by: Cosigner = WITNESS) -> None:
    note = parse_note(text)
    cosigned = Note(note.text, (*note.signatures, by.cosign(note.text, int(at))))
    keep(scene.settings.archive, "w1", str(cosigned), int(at))


def older(scene: Scene, root: bytes = bytes(32)) -> str:
    """A head of one less, of some root."""
    head = parse_checkpoint(parse_note(own(scene)).text)
    key = load_key(key_path(scene.settings, Role.ARCHIVER)).key
    return str(NoteSigner(head.origin, key).sign(str(Checkpoint(head.origin, head.size - 1, root))))


def said(scene: Scene, **more: Any) -> str:
    settings = declared(**more)
    try:
        return cosigning(settings)
    except ArchiveError as error:
        return f"problem: {error}"


def test_doctor_says_how_far_a_witness_has_come(scene: Scene) -> None:
    now = time.time()
    assert cosigning(Settings.load()) == "none declared; see docs/witnesses.md"
    assert "`w1` has cosigned nothing" in said(scene)
    cosign(scene, own(scene), now, STRANGER)
    assert "`w1` has cosigned nothing" in said(scene)
    # A file of another day could be the newer one.
    shutil.rmtree(scene.settings.archive / "log" / "witnessed")
    cosign(scene, older(scene), now - LATE_AFTER_S - 400)
    assert "problem: 1 of 1 are behind: `w1` cosigned 2 of 3 heads" in said(scene, interval_s=1)
    assert said(scene, interval_s=86_400) == "1 cosign what is archived"
    cosign(scene, own(scene), now - 40)
    assert said(scene) == "1 cosign what is archived"


def test_what_a_witness_cosigned_of_another_log_does_not_content_doctor(scene: Scene) -> None:
    head = parse_checkpoint(parse_note(own(scene)).text)
    key = load_key(key_path(scene.settings, Role.ARCHIVER)).key
    for name, root in (("sluicegate/other/archive", head.root), (head.origin, bytes(32))):
        text = NoteSigner(name, key).sign(str(Checkpoint(name, head.size, root)))
        cosign(scene, str(text), time.time() - LATE_AFTER_S - 40)
        assert said(scene, interval_s=1).startswith("problem: 1 of 1 are behind: `w1`")


def test_the_largest_head_of_each_log_that_a_witness_cosigned_is_held(scene: Scene) -> None:
    now = time.time()
    key = load_key(key_path(scene.settings, Role.ARCHIVER)).key
    other = "sluicegate/other/archive"
    foreign = NoteSigner(other, key).sign(str(Checkpoint(other, 9_999, bytes(32))))
    cosign(scene, str(foreign), now - 3 * 86_400)
    cosign(scene, own(scene), now - 2 * 86_400)
    cosign(scene, older(scene), now)
    found = witnessed_checkpoints(scene.settings.archive, [WITNESS.public])
    ((name, text),) = [one for one in found if other not in one[1]]
    assert len(found) == 2
    assert parse_checkpoint(parse_note(text).text) == parse_checkpoint(parse_note(own(scene)).text)
    assert f"(cosigned by {WITNESS.name} at 2" in name


def test_doctor_waits_for_what_was_never_signed() -> None:
    assert said(Scene()) == "1 cosign what is archived"


def test_what_a_witness_saw_is_held_elsewhere(scene: Scene, sluicegate: Sluicegate) -> None:
    cosign(scene, own(scene), time.time())
    alone = sluicegate("audit", "verify")
    assert "could have written all of it anew" in alone.stdout
    bound = sluicegate("audit", "verify", "--witness", KEY)
    assert bound.exit_code == 0
    assert "relative to the checkpoint held at log/witnessed/w1-2" in bound.stdout
    assert f"(cosigned by {WITNESS.name} at 2" in bound.stdout
    assert "could have written all of it anew" not in bound.stdout
    for other in (str(STRANGER.public), str(Cosigner("other", WITNESS.key).public)):
        unbound = sluicegate("audit", "verify", "--witness", other)
        assert "could have written all of it anew" in unbound.stdout


def test_a_witness_of_the_settings_counts_by_itself(
    scene: Scene, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    cosign(scene, own(scene), time.time())
    monkeypatch.setenv("SLUICEGATE_WITNESSES", json.dumps({"w1": {"url": URL, "key": KEY}}))
    assert "relative to the checkpoint held at" in sluicegate("audit", "verify").stdout
    # Going on does not begin anew because of it.
    again = json.loads(sluicegate("audit", "verify", "--resume", "--json").stdout)
    assert again["resumed"] == again["last_seq"]


def test_another_history_than_the_witness_saw_is_found(
    scene: Scene, sluicegate: Sluicegate
) -> None:
    cosign(scene, older(scene), time.time())
    forked = sluicegate("audit", "verify", "--witness", KEY)
    assert (forked.exit_code, "forked: " in forked.stdout) == (1, True)


def test_what_only_looks_witnessed_binds_nobody(scene: Scene, sluicegate: Sluicegate) -> None:
    keep(scene.settings.archive, "w1", "nothing", int(time.time()))
    cosign(scene, own(scene), time.time() + 86_400)
    found = sluicegate("audit", "verify", "--witness", KEY)
    assert (found.exit_code, "could have written all of it anew" in found.stdout) == (0, True)
    wrong = sluicegate("audit", "verify", "--witness", "x")
    assert (wrong.exit_code, "no Ed25519 key of a witness" in wrong.stderr) == (2, True)


# ---- telling people --------------------------------------------------------------------------------------------


class Noted(Announcer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("nowhere:1")
        self.told: list[Announcement] = []

    def tell(self, announcement: Announcement) -> bool:
        self.told.append(announcement)
        return True


def test_a_refusal_becomes_a_signed_finding() -> None:
    settings = Settings.load()
    init_home(settings)
    noted = Noted()
    report = reporting(load_archiver(settings), "archiver-1", noted)
    report("w1", "it is another one\x1b[2J\n" + "x" * 9_999)
    (one,) = noted.told
    found = decode(Finding, one.value)
    check_headers(found, dict(one.headers), "archiver-1")
    assert (one.topic, found.code, found.about) == ("findings", "witness_refused", "witness:w1")
    assert found.severity is Severity.ALERT
    assert found.message.isprintable()
    assert len(found.message) <= 400


# ---- time stamps -----------------------------------------------------------------------------------------------


def test_a_head_is_kept_with_its_time_stamp(
    scene: Scene, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[str, bytes]] = []

    async def stamped(url: str, content: bytes) -> stamping.Stamp:
        asked.append((url, content))
        return stamping.Stamp(datetime(2026, 11, 22, tzinfo=UTC), b"token")

    monkeypatch.setattr(stamping, "stamp", stamped)
    out = tmp_path / "kept"
    words = ("audit", "checkpoint", "--timestamp", "http://tsa.example/x?y", "--out", str(out))
    made = sluicegate(*words)
    assert (made.exit_code, made.stdout) == (0, own(scene))
    assert asked == [("http://tsa.example/x?y", own(scene).encode())]
    assert {one.name for one in out.iterdir()} == {"checkpoint-3.txt", "checkpoint-3.tsr"}
    assert (out / "checkpoint-3.txt").read_text() == own(scene)
    assert "nobody has checked the authority's signature yet: openssl ts -verify" in made.stderr
    body = json.loads(sluicegate(*words, "--json").stdout)
    assert (body["size"], body["timestamp"]) == (3, str(out / "checkpoint-3.tsr"))
    verified = sluicegate("audit", "verify", "--checkpoint", str(out / "checkpoint-3.txt"))
    assert "relative to the checkpoint held at" in verified.stdout


def test_a_head_is_kept_without_one(scene: Scene, sluicegate: Sluicegate, tmp_path: Path) -> None:
    made = sluicegate("audit", "checkpoint", "--out", str(tmp_path))
    assert (made.exit_code, made.stdout) == (0, own(scene))
    assert (tmp_path / "checkpoint-3.txt").read_text() == own(scene)
    assert not (tmp_path / "checkpoint-3.tsr").exists()


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://", "tsa.example", "http://a@b", "http://a:0", "http://ä/"]
)
def test_what_is_no_address_of_an_authority_is_refused(
    scene: Scene, sluicegate: Sluicegate, tmp_path: Path, url: str
) -> None:
    words = ("audit", "checkpoint", "--timestamp", url)
    refused = sluicegate(*words, "--out", str(tmp_path / "kept"))
    assert (refused.exit_code, "is no address" in refused.stderr) == (2, True)
    assert not (tmp_path / "kept").exists()
    alone = sluicegate(*words)
    assert (alone.exit_code, "--out" in alone.stderr) == (2, True)
