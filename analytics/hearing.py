"""
Words of people and judges in the archive, and what speaks against each.

    names ──words_of──▶ records with the same bytes ──decode, check──▶ Heard

INVARIANT: with a trust file, `valid` means what it means to a judge: signed by a key that might say such things when
the broker stored it, in no other name, and with a key and headers that repeat what was signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from analytics.evidence import Evidence
from analytics.rows import Row, evidence, headers_of, rows, signer_of
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.control import Control
from enforcers.contract.enrolment import Enrolment
from enforcers.contract.finding import Finding
from enforcers.contract.grant import Grant, GrantRequest
from enforcers.contract.publication import Publication
from enforcers.contract.record import Controlling, check_headers
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust, TrustedKey
from enforcers.contract.wire import decode
from enforcers.errors import ContractError

Word = ApprovalRequest | GrantRequest | Controlling | Finding


@dataclass(frozen=True, slots=True)
class Speech:
    """One sort of word: where it is said, by whom, and how the words about one thing are found."""

    model: type[Word]
    topic: str
    roles: tuple[Role, ...]
    name_of: Callable[[Any], str]
    field: str = ""
    """Path of the name in the value; empty: the name is the record's key."""


def _subject(word: Controlling | Finding) -> str:
    return word.subject


def _id(word: ApprovalRequest | GrantRequest) -> str:
    return str(word.id)


REQUESTS = Speech(ApprovalRequest, "requests", (Role.JUDGE,), _id, "$.id")
WISHES = Speech(GrantRequest, "requests", (Role.EXECUTOR,), _id, "$.id")
VOTES = Speech(Vote, "approvals", (Role.ADMINISTRATOR, Role.APPROVER), _subject)
GRANTS = Speech(Grant, "grants", (Role.ADMINISTRATOR,), _subject)
CONTROLS = Speech(Control, "controls", (Role.ADMINISTRATOR, Role.JUDGE), _subject)
POLICIES = Speech(
    Publication, "policies", (Role.ADMINISTRATOR,), lambda word: str(word.digest), "$.digest"
)
ENROLMENTS = Speech(Enrolment, "principals", (Role.ADMINISTRATOR,), _subject)
FINDINGS = Speech(Finding, "findings", tuple(Role), _subject)
"""Judges and the archiver say what they find; whoever reads the archive says so with any key that he has."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One word where it was first recorded, who signed it, and what speaks against it."""

    model: Any
    key: TrustedKey | None
    signature: str
    evidence: Evidence
    replays: tuple[Evidence, ...]


Found = dict[str, list[Heard]]
"""Words by what they are about."""


class Hearing:
    """What was said in one zone; every look is one query."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, zone: str, trust: Trust | None
    ) -> None:
        self._connection = connection
        self._zone = zone
        self._trust = trust
        self._memory = RootMemory()

    def about(self, speech: Speech, names: Collection[str]) -> Found:
        """Every word of this sort about these things. Raises ArchiveError."""
        if not names:
            return {}
        found: Found = {}
        for heard in self._each(speech, self._rows(speech, names)):
            found.setdefault(speech.name_of(heard.model), []).append(heard)
        return found

    def between(self, speech: Speech, since: datetime, until: datetime) -> list[Heard]:
        """Every word of this sort that was recorded in this time. Raises ArchiveError."""
        asked = {"topic": f"{self._zone}{speech.topic}", "since": since, "until": until}
        return self._each(speech, rows(self._connection, "words_between", **asked))

    def _each(self, speech: Speech, records: Sequence[Row]) -> list[Heard]:
        same: dict[str, list[Row]] = {}
        for row in records:
            same.setdefault(row["value_sha256"], []).append(row)
        heard = (self._heard(speech, group) for group in same.values())
        return [one for one in heard if one is not None]

    def _rows(self, speech: Speech, names: Collection[str]) -> list[Row]:
        by_key = [] if speech.field else [one.encode() for one in names]
        by_field = list(names) if speech.field else []
        topic = f"{self._zone}{speech.topic}"
        return rows(self._connection, "words_of", topic, by_key, by_field, speech.field or "$")

    def _heard(self, speech: Speech, same: Sequence[Row]) -> Heard | None:
        """Records with the same bytes; None where they hold nothing of this sort."""
        try:
            word = decode(speech.model, same[0]["value"])
        except ContractError:
            return None
        checked = [(row, *self._checked(speech, word, row)) for row in same]
        # What somebody stored before the true one, with other headers, is not it.
        row, key, why = next((one for one in checked if one[2] == "valid"), checked[0])
        others = tuple(evidence(one) for one in same if one is not row)
        return Heard(word, key, why, evidence(row), others)

    def _checked(self, speech: Speech, word: Word, row: Row) -> tuple[TrustedKey | None, str]:
        """Who signed it, and what speaks against it; a numbered procedure, as judges have it."""
        by = speaker_of(word)
        try:
            # (1) What stands outside the signature repeats what stands inside,
            check_headers(word, headers_of(row), by)
            # (2) and so does the key.
            if bytes(row["key"] or b"") != _key_of(word).encode():
                return None, "its key is not what it is about"
            if self._trust is None:
                return None, "not checked"
            # (3) Somebody who might when the broker stored it signed these bytes,
            key = signer_of(row, speech.model, speech.roles, self._trust, self._memory)
        except (ContractError, UnicodeDecodeError) as error:
            return None, str(error)
        # (4) speaks in no other name, (5) and says no more than he may.
        if key.id != by:
            return key, f"key of `{key.id}` signed for `{by}`"
        return key, "a judge can only begin a quarantine" if _overreaches(word, key) else "valid"


def _overreaches(word: Word, key: TrustedKey) -> bool:
    begins = isinstance(word, Control) and not word.lifted and word.issue.version == 1
    return key.role is Role.JUDGE and isinstance(word, Control) and not begins


def behind(request: ApprovalRequest) -> tuple[str, ...]:
    """Who asked: the principal, whom it acts for, and who answers for it."""
    who = (request.principal.id, request.principal.on_behalf_of, request.owner)
    return tuple(dict.fromkeys(one for one in who if one))


def votes_for_own(vote: Vote, voice: str, behind: Collection[str]) -> bool:
    """Whether who votes asked for it, or answers for who did."""
    return bool({voice, vote.issue.by} & {vote.requester, *behind})


def speaker_of(word: Word) -> str:
    """In whose name a word is said."""
    if isinstance(word, ApprovalRequest):
        return word.judge
    if isinstance(word, Finding):
        return word.source
    return word.executor if isinstance(word, GrantRequest) else word.issue.by


def _key_of(word: Word) -> str:
    """The key of its record: what it is about; of a request, the principal."""
    if isinstance(word, ApprovalRequest):
        return word.principal.id
    return word.principal if isinstance(word, GrantRequest) else word.subject
