"""`audit verify`, `audit checkpoint` and `audit bundle` as people and programs call them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from analytics.archive import Archive, RawRecord
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteKey, NoteSigner
from analytics.verify import walking
from console.identity import init_home, key_path
from console.settings import Settings
from enforcers.contract.keys import load_key
from enforcers.contract.trust import Role
from enforcers.contract.wire import encode
from tests.analytics.records import action

Sluicegate = Callable[..., Result]
ORIGIN = origin_of_archive("c")


@pytest.fixture
def archived(monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """An archive that this machine's archiver signed, and the id of its action."""
    monkeypatch.setattr(walking, "CATCH_UP_S", 0.0)
    settings = Settings.load()
    init_home(settings)
    one = action()
    batch = [
        RawRecord("actions", 0, 0, 1_795_272_897_589, 1, b"k", (("\x1b[2J", b""),), encode(one)),
        RawRecord("findings", 0, 0, 1_795_272_897_589, 1, None, (), b"\xff"),
    ]
    signing = NoteSigner(ORIGIN, load_key(key_path(settings, Role.ARCHIVER)).key)
    with Archive.open(settings.archive, cluster_id="c", signing=signing) as archive:
        archive.append(batch, {("actions", 0): 0, ("findings", 0): 0})
    return settings.archive, str(one.id)


def test_an_archive_is_proved_and_says_relative_to_what(
    sluicegate: Sluicegate, archived: tuple[Path, str], tmp_path: Path
) -> None:
    alone = sluicegate("audit", "verify")
    assert (alone.exit_code, alone.stdout[:18]) == (0, "proved: 2 records ")
    assert "whoever has the archiver's key could have written all of it anew" in alone.stdout
    kept = tmp_path / "kept.txt"
    kept.write_text(sluicegate("audit", "checkpoint").stdout)
    assert kept.read_bytes() == (archived[0] / "log" / "checkpoint").read_bytes()
    held = sluicegate("audit", "verify", "--checkpoint", str(kept))
    assert f"relative to the checkpoint held at {kept} of size 2" in held.stdout
    again = sluicegate("audit", "verify", "--resume", "--json")
    body = json.loads(again.stdout)
    assert (body["proved"], body["resumed"], body["records"], body["heads"]) == (True, 2, 0, 2)
    told = json.loads(sluicegate("audit", "checkpoint", "--json").stdout)
    assert (told["origin"], told["size"], told["note"]) == (ORIGIN, 2, kept.read_text())


def test_a_change_is_named_and_fails(sluicegate: Sluicegate, archived: tuple[Path, str]) -> None:
    (archived[0] / "log" / "checkpoint").write_text("nothing")
    found = sluicegate("audit", "verify", "--json")
    kinds = {one["kind"] for one in json.loads(found.stdout)["findings"]}
    assert (found.exit_code, kinds) == (1, {"signature", "unsigned"})
    assert "signature: log/checkpoint" in sluicegate("audit", "verify").stdout


COULD_NOT = {
    "no archive": (["--archive", "nowhere"], "holds no archive"),
    "a key that is none": (["--key", "archiver"], "is no Ed25519 key"),
    "no checkpoint": (["--checkpoint", "nowhere"], "cannot be read"),
}


@pytest.mark.parametrize(("words", "why"), COULD_NOT.values(), ids=COULD_NOT)
def test_what_cannot_be_verified_is_not_called_wrong(
    sluicegate: Sluicegate, archived: tuple[Path, str], words: list[str], why: str
) -> None:
    found = sluicegate("audit", "verify", *words)
    assert (found.exit_code, why in found.stderr) == (2, True)


def test_without_any_key_nothing_is_verified(
    sluicegate: Sluicegate, archived: tuple[Path, str]
) -> None:
    Settings.load().trust.unlink()
    found = sluicegate("audit", "verify")
    assert (found.exit_code, "give one with --key" in found.stderr) == (2, True)
    key = (archived[0] / "log" / "keys").read_text().strip()
    assert sluicegate("audit", "verify", "--key", key).exit_code == 0


def test_only_archivers_keys_of_the_trust_file_count(
    sluicegate: Sluicegate, archived: tuple[Path, str]
) -> None:
    judge = load_key(key_path(Settings.load(), Role.JUDGE)).key
    note = NoteSigner(ORIGIN, judge).sign(
        (archived[0] / "log" / "checkpoint").read_text().split("\n\n")[0] + "\n"
    )
    (archived[0] / "log" / "checkpoint").write_text(str(note))
    found = sluicegate("audit", "verify", "--json")
    assert "signature" in {one["kind"] for one in json.loads(found.stdout)["findings"]}


def test_a_checkpoint_that_could_steer_a_terminal_is_not_shown(
    sluicegate: Sluicegate, archived: tuple[Path, str]
) -> None:
    path = archived[0] / "log" / "checkpoint"
    path.write_text(path.read_text().replace("\n\n", "\n\x1b[2J\n\n", 1))
    found = sluicegate("audit", "checkpoint")
    assert (found.exit_code, found.stdout) == (1, "")


def test_a_bundle_proves_an_action_without_us(
    sluicegate: Sluicegate, archived: tuple[Path, str], tmp_path: Path
) -> None:
    from analytics.standalone.verify_archive import Bundle

    out = tmp_path / "bundle"
    made = sluicegate("audit", "bundle", "--out", str(out), "--action", archived[1])
    assert (made.exit_code, "1 records, 1 proofs" in made.stdout) == (0, True)
    assert out.stat().st_mode & 0o777 == 0o700
    key = (archived[0] / "log" / "keys").read_text().strip()
    assert NoteKey.parse((out / "keys.txt").read_text()) == NoteKey.parse(key)
    found = Bundle(out, [key], [])
    found.verify()
    assert (found.found, found.proofs, found.records) == ([], 1, 1)
    again = sluicegate("audit", "bundle", "--out", str(out), "--all-entries")
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)


NO_BUNDLE = {
    "nothing": ([], 2, "--all-entries"),
    "an unknown action": (
        ["--action", "01234567-89ab-7def-8123-456789abcdef"],
        1,
        "not in the archive",
    ),
    "no id": (["--action", "x' OR 1=1 --"], 1, "not in the archive"),
}


@pytest.mark.parametrize(("words", "code", "why"), NO_BUNDLE.values(), ids=NO_BUNDLE)
def test_a_bundle_of_nothing_is_not_made(
    sluicegate: Sluicegate,
    archived: tuple[Path, str],
    tmp_path: Path,
    words: list[str],
    code: int,
    why: str,
) -> None:
    found = sluicegate("audit", "bundle", "--out", str(tmp_path / "b"), *words)
    assert (found.exit_code, why in found.stderr) == (code, True)
    assert not (tmp_path / "b").exists()
