"""
The archive's signed head: one note for the log over all partitions, kept beside the store.

    commit ──▶ tree of heads ──▶ checkpoint ──signed──▶ log/checkpoint ──▶ topic `checkpoints`
                                                        log/keys   who signs (trust is elsewhere)

INVARIANT: no head is signed that does not continue the one that was signed before.
"""

from __future__ import annotations

import re
from pathlib import Path

from analytics.archive.database import reported
from analytics.archive.days import DayStore
from analytics.archive.past import root_at
from analytics.archive.positions import State
from analytics.archive.segments import write_text
from analytics.log.checkpoint import Checkpoint, origin_of_archive, parse_checkpoint
from analytics.log.note import Note, NoteKey, NoteSigner, parse_note
from enforcers.errors import ArchiveError, SignatureError

CHECKPOINT_NAME = "checkpoint"
KEYS_NAME = "keys"
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
        self._origin = origin_of_archive(cluster_id)
        self._signing = signing
        if signing is not None and signing.name != self._origin:
            raise ArchiveError(
                f"the archiver's key signs as `{signing.name}`, but this log is `{self._origin}`;"
                " sign with the name of the log"
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
        text = self._text(days.state)
        # Witnesses may have added lines to a note that is still the newest.
        if before is not None and before.text == text:
            return str(before)
        return self.sign(days.state)

    def sign(self, state: State) -> str | None:
        """Sign where the log stands, and keep it; None without a key or without heads."""
        if self._signing is None or not state.heads.size:
            return None
        note = str(self._signing.sign(self._text(state)))
        with reported("archive's checkpoint cannot be written"):
            write_text(self.path, note)
        return note

    def _text(self, state: State) -> str:
        return str(Checkpoint(self._origin, state.heads.size, state.heads.root))

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
        if found.origin != self._origin:
            raise self._refusal("is of another log")
        if self._signing is not None and not note.signed_by(self._signing.public):
            raise ArchiveError(
                f"`{self.path}` is not signed by this archiver's key; restore the key, or where it"
                " was replaced, move the file away and keep it"
            )
        state = days.state
        if found.size > state.heads.size:
            raise ArchiveError(
                f"`{self.path}` counts {found.size} heads, the archive holds {state.heads.size}:"
                " records are gone; restore the newest day file from its backup"
            )
        if found.root != _root_at(days, found.size):
            raise self._refusal(
                f"has another root at {found.size} heads than the archive: one of the two was changed"
            )

    def _refusal(self, what: str) -> ArchiveError:
        return ArchiveError(
            f"`{self.path}` {what}; keep it, look at what the topic `checkpoints` and witnesses"
            " hold, and restore the one that was changed"
        )

    def _write_keys(self, key: NoteKey) -> None:
        known = (_text_of(self._keys) or "").splitlines()
        if str(key) not in known:
            write_text(self._keys, "".join(f"{line}\n" for line in [*_keys(known), str(key)]))


def _root_at(days: DayStore, size: int) -> bytes:
    state = days.state
    for known in (state.heads, state.before):
        if known.size == size:
            return known.root
    return root_at(days, size)


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
