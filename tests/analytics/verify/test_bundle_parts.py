"""Every file of a proof bundle is accounted for: the signed hole, what witnesses cosigned, and what is too much."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from analytics.archive.holes import hole_files
from analytics.archive.witnessed import keep
from analytics.log.cosignature import Cosigner
from analytics.log.note import Note, NoteSigner, parse_note
from analytics.reader import connect, refresh
from analytics.standalone.verify_archive import Bundle, told
from analytics.verify import bundle
from analytics.verify.bundle import Wanted, export
from analytics.verify.rows import LogRow
from tests.analytics.lived import SIGNING, live, opened, settle
from tests.analytics.records import append, raw
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import ORIGIN, SECRET, copied
from tests.analytics.verify.test_standalone import KEY, bundled, run

LIVED = str(SIGNING.public)
WITNESS = Cosigner("witness.example/w1", SigningKey(bytes([8]) * 32))
OTHER = Cosigner("witness.example/w2", SigningKey(bytes([9]) * 32))
SIGNER = NoteSigner(ORIGIN, SECRET)
YESTERDAY = int(time.time()) - 86_400


def alone(out: Path, *, key: str = str(KEY), held: list[Path] | None = None, **more: Any) -> Bundle:
    found = Bundle(out, [key], held or [], [str(one.public) for one in more.get("by", ())])
    found.verify()
    return found


def lines(found: Bundle) -> str:
    return "\n".join([*map(told, found.found), *found.relative()])


# ---- where the logs begin ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of an archive of which the first days were dropped."""
    directory = tmp_path_factory.mktemp("cut") / "archive"
    live(directory, 0, 4)
    settle(directory, 4, keep=2)
    assert hole_files(directory)
    return bundled(directory, directory.with_name("out"))


def test_the_logs_begin_where_the_archiver_signed_that_they_do(cut: Path) -> None:
    found = alone(cut, key=LIVED)
    assert found.found == []
    assert "records up to 60 were dropped: retention" in lines(found)
    assert (cut / "hole.json").exists()
    assert not (cut / "start.json").exists()


def _changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def edit(out: Path) -> None:
        body = json.loads((out / "hole.json").read_text())
        change(body)
        (out / "hole.json").write_text(json.dumps(body))

    return edit


def _resigned(out: Path) -> None:
    """A hole that says what suits, signed by somebody else."""
    text = (out / "hole.json").read_text().replace("retention", "nothing to see")
    (out / "hole.json").write_text(text)
    said = f"sluicegate hole v1\n{SIGNING.name}\n1-60\n{sha256(text.encode()).hexdigest()}\n"
    (out / "hole.note").write_text(str(NoteSigner(SIGNING.name, WITNESS.key).sign(said)))


def _as_before(out: Path) -> None:
    standing = json.loads((out / "hole.json").read_text())["standing"]
    (out / "start.json").write_text(json.dumps({"archive": standing["archive"]}))
    (out / "hole.json").unlink()
    (out / "hole.note").unlink()


HOLES: dict[str, Callable[[Path], None]] = {
    "no note": lambda out: (out / "hole.note").unlink(),
    "no hole": lambda out: (out / "hole.json").unlink(),
    "another reason": _changed(lambda body: body.update(reason="nobody asked")),
    "another end": _changed(lambda body: body.update(last=61)),
    "another tree": _changed(lambda body: body["standing"]["archive"].update(peaks="00" * 32)),
    "a tree of another size": _changed(lambda body: body["standing"]["archive"].update(leaves=1)),
    "a tree of less than nothing": _changed(
        lambda body: body["standing"]["archive"].update(leaves=-1)
    ),
    "half a subtree": _changed(
        lambda body: body["standing"]["archive"].update(
            peaks=body["standing"]["archive"]["peaks"][:-2]
        )
    ),
    "a partition less": _changed(lambda body: body["standing"]["partitions"].pop()),
    "signed by somebody else": _resigned,
    "a start that nobody signed": _as_before,
    "the checkpoint for a note": lambda out: shutil.copy(out / "checkpoint", out / "hole.note"),
}


@pytest.mark.parametrize("edit", HOLES.values(), ids=HOLES)
def test_a_beginning_that_the_archiver_did_not_sign_is_found(
    cut: Path, tmp_path: Path, edit: Callable[[Path], None]
) -> None:
    out = Path(shutil.copytree(cut, tmp_path / "out"))
    edit(out)
    try:
        found = alone(out, key=LIVED)
    except (ValueError, LookupError, TypeError):
        return
    assert {one.kind for one in found.found} & {"signature", "unknown"}


def test_a_checkpoint_from_before_the_cut_binds_nothing_and_is_said(cut: Path) -> None:
    text = str(SIGNING.sign(f"{SIGNING.name}\n1\n{'A' * 43}=\n"))
    old = cut.with_name("old.txt")
    old.write_text(text)
    found = alone(cut, key=LIVED, held=[old])
    assert found.found == []
    assert f"not relative to {old}" in lines(found)
    assert "could have written it anew" in lines(found)


# ---- what is too much --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(small: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    row = small.rows[25]
    wanted = Wanted([(row["topic"], row["partition"], row["offset"])], all_entries=True)
    return bundled(small.directory, tmp_path_factory.mktemp("whole") / "out", wanted)


STRANGERS = (
    "entries/actions/00.txt",
    "entries/actions/0.text",
    "entries/actions/x/0.txt",
    "entries/0.txt",
    "held/more/0",
    "start.json",
    "notes.py",
    ".hidden",
    "more/README.txt",
    "heads.txt.old",
)


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_that_is_no_part_of_a_bundle_is_named(
    whole: Path, tmp_path: Path, name: str
) -> None:
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("0 sluicegate/v1 actions 0 0 " + "0" * 64 + "\n")
    assert f"unknown: {name}: " in lines(alone(out))
    assert run(out, tmp_path / "empty", "--key", str(KEY)).returncode == 1


def test_a_link_out_of_a_bundle_is_named(whole: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    (out / "entries" / "more").symlink_to(tmp_path, target_is_directory=True)
    (out / "README.txt").unlink()
    (out / "README.txt").symlink_to(tmp_path / "elsewhere")
    assert {one.detail for one in alone(out).found} == {"entries/more", "README.txt"}


ODD_LINES = {
    "a head of two lines": ("heads.txt", "sluicegate/c-1/actions/0\n7\n"),
    "a record with more to it": ("records.jsonl", '{"topic": "a", "partition": 0, "offset": 0}\n'),
    "a proof with more to it": ("proofs.jsonl", '{"topic": "a"}\n'),
    "an empty line": ("records.jsonl", "\n"),
}


@pytest.mark.parametrize(("name", "text"), ODD_LINES.values(), ids=ODD_LINES)
def test_a_line_that_is_not_understood_proves_nothing(
    whole: Path, tmp_path: Path, name: str, text: str
) -> None:
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    with (out / name).open("a") as file:
        file.write(text)
    assert run(out, tmp_path / "empty", "--key", str(KEY)).returncode == 2


# ---- witnesses -------------------------------------------------------------------------------------------------


def cosigned(text: str, *by: tuple[Cosigner, int]) -> str:
    note = parse_note(text)
    return str(Note(note.text, (*note.signatures, *(one.cosign(note.text, at) for one, at in by))))


@pytest.fixture(scope="module")
def seen(small: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive, three checkpoints of which a witness saw, one a day."""
    directory = copied(small.directory, tmp_path_factory.mktemp("seen") / "archive")
    for at, number in enumerate((2, 4, 6)):
        moment = YESTERDAY - 86_400 * (6 - at)
        keep(directory, "w1", cosigned(small.notes[number], (WITNESS, moment)), moment)
    return directory


def test_what_a_witness_saw_binds_the_owner_of_the_key(seen: Path, tmp_path: Path) -> None:
    out = bundled(seen, tmp_path / "out")
    said = lines(alone(out, by=[WITNESS]))
    assert said.count(f"signed by {ORIGIN}, {WITNESS.name} on 2") == 3
    assert "could have written it anew" not in said
    assert "heads are newer than what binds the key's owner" in said
    assert "could have written it anew" in lines(alone(out))
    assert "could have written it anew" in lines(alone(out, by=[OTHER]))


def test_a_record_is_proved_against_the_first_that_a_witness_saw_of_it(
    seen: Path, small: Made, tmp_path: Path
) -> None:
    row = next(one for one in small.rows[::-1] if (one["head_index"] or 0) and one["seq"] < 340)
    place = (row["topic"], row["partition"], row["offset"])
    out = bundled(seen, tmp_path / "out", Wanted([place]))
    found = alone(out, by=[WITNESS])
    assert (found.found, found.proofs, len(list((out / "held").iterdir()))) == ([], 2, 1)
    assert "1 of 2 proofs lead there" in lines(found)
    assert "could have written it anew" not in lines(found)


def test_a_record_that_no_witness_saw_yet_is_not_bound(
    seen: Path, small: Made, tmp_path: Path
) -> None:
    row = small.rows[-1]
    out = bundled(seen, tmp_path / "out", Wanted([(row["topic"], row["partition"], row["offset"])]))
    found = alone(out, by=[WITNESS])
    assert (found.found, found.proofs) == ([], 1)
    assert "could have written it anew" in lines(found)


def test_a_history_that_a_witness_did_not_see_is_forked(
    seen: Path, small: Made, tmp_path: Path
) -> None:
    other = SIGNER.sign(f"{ORIGIN}\n5\n{'A' * 43}=\n")
    out = bundled(seen, tmp_path / "out")
    (out / "held" / "w1").write_text(cosigned(str(other), (WITNESS, YESTERDAY)))
    assert "forked: head" in lines(alone(out, by=[WITNESS]))
    row = small.rows[0]
    wanted = Wanted([(row["topic"], row["partition"], row["offset"])])
    out = bundled(small.directory, tmp_path / "out", wanted)
    size = len([one for one in small.rows if one["head_index"] is not None])
    fork = SIGNER.sign(f"{ORIGIN}\n{size}\n{'A' * 43}=\n")
    (out / "held").mkdir()
    (out / "held" / "0").write_text(str(fork))
    assert "forked: two checkpoints of one size" in lines(alone(out))


FALSE: dict[str, Callable[[str], str]] = {
    "cosigned, but not signed": lambda text: str(
        Note(parse_note(text).text, (WITNESS.cosign(parse_note(text).text, YESTERDAY),))
    ),
    "of another log": lambda _: cosigned(
        str(SIGNING.sign(f"{SIGNING.name}\n5\n{'A' * 43}=\n")), (WITNESS, YESTERDAY)
    ),
    "no note": lambda _: "nothing",
    "a note of something else": lambda _: str(SIGNER.sign("hello\n")),
}


@pytest.mark.parametrize("make", FALSE.values(), ids=FALSE)
def test_what_only_looks_like_a_witnessed_checkpoint_is_found(
    seen: Path, small: Made, tmp_path: Path, make: Callable[[str], str]
) -> None:
    out = bundled(seen, tmp_path / "out")
    (out / "held" / "w1-2026-01-01").write_text(make(small.notes[4]))
    found = alone(out, by=[WITNESS])
    assert [(one.kind, one.detail[:18]) for one in found.found] == [
        ("signature", "held/w1-2026-01-01")
    ]


def test_the_one_file_takes_a_witness(seen: Path, tmp_path: Path) -> None:
    out = bundled(seen, tmp_path / "out")
    words = ("--key", str(KEY), "--witness", str(WITNESS.public))
    proved = run(out, tmp_path / "empty", *words)
    assert (proved.returncode, f", {WITNESS.name} on 2" in proved.stdout) == (0, True)
    refused = run(out, tmp_path / "empty", "--key", str(KEY), "--witness", str(KEY))
    assert (refused.returncode, "no Ed25519 key of a witness" in refused.stdout) == (2, True)


# ---- a live archive --------------------------------------------------------------------------------------------


def _begun(directory: Path) -> Path:
    """A small archive whose writer comes back."""
    with opened(directory, 0) as archive:
        append(archive, [raw("findings", 0, b"1", part) for part in range(3)])
    return directory


def _going_on(directory: Path) -> None:
    with opened(directory, 0) as archive:
        append(archive, [raw("findings", 1, b"2", part) for part in (0, 2)])
        append(archive, [raw("actions", 0, b"3")])


def exported(directory: Path, out: Path, meanwhile: bool = False) -> Bundle:
    own = bundle._rows
    with connect(directory) as connection, pytest.MonkeyPatch.context() as patch:

        def late(read: Path) -> Iterator[list[LogRow]]:
            _going_on(read)
            # This writer leaves replaced files no time.
            refresh(connection, read)
            return own(read)

        patch.setattr(bundle, "_rows", late if meanwhile else own)
        export(connection, directory, out, Wanted(all_entries=True, all_records=True))
    return alone(out, key=LIVED)


def test_what_is_archived_meanwhile_is_left_to_the_next_bundle(tmp_path: Path) -> None:
    directory = _begun(tmp_path / "archive")
    found = exported(directory, tmp_path / "out", meanwhile=True)
    assert (found.found, found.heads, found.records) == ([], 3, 3)
    assert not (tmp_path / "out" / "entries" / "actions" / "0.txt").exists()
    assert (exported(directory, tmp_path / "next").heads, found.found) == (6, [])


def test_what_nobody_signed_is_not_left_away(tmp_path: Path) -> None:
    directory = _begun(tmp_path / "archive")
    before = (directory / "log" / "checkpoint").read_text()
    _going_on(directory)
    (directory / "log" / "checkpoint").write_text(before)
    found = exported(directory, tmp_path / "out")
    assert [one.kind for one in found.found] == ["unsigned"]
