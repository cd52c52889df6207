"""VerdictChannel: what a gate needs from whatever carries actions to a judge and verdicts back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from enforcers.contract.record import SignedRecord

Receive = Callable[[SignedRecord], None]
"""Called for every record on the reply partition, whoever it is for."""
Lost = Callable[[str], None]
"""Called when the connection failed: whatever was waiting must not count on it any longer."""


class VerdictChannel(Protocol):
    """Carries signed actions to a judge and verdicts back."""

    @property
    def reply_partition(self) -> int:
        """Where the judge must send verdicts for this channel."""

    async def open(self, receive: Receive, lost: Lost) -> None:
        """Be positioned so that no verdict sent from now on is missed. Raises BrokerError."""

    async def propose(self, key: bytes, records: Sequence[SignedRecord]) -> None:
        """Return when every action is stored durably. Raises BrokerError."""

    async def report(self, key: bytes, record: SignedRecord) -> None:
        """Return when the outcome is stored durably. Raises BrokerError."""

    async def listen(self) -> None:
        """Hear of people's votes from now on. Never raises: where it cannot, `voted` only waits."""

    async def voted(self, request: UUID, timeout_s: float) -> bool:
        """
        Return as soon as a record about this request appears, whoever wrote it, or when the time is over.

        Says whether one appeared. It is a hint to ask the judge again, and nothing else.
        """

    async def close(self) -> None:
        """Release what `open` took and end every `voted`; a closed channel can be opened again."""
