"""VerdictChannel: what a gate needs from whatever carries actions to a judge and verdicts back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

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

    async def close(self) -> None:
        """Release what `open` took; a closed channel can be opened again."""
