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
from enforcers.contract.proof import MAX_APART_S
from enforcers.contract.record import check_dear, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust, TrustedKey
from enforcers.contract.wire import Headers, decode, header_map
from enforcers.errors import ContractError, OversizedError, SignatureError

REPLAY_WINDOW_MS = 5_000
"""An action older than this by the broker's clock is stale; younger ones are remembered."""
SIGNED_WINDOW_MS = 2 * (REPLAY_WINDOW_MS + 1_000 * MAX_APART_S)
"""How far two records can lie apart that could pass with the same principal's signature, both clocks off."""


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
class Marks:
    """What may stand in one record only, by offset; forgotten in time order."""

    lifetime_ms: int
    _offsets: dict[str, int] = field(default_factory=dict)
    _order: deque[tuple[int, str]] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._offsets)

    def elsewhere(self, mark: str, offset: int) -> bool:
        """Whether the mark stands at another offset."""
        return self._offsets.get(mark, offset) != offset

    def remember(self, mark: str, offset: int, timestamp_ms: int) -> None:
        """Keep a mark."""
        if mark not in self._offsets:
            self._offsets[mark] = offset
            self._order.append((timestamp_ms, mark))

    def forget(self, timestamp_ms: int) -> None:
        """Drop what is older than the lifetime."""
        while self._order and self._order[0][0] < timestamp_ms - self.lifetime_ms:
            self._offsets.pop(self._order.popleft()[1], None)


@dataclass
class ReplayWindow:
    """Ids, nonces and principals' signatures of one partition's newest actions."""

    own: Marks = field(default_factory=lambda: Marks(2 * REPLAY_WINDOW_MS))
    signed: Marks = field(default_factory=lambda: Marks(SIGNED_WINDOW_MS))
    """A principal's signature may be used once, and holds longer than an action."""

    def first_seen(self, action: Action, offset: int, timestamp_ms: int) -> bool:
        """Remember the action; False where its id, nonce or own signature stands at another offset already."""
        self.own.forget(timestamp_ms)
        self.signed.forget(timestamp_ms)
        marks = [(self.own, f"id:{action.id}"), (self.own, f"{action.executor}:{action.nonce}")]
        if action.signed is not None:
            # With the executor in it, nobody uses up what was signed for another.
            marks.append((self.signed, f"{action.executor}:{action.signed.signature}"))
        if any(kept.elsewhere(mark, offset) for kept, mark in marks):
            return False
        for kept, mark in marks:
            kept.remember(mark, offset, timestamp_ms)
        return True


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
        headers = header_map(record.headers)
        moment = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
        proof = (headers, self.trust, Role.EXECUTOR, moment, self.memory)
        check_dear(Action, record.value, *proof)
        action = decode(Action, record.value)
        # (2) What stands outside the signature repeats what stands inside.
        check_headers(action, headers, action.executor)
        if record.key != action.proposal.principal.id.encode():
            raise ContractError("record key differs from the principal's id; use the id as key")
        # (3) A trusted executor signed these bytes, and speaks for itself.
        key = check_signature(Action, record.value, *proof)
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
                "the same id, nonce or principal's signature was seen at another offset",
                "propose it again with a new id and nonce, signed again",
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
