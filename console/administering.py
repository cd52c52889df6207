"""
An administrator's desk: what holds now, read and verified, and the key that may change it.

    control topics ──read whole──▶ Administration ──▶ Desk ──signed──▶ control topics
    requests ────────verified────────────────────────┘

INVARIANT: what is shown, and what a decision rests on, was signed by a key of the trust file; what is
published is signed by a key that the trust file lets say such things.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from console.control_line import Line
from console.files import is_there
from console.identity import key_path, load_trust_of
from console.own_keys import voice_key
from console.settings import Settings
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.base import utc_now
from enforcers.contract.grant import GrantRequest
from enforcers.contract.issue import Issue
from enforcers.contract.record import Controlling, check_dear, check_headers, check_signature
from enforcers.contract.signing import RootMemory, Signer
from enforcers.contract.trust import Role, Trust, TrustedKey
from enforcers.contract.wire import TYPES, decode, header_map
from enforcers.errors import BrokerError, ContractError, SignatureError, TrustError
from enforcers.principals import load_principals

if TYPE_CHECKING:
    from enforcers.administration import Administration, ControlRecord
    from streams.topics import Topic

Request = ApprovalRequest | GrantRequest

VOICES: Final = (Role.ADMINISTRATOR, Role.APPROVER)
"""Who may say anything at all; approvers may only vote."""


def load_voice(
    settings: Settings, key: Path | None = None, *roles: Role
) -> tuple[Signer, TrustedKey]:
    """
    A person's key, which the trust file lets act in one of these roles now; without roles, in any of `VOICES`.

    `key` is its file; else `administrator.key` in the directory of keys, or `approver.key` where only that exists
    and an approver may act.
    Raises TrustError.
    """
    path = key or _own_voice(settings, roles or VOICES)
    signer = voice_key(path, settings.zone, roles or VOICES, given=key is not None)
    trust = load_trust_of(settings)
    try:
        return signer, trust.key(signer.kid, roles or VOICES, utc_now())
    except SignatureError as error:
        raise TrustError(f"key `{path}` cannot be used: {error}") from error


def _own_voice(settings: Settings, roles: tuple[Role, ...]) -> Path:
    administrator, approver = (key_path(settings, role) for role in VOICES)
    if Role.APPROVER not in roles:
        return administrator
    return approver if is_there(approver) and not is_there(administrator) else administrator


class Consulted:
    """What holds now, for commands that only look."""

    def __init__(self, settings: Settings, line: Line) -> None:
        self.settings: Final = settings
        self.trust: Final = load_trust_of(settings)
        self._line = line
        self._state: Administration | None = None
        self.ignored: dict[str, str] = {}
        """Records that change nothing, by their place, and why."""

    @property
    def now(self) -> datetime:
        """This machine's clock; judges go by the broker's."""
        return utc_now()

    @property
    def state(self) -> Administration:
        """What every control topic comes to, on top of the principals file. Raises BrokerError."""
        if self._state is None:
            self._state = self._read()
        return self._state

    def requests(self) -> tuple[Request, ...]:
        """What judges and executors of the trust file ask of people, the oldest first. Raises BrokerError."""
        from streams.topics import REQUESTS

        memory, found = RootMemory(), []
        for record in self._line.read(REQUESTS):
            try:
                found.append(_request(record, self.trust, memory))
            except (ContractError, UnicodeDecodeError) as error:
                self.ignored[record.place] = str(error)
        return tuple(found)

    def read(self, topic: Topic) -> list[ControlRecord]:
        """The records of a topic as they are stored, as far back as it says. Raises BrokerError."""
        return self._line.read(topic)

    def _read(self) -> Administration:
        from enforcers.administration import Administration
        from streams.topics import APPROVALS, CONTROLS, GRANTS, POLICIES, PRINCIPALS

        path = self.settings.principals
        state = Administration(self.trust, load_principals(path) if is_there(path) else None)
        for record in self._line.read(PRINCIPALS, GRANTS, APPROVALS, CONTROLS, POLICIES):
            if finding := state.apply(record):
                self.ignored[record.place] = finding.message
        return state


class Desk(Consulted):
    """What holds now, and the key to change it."""

    def __init__(self, settings: Settings, line: Line, signer: Signer, key: TrustedKey) -> None:
        super().__init__(settings, line)
        self.signer: Final = signer
        self.key: Final = key

    def next_version(self, topic: str, subject: str) -> int:
        """What the next record about `subject` must carry to be heard."""
        if topic == _VOTES:
            return self._last_vote(UUID(subject)) + 1
        return self.state.version_of(topic, subject) + 1

    def _last_vote(self, request: UUID) -> int:
        """Versions of votes rise for each voter alone: no other's can be so high that nobody else is heard."""
        said = [one.vote.issue for one in self.state.votes.get(request, ())]
        return max((one.version for one in said if one.by == self.key.id), default=0)

    def issue(self, topic: str, subject: str, reason: str) -> Issue:
        """How the next record about `subject` begins. Raises ContractError, BrokerError."""
        return self._issue(reason, self.next_version(topic, subject))

    def first_issue(self, reason: str) -> Issue:
        """How the first record about something new begins; nothing has to be read for it. Raises ContractError."""
        return self._issue(reason, 1)

    def _issue(self, reason: str, version: int) -> Issue:
        if not reason.strip():
            raise ContractError("a reason is wanted, for the archive; give it with --reason")
        if len(reason) > _LONGEST_REASON:
            raise ContractError(f"reason is longer than {_LONGEST_REASON} letters; write less")
        return Issue(version=version, by=self.key.id, at=self.now, reason=reason)

    def publish(self, model: Controlling) -> None:
        """
        Sign it, and return once Kafka has acknowledged it and it was read back as what holds.

        Raises BrokerError, TrustError, ContractError where another record came first.
        """
        self._check_role(model)
        stored = self._line.publish(model, self.signer, self.key.id)
        self._state = None
        try:
            self._state = self._read()
        except BrokerError as error:
            raise BrokerError(f"the record is stored, but was not read back: {error}") from error
        if stored.place in self.ignored:
            raise ContractError(
                f"{self.ignored[stored.place]}; look at what holds now, and run it again"
            )

    def _check_role(self, model: Controlling) -> None:
        if self.key.role is not Role.ADMINISTRATOR and not isinstance(model, Vote):
            raise TrustError(
                f"`{self.key.id}` is {self.key.role.value}, who may only vote; use an"
                " administrator's key"
            )


_LONGEST_REASON = 2_000
_VOTES = "approvals"


def _request(record: ControlRecord, trust: Trust, memory: RootMemory) -> Request:
    """The request of a record that whoever it names signed. Raises ContractError."""
    from streams.control_log import key_of

    headers = header_map(record.headers)
    asked = headers.get("ce_type", b"").decode("ascii", "replace")
    kind = next((one for one in _ASKED_BY if TYPES[one] == asked), None)
    if kind is None:
        raise ContractError("it is no request; look at who writes to the topic")
    value = record.value or b""
    proof = (headers, trust, _ASKED_BY[kind], record.appended, memory)
    check_dear(kind, value, *proof)
    model = decode(kind, value)
    by = model.executor if isinstance(model, GrantRequest) else model.judge
    check_headers(model, headers, by)
    if record.key != key_of(model):
        raise ContractError("its key is not the principal's id; look at who writes to the topic")
    key = check_signature(kind, value, *proof)
    if key.id != by:
        raise SignatureError(f"key of `{key.id}` signed for `{by}`; look at who holds it")
    return model


_ASKED_BY: Final[dict[type[Request], Role]] = {
    GrantRequest: Role.EXECUTOR,
    ApprovalRequest: Role.JUDGE,
}


def chosen(text: str, known: Collection[UUID], what: str) -> UUID:
    """The one id that `text` is, or begins; at least eight letters of it. Raises ContractError."""
    begun = text.lower()
    if not re.fullmatch(r"[0-9a-f-]{8,36}", begun):
        raise ContractError(
            f"`{text[:50]}` is no id; give one, or at least its first eight letters"
        )
    found = sorted({one for one in known if str(one).startswith(begun)})
    if not found:
        raise ContractError(f"there is no {what} `{text}`; list them, and copy its id")
    if len(found) > 1:
        raise ContractError(
            f"`{text}` begins {len(found)} ids, such as {found[0]} and {found[1]}; give more of it"
        )
    return found[0]


def note_on(ignored: Mapping[str, str]) -> str:
    """What to say of records that change nothing; empty where there are none."""
    if not ignored:
        return ""
    place, why = next(iter(ignored.items()))
    if len(ignored) == 1:
        return f"note: one record changes nothing, {place}: {why}"
    return f"note: {len(ignored)} records change nothing, such as {place}: {why}"


@contextlib.contextmanager
def administered(
    settings: Settings, key: Path | None = None, roles: tuple[Role, ...] = VOICES
) -> Iterator[Desk]:
    """The desk of a person whose key may act in one of these roles. Raises TrustError, BrokerError."""
    signer, known = load_voice(settings, key, *roles)
    with Line(settings) as line:
        yield Desk(settings, line, signer, known)


@contextlib.contextmanager
def consulted(settings: Settings) -> Iterator[Consulted]:
    """What holds now, without a key to change it. Raises TrustError, BrokerError."""
    load_trust_of(settings)
    with Line(settings) as line:
        yield Consulted(settings, line)
