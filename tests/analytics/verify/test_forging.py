"""Histories that are consistent in themselves, signed heads that do not fit, and files that are shown instead."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.note import parse_note, sign_note
from analytics.verify import archive_log
from analytics.verify.anchors import Keys
from analytics.verify.findings import MOST, Finding, Findings, told
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import (
    ORIGIN,
    SECRET,
    THIEF,
    build,
    change,
    covers,
    kinds,
    log_rows,
    segments,
    set_value,
    verified,
    write,
)


def signed(size: int, root: bytes = bytes(32), origin: str = ORIGIN) -> str:
    return str(sign_note(str(Checkpoint(origin, size, root)), origin, SECRET))


def sizes(notes: list[str]) -> list[int]:
    return [parse_checkpoint(parse_note(note).text).size for note in notes]


def put(directory: Path, note: str) -> None:
    (directory / "log" / "checkpoint").write_text(note)


# ---- a history made anew ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Another history of the same cluster, signed with the same key."""
    directory = tmp_path_factory.mktemp("other") / "other"
    return Made(directory, build(directory, seed=2), lambda: directory)


def test_whoever_has_the_key_can_write_a_history_anew_unless_a_checkpoint_was_held(
    small: Made, other: Made
) -> None:
    alone = verified(other.directory)
    assert alone.proved
    assert any("could have written all of it anew" in line for line in alone.relative)
    [first, *_] = verified(other.directory, held=small.notes[2:4]).findings
    assert (first.kind, first.head) == ("forked", (0, sizes(small.notes)[2] - 1))


def test_a_fork_lies_between_the_last_checkpoint_that_agrees_and_the_first_that_does_not(
    small: Made, tmp_path: Path
) -> None:
    """The same first commits, and then others: what was held of the first ones still agrees."""
    fork = tmp_path / "fork"
    notes = build(fork, commits=6, seed=1)
    assert notes == small.notes[:6]
    forged = sizes(notes)[3] + 1
    report = verified(fork, held=[*small.notes[:6], signed(forged)])
    [found] = report.findings
    assert (found.kind, found.head) == ("forked", (forged - 1, forged - 1))
    assert len(report.held) == 6


def test_a_history_signed_by_somebody_else_is_not_believed(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    build(theirs, commits=2, secret=THIEF, first_commit=3)
    report = verified(theirs)
    assert kinds(report) == {"signature", "unsigned"}
    assert verified(theirs, keys=Keys((bytes(THIEF.verify_key),))).proved


def test_an_archive_without_any_signature_is_not_proved(tmp_path: Path) -> None:
    unsigned = tmp_path / "unsigned"
    build(unsigned, commits=2, secret=None, first_commit=3)
    assert kinds(verified(unsigned)) == {"signature", "unsigned"}


def test_a_cut_end_is_counted_against_a_held_checkpoint(small: Made, tmp_path: Path) -> None:
    """The archiver's own files are all set back to an older state: nothing but a held checkpoint knows."""
    older = tmp_path / "older"
    notes = build(older, commits=5)
    assert verified(older, held=notes).proved
    [found] = verified(older, held=[small.notes[-1]]).findings
    assert (found.kind, found.head) == ("truncated", (sizes(notes)[-1], sizes(small.notes)[-1] - 1))


def test_files_cut_from_the_end_are_missed_by_the_archives_own_checkpoint(small: Made) -> None:
    directory = small.copy()
    last = segments(directory)[-1].name
    for path in (directory / "segments" / last, *(directory / "live").glob(f"*/{last}")):
        path.unlink()
    report = verified(directory)
    heads = [row["head_index"] for row in small.rows if row["seq"] >= int(last[:20])]
    first = min(one for one in heads if one is not None)
    assert {(found.kind, found.head) for found in report.findings} == {
        ("truncated", (first, sizes(small.notes)[-1] - 1)),
        ("unsigned", (sizes(small.notes)[-3], first - 1)),
    }


# ---- checkpoints swapped ------------------------------------------------------------------------------------

GARBAGE = ("", "\n", "nothing\n\nat all", "\x00\xff" * 10, f"{ORIGIN}\n3\n", "\n\n\n")


@pytest.mark.parametrize("text", GARBAGE, ids=repr)
def test_a_checkpoint_that_is_none_is_found(small: Made, text: str) -> None:
    directory = small.copy()
    put(directory, text)
    assert "signature" in kinds(verified(directory))


def test_a_checkpoint_that_is_a_pipe_keeps_nobody_waiting(small: Made) -> None:
    directory = small.copy()
    (directory / "log" / "checkpoint").unlink()
    os.mkfifo(directory / "log" / "checkpoint")
    assert "signature" in kinds(verified(directory))


def test_an_older_checkpoint_leaves_the_rest_unsigned(small: Made) -> None:
    directory = small.copy()
    put(directory, small.notes[3])
    [found] = verified(directory).findings
    # Newer ones are archived: only what follows the last of them was never signed.
    assert (found.kind, found.head) == (
        "unsigned",
        (sizes(small.notes)[-2], sizes(small.notes)[-1] - 1),
    )


def test_a_checkpoint_of_another_log_is_found(small: Made) -> None:
    directory = small.copy()
    put(directory, signed(3, origin="sluicegate/another/archive"))
    assert "forked" in kinds(verified(directory, held=small.notes[:1]))
    put(directory, signed(3, origin="sluicegate/c-1/actions/0"))
    assert "signature" in kinds(verified(directory))


def test_a_held_checkpoint_that_nobody_trusted_signed_proves_nothing(small: Made) -> None:
    forged = str(sign_note(parse_note(small.notes[0]).text, ORIGIN, THIEF))
    report = verified(small.directory, held=[forged])
    assert kinds(report) == {"signature"}
    assert report.held == []


@pytest.mark.parametrize("size", [0, 1, 2**62])
def test_a_signed_head_that_does_not_fit_is_found_whatever_its_size(small: Made, size: int) -> None:
    assert kinds(verified(small.directory, held=[signed(size)])) <= {"forked", "truncated"}
    assert not verified(small.directory, held=[signed(size)]).proved


# ---- changes that keep the columns in step with each other -----------------------------------------------------


def fitted(directory: Path, seq: int) -> None:
    """A record edited, and its stored digest made to fit."""
    set_value(directory, seq, "value", b"forged")
    [row] = [one for one in log_rows(directory) if one.seq == seq]
    set_value(directory, seq, "digest", row.computed)


def actions_heads(made: Made) -> list[int]:
    """Sizes of the log of `actions` at which it has a head."""
    rows = [one for one in made.rows if one["topic"] == "actions"]
    return [one["leaf_index"] + 1 for one in rows if one["head_index"] is not None]


def test_an_edit_whose_digest_was_made_to_fit_is_bound_between_two_heads(small: Made) -> None:
    before, after, *_ = actions_heads(small)
    row = next(
        one for one in small.rows if (one["topic"], one["leaf_index"]) == ("actions", before)
    )
    directory = small.copy()
    fitted(directory, row["seq"])
    report = verified(directory, held=small.notes)
    [found] = report.findings
    assert (found.kind, found.leaf) == ("altered", (before, after - 1))
    assert len(report.held) == len(small.notes)


def test_an_edit_below_a_stored_node_is_bound_by_it(small: Made) -> None:
    row = next(one for one in small.rows if (one["topic"], one["leaf_index"]) == ("actions", 3))
    assert actions_heads(small)[0] > 256
    directory = small.copy()
    fitted(directory, row["seq"])
    report = verified(directory, held=small.notes)
    [found] = report.findings
    assert (found.kind, found.leaf) == ("altered", (0, 255))
    assert len(report.held) == len(small.notes)


def test_a_history_with_everything_made_anew_but_the_signature_is_found(
    small: Made, tmp_path: Path
) -> None:
    fork = tmp_path / "fork"
    build(fork, secret=THIEF)
    put(fork, small.notes[-1])
    [found] = verified(fork).findings
    assert (found.kind, found.head) == ("forked", (0, sizes(small.notes)[-1] - 1))


def test_one_edit_before_a_stored_node_does_not_make_the_rest_doubtful(small: Made) -> None:
    """Leaf 255 completed a node; what follows it is verified as if nothing had happened."""
    row = next(one for one in small.rows if one["topic"] == "actions" and one["leaf_index"] == 7)
    directory = small.copy()
    change(
        directory,
        row["seq"],
        lambda table, at: table.take([n for n in range(table.num_rows) if n != at]),
    )
    report = verified(directory, held=small.notes)
    assert {(one.kind, one.leaf, one.seq) for one in report.findings} == {
        ("missing", None, (row["seq"], row["seq"])),
        ("missing", (7, 7), (row["seq"], row["seq"])),
    }
    assert len(report.held) == len(small.notes)


def test_a_whole_segment_of_another_history_is_found_record_by_record(
    small: Made, other: Made
) -> None:
    directory = small.copy()
    ours, theirs = segments(directory)[2], segments(other.directory)[2]
    table = pq.read_table(theirs)
    first, last = int(ours.name[:20]), int(ours.name[21:41])
    count = min(table.num_rows, last - first + 1)
    at = table.schema.get_field_index("seq")
    taken = table.slice(0, count).set_column(
        at, table.schema.field(at), pa.array(range(first, first + count), pa.uint64())
    )
    write(directory, ours.name, taken)
    report = verified(directory)
    replaced = [row for row in small.rows if first <= row["seq"] < first + count]
    assert not report.proved
    assert any(
        covers(found, replaced[0]) or covers(found, replaced[-1]) for found in report.findings
    )


# ---- the verifier itself -------------------------------------------------------------------------------------


def test_a_ruined_archive_does_not_fill_the_memory() -> None:
    findings = Findings()
    for number in range(MOST + 5):
        findings.add(Finding("missing", seq=(number, number)))
    assert (len(list(findings)), findings.more, len(findings)) == (MOST, 5, MOST + 5)


def test_a_finding_cannot_steer_a_terminal() -> None:
    line = told(Finding("edited", "a\x1b[2Jb\n", 0, 1, (2, 2), detail="\u202e\r"))
    assert line.isprintable()


def test_checkpoints_older_than_the_window_are_counted_and_not_passed_over(
    small: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_log, "_window", lambda: 2)
    report = verified(small.directory)
    assert report.unplaced > 0


def test_a_name_of_a_header_that_nobody_could_have_sent_is_an_edit(small: Made) -> None:
    """`hex:616263` would be read back as `abc`, which the archive stores as it is."""
    directory = small.copy()
    row = small.rows[0]
    set_value(directory, row["seq"], "headers", [{"name": "hex:616263", "value": b"1"}])
    [found] = verified(directory).findings
    assert (found.kind, found.seq) == ("edited", (row["seq"], row["seq"]))


def test_what_strangers_write_to_the_topic_of_checkpoints_changes_nothing(tmp_path: Path) -> None:
    from analytics.archive import Archive, RawRecord
    from analytics.log.note import NoteSigner

    directory = tmp_path / "strange"
    values = [
        b"\xff",
        None,
        b"",
        b"{}",
        str(sign_note(str(Checkpoint(ORIGIN, 1, bytes(32))), ORIGIN, THIEF)).encode(),
    ]
    values.append(signed(1, origin="sluicegate/another/archive").encode())
    batch = [
        RawRecord("checkpoints", 0, at, 1, 1, None, (), value) for at, value in enumerate(values)
    ]
    with Archive.open(directory, cluster_id="c-1", signing=NoteSigner(ORIGIN, SECRET)) as archive:
        archive.append(batch, {("checkpoints", 0): 0})
    assert verified(directory).proved


def test_a_fork_that_the_archiver_signed_and_published_itself_is_found(tmp_path: Path) -> None:
    from analytics.archive import Archive, RawRecord
    from analytics.log.note import NoteSigner

    directory = tmp_path / "twofaced"
    with Archive.open(directory, cluster_id="c-1", signing=NoteSigner(ORIGIN, SECRET)) as archive:
        archive.append([RawRecord("actions", 0, 0, 1, 1, None, (), b"{}")], {("actions", 0): 0})
        other = signed(1).encode()
        archive.append(
            [RawRecord("checkpoints", 0, 0, 1, 1, None, (), other)], {("checkpoints", 0): 0}
        )
    [found] = verified(directory).findings
    assert (found.kind, found.detail) == ("forked", "record checkpoints[0] offset 0")
