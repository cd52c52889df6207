"""
May this record be judged at all? A numbered procedure, before any meaning is read.

    record ──1 readable──2 headers──3 signed──4 routed──5 capable──6 fresh──7 new──▶ Action

Nothing here reads a clock: the broker's time comes in, and `ReplayWindow` is the only state.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from enforcers.contract.action import Action
from enforcers.contract.record import check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust, TrustedKey
from enforcers.contract.wire import Headers, decode, header_map
from enforcers.errors import ContractError, OversizedError, SignatureError

REPLAY_WINDOW_MS = 5_000
"""An action older than this by the broker's clock is stale; younger ones are remembered."""


@dataclass(frozen=True, slots=True)
class Received:
    """One record of the actions topic, as the broker stored it."""

    value: bytes
    headers: Headers
    key: bytes | None
    partition: int
    offset: int
    timestamp_ms: int
    """Append time, by the broker's clock."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is denied without being judged."""

    code: str
    message: str
    remedy: str = ""
    action: Action | None = None
    """The action, where it could be read."""
    late: bool = False
    """Only time went by, as it does while judges are away or work through what was delivered again: no attack."""


@dataclass
class ReplayWindow:
    """Ids and nonces of one partition's actions within the replay window, by offset."""

    _offsets: dict[str, int] = field(default_factory=dict)
    _order: deque[tuple[int, str]] = field(default_factory=deque)

    def first_seen(self, action: Action, offset: int, timestamp_ms: int) -> bool:
        """Remember the action; False where its id or nonce stands at another offset already."""
        self._forget(timestamp_ms - 2 * REPLAY_WINDOW_MS)
        marks = (f"id:{action.id}", f"nonce:{action.executor}:{action.nonce}")
        if any(self._offsets.get(mark, offset) != offset for mark in marks):
            return False
        for mark in marks:
            if mark not in self._offsets:
                self._offsets[mark] = offset
                self._order.append((timestamp_ms, mark))
        return True

    def _forget(self, before_ms: int) -> None:
        while self._order and self._order[0][0] < before_ms:
            self._offsets.pop(self._order.popleft()[1], None)


@dataclass
class Admission:
    """Checks the records of the partitions that one judge owns."""

    trust: Trust
    partition_of: Callable[[bytes], int]
    memory: RootMemory = field(default_factory=RootMemory)
    windows: dict[int, ReplayWindow] = field(default_factory=dict)

    def check(self, record: Received, broker_now_ms: int) -> Action | Refusal:
        """The action to judge, or why it must be denied."""
        try:
            action = self._authentic(record)
        except (ContractError, UnicodeDecodeError) as error:
            return Refusal(_code(error), str(error), "send a record that follows docs/protocol.md")
        return self._timely(action, record, broker_now_ms)

    def remember(self, record: Received) -> None:
        """Put an earlier record into the replay window, if it is authentic."""
        try:
            action = self._authentic(record)
        except (ContractError, UnicodeDecodeError):
            return
        self._window(record.partition).first_seen(action, record.offset, record.timestamp_ms)

    def own(self, partition: int) -> None:
        """Start to judge a partition whose window was read."""
        self._window(partition)

    def forget_partition(self, partition: int) -> None:
        """Drop the window of a partition that another judge owns now."""
        self.windows.pop(partition, None)

    def _authentic(self, record: Received) -> Action:
        # (1) The value is one action, and the headers can be read in one way.
        action = decode(Action, record.value)
        headers = header_map(record.headers)
        # (2) What stands outside the signature repeats what stands inside.
        check_headers(action, headers, action.executor)
        if record.key != action.proposal.principal.id.encode():
            raise ContractError("record key differs from the principal's id; use the id as key")
        # (3) A trusted executor signed these bytes, and speaks for itself.
        moment = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
        key = check_signature(
            Action, record.value, headers, self.trust, Role.EXECUTOR, moment, self.memory
        )
        if key.id != action.executor:
            raise SignatureError(
                f"key of `{key.id}` signed for `{action.executor}`; sign with the executor's own key"
            )
        _check_capabilities(action, key)
        return action

    def _timely(self, action: Action, record: Received, broker_now_ms: int) -> Action | Refusal:
        # (4) One judge owns a principal: on another partition its nonces would not be known.
        if self.partition_of(record.key or b"") != record.partition:
            return Refusal(
                "misrouted",
                f"action lies on partition {record.partition}, not its principal's",
                "use the default partitioner with the principal's id as key",
                action,
            )
        # (5) Stale actions are not remembered, so they must not be judged.
        age_ms = broker_now_ms - record.timestamp_ms
        if age_ms > REPLAY_WINDOW_MS:
            return Refusal(
                "stale",
                f"action is {age_ms} ms old by the broker's clock",
                "propose it again",
                action,
                late=True,
            )
        # A copy gets a new append time, so the signed time must fit too, or old bytes would be new for ever.
        apart_ms = abs(record.timestamp_ms - int(action.issued_at.timestamp() * 1000))
        if apart_ms > REPLAY_WINDOW_MS:
            return Refusal(
                "stale",
                f"action was signed {apart_ms} ms away from its append time, by the broker's clock",
                "propose it again; if it repeats, set the executor's clock",
                action,
            )
        # (6) The same offset again is a redelivery; another offset is a replay.
        if not self._window(record.partition).first_seen(
            action, record.offset, record.timestamp_ms
        ):
            return Refusal(
                "replayed",
                "the same id or nonce was seen at another offset",
                "propose it again with a new id and nonce",
                action,
            )
        # (7) Nobody waits any longer.
        if age_ms >= action.valid_for_ms:
            return Refusal(
                "expired",
                f"nobody waits after {action.valid_for_ms} ms",
                "propose it again",
                action,
                late=True,
            )
        return action

    def _window(self, partition: int) -> ReplayWindow:
        return self.windows.setdefault(partition, ReplayWindow())


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where a denial of an unreadable action can be sent, as far as its bytes say."""

    action_id: UUID
    executor: str
    reply_partition: int


def reply_address(value: bytes) -> ReplyAddress | None:
    """Best effort on bytes that are no valid action; None where nobody can be answered."""
    try:
        body = json.loads(value[: 1 << 20])
        partition = int(body["reply_partition"])
        address = ReplyAddress(UUID(body["id"]), str(body["executor"])[:200], partition)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    plain = (
        address.executor.isascii()
        and address.executor.isprintable()
        and " " not in address.executor
    )
    return address if plain and address.executor and 0 <= partition <= 65_535 else None


def _check_capabilities(action: Action, key: TrustedKey) -> None:
    claimed = set(action.capabilities) - set(key.capabilities)
    if claimed:
        names = ", ".join(sorted(claimed))
        raise SignatureError(
            f"executor claims `{names}` that its key does not grant; grant it in the trust file"
        )


def _code(error: Exception) -> str:
    if isinstance(error, SignatureError):
        return "untrusted_signature"
    if isinstance(error, OversizedError):
        return "oversized"
    return "malformed"
