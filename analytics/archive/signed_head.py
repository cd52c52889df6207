"""
The archive's signed head: one note for the log over all partitions, kept beside the store.

    commit ──▶ tree of heads ──▶ checkpoint ──signed──▶ log/checkpoint ──▶ topic `checkpoints`
                                                        log/keys   who signs (trust is elsewhere)

INVARIANT: no head is signed that does not continue the one that was signed before.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from analytics.archive.database import reported
from analytics.archive.days import DayStore
from analytics.archive.holes import newest_hole
from analytics.archive.past import newest_values, root_at
from analytics.archive.positions import State
from analytics.archive.segments import write_text
from analytics.log.checkpoint import (
    Checkpoint,
    cluster_of,
    origin_of_archive,
    parse_checkpoint,
)
from analytics.log.note import Note, NoteKey, NoteSigner, parse_note
from enforcers.errors import ArchiveError, SignatureError

CHECKPOINT_NAME = "checkpoint"
KEYS_NAME = "keys"
SUPERSEDED = "checkpoint.superseded"
"""A signed head that a rebuilt archive does not reach; whoever asks for it finds it."""
TOLD = "checkpoints"
"""The topic on which heads are told."""
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""What a checkpoint can name."""
_NAME = re.compile(r"[!-*,-.0-~]+")
"""What stands between slashes, and in the name of a note's key."""
MAX_BYTES = 16_384
"""Of either file."""


class SignedHead:
    """The files of one archive's log. Not thread-safe: the archive's one thread owns it."""

    def __init__(self, directory: Path, cluster_id: str, signing: NoteSigner | None) -> None:
        """Raises ArchiveError where the cluster's id can name no log, or the key goes by another's name."""
        if not (_ONE_LINE if signing is None else _NAME).fullmatch(cluster_id):
            raise ArchiveError(
                f"cluster id {ascii(cluster_id)[:100]} can name no log; ask the broker's operator for one"
                " without spaces, `/` and `+`"
            )
        self.path = directory / "log" / CHECKPOINT_NAME
        self._keys = directory / "log" / KEYS_NAME
        self._cluster_id = cluster_id
        self._signing = signing
        if signing is not None and _cluster_of(signing.name) != cluster_id:
            raise ArchiveError(
                f"the archiver's key signs as `{signing.name}`, but this log is"
                f" `{origin_of_archive(cluster_id)}`; sign with the name of the log"
            )

    def start(self, days: DayStore) -> str | None:
        """
        Hold what was signed before against the stored heads, then write what a crash held back.

        Returns the newest note. Raises ArchiveError where the two do not fit.
        """
        with reported(f"log `{self.path.parent}` cannot be read"):
            before = self._read()
            if before is not None:
                self._check(before, days)
            if self._signing is None:
                return None if before is None else str(before)
            self._write_keys(self._signing.public)
        text = _text(self._signing.name, days.state)
        # Witnesses may have added lines to a note that is still the newest.
        if before is not None and before.text == text:
            return str(before)
        return self.sign(days.state)

    def sign(self, state: State) -> str | None:
        """Sign where the log stands, and keep it; None without a key or without heads."""
        if self._signing is None or not state.heads.size:
            return None
        note = str(self._signing.sign(_text(self._signing.name, state)))
        with reported("archive's checkpoint cannot be written"):
            write_text(self.path, note)
        return note

    def continues(self, told: str, days: DayStore) -> None:
        """
        Hold a head that was told elsewhere against the stored ones; who did not sign it here is not heard.

        Raises ArchiveError where the archive does not reach what it once was.
        """
        found = self._own(told)
        # Of an older one, a start cannot afford to know; verifying compares each.
        if found is None or found.size < max(days.state.before.size, self._superseded() + 1):
            return
        if found.size > days.state.heads.size and not self._told_of_this(days):
            return
        self._compare(f"a head that was told on the topic `{TOLD}`", found, days)

    def _own(self, text: str) -> Checkpoint | None:
        """What this archiver's key signed for this log."""
        with suppress(SignatureError):
            note = parse_note(text)
            found = parse_checkpoint(note.text)
            if self._signing and not self._is_other(found.origin):
                return found if note.signed_by(self._signing.public) else None
        return None

    def _superseded(self) -> int:
        """Up to which head somebody knows that there was another end, since they rebuilt the archive; -1: none."""
        found = self._own(_text_of(self.path.with_name(SUPERSEDED)) or "")
        return -1 if found is None else found.size

    def _told_of_this(self, days: DayStore) -> bool:
        """
        Whether the newest head that was told and archived is of this history.

        A new archive under an old one's name reads what that one told, and has to go on.
        """
        for value in newest_values(days, TOLD):
            found = self._own(value.decode("utf-8", "replace"))
            if found is not None and found.size <= days.state.heads.size:
                with suppress(ArchiveError):
                    return found.root == self._root_at(days, found.size, "an archived head")
        return False

    def _read(self) -> Note | None:
        text = _text_of(self.path)
        if text is None:
            return None
        try:
            return parse_note(text)
        except SignatureError as error:
            raise self._refusal(f"cannot be read ({error})") from error

    def _check(self, note: Note, days: DayStore) -> None:
        try:
            found = parse_checkpoint(note.text)
        except SignatureError as error:
            raise self._refusal(f"cannot be read ({error})") from error
        if self._is_other(found.origin):
            raise self._refusal(f"is of another log, `{found.origin}`")
        if self._signing is not None and not note.signed_by(self._signing.public):
            raise ArchiveError(
                f"`{self.path}` is not signed by this archiver's key; restore the key, or where it"
                " was replaced, move the file away and keep it"
            )
        self._compare(f"`{self.path}`", found, days)

    def _is_other(self, origin: str) -> bool:
        if self._signing is not None:
            return origin != self._signing.name
        return _cluster_of(origin) != self._cluster_id

    def _compare(self, what: str, found: Checkpoint, days: DayStore) -> None:
        state = days.state
        if found.size > state.heads.size:
            raise ArchiveError(
                f"{what} counts {found.size} heads, the archive holds {state.heads.size}: records"
                " are gone, and others in their place would be another history under one name;"
                " restore the newest day file from its backup, or give a new archive another"
                " directory and another key"
            )
        if found.root != self._root_at(days, found.size, what):
            raise self._refusal(
                f"has another root at {found.size} heads than the archive: one of the two was"
                " changed",
                what,
            )

    def _root_at(self, days: DayStore, size: int, what: str) -> bytes:
        for known in (days.state.heads, days.state.before):
            if known.size == size:
                return known.root
        hole = newest_hole(self.path.parent.parent)
        if hole is None:
            return root_at(days, size)
        cut = hole.standing.archive.frontier
        if size < cut.size:
            raise ArchiveError(
                f"{what} of {size} heads lies before what is kept: the hole of records"
                f" {hole.first} to {hole.last} ends at {cut.size} heads, so nothing is left to hold"
                f" it against, which is no failure of proof; keep it elsewhere, and put the newest"
                f" one in its place, as the topic `{TOLD}` holds it"
            )
        return root_at(days, size, cut)

    def _refusal(self, why: str, what: str = "") -> ArchiveError:
        return ArchiveError(
            f"{what or f'`{self.path}`'} {why}; keep it, look at what the topic `{TOLD}` and"
            " witnesses hold, and restore the one that was changed"
        )

    def _write_keys(self, key: NoteKey) -> None:
        known = (_text_of(self._keys) or "").splitlines()
        if str(key) not in known:
            write_text(self._keys, "".join(f"{line}\n" for line in [*_keys(known), str(key)]))


def _text(origin: str, state: State) -> str:
    return str(Checkpoint(origin, state.heads.size, state.heads.root))


def _cluster_of(origin: str) -> str | None:
    try:
        return cluster_of(origin)
    except SignatureError:
        return None


def _keys(lines: list[str]) -> list[str]:
    """Those lines that are keys, of this log's earlier archivers."""
    found = []
    for line in lines:
        try:
            found.append(str(NoteKey.parse(line)))
        except SignatureError:
            continue
    return found


def _text_of(path: Path) -> str | None:
    """A small text file; None where there is none."""
    try:
        with path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(found) > MAX_BYTES:
        raise ArchiveError(f"`{path}` is too large to be what its name says; move it away")
    return found.decode("utf-8", "replace")
