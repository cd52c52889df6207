"""
Passes over what nobody signed, where there is much of it.

    record ──headers──▶ signed by a key that may write there? ──no──▶ counted, and nothing else

To say what is wrong with a record takes ten times as long as to see that nobody signed it. Who floods a control topic
keeps judges from what holds, so that they allow nothing.
"""

from __future__ import annotations

from enforcers.administration import ControlRecord
from enforcers.administration.administration import BOOKS
from enforcers.contract.record import check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Trust
from enforcers.contract.wire import header_map
from enforcers.errors import ContractError

_BOOKS = {book.topic: book for book in BOOKS}


class Sieve:
    """Tells junk from what may change something, and counts it."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._memory = RootMemory()
        self.passed_over = 0

    def keeps(self, record: ControlRecord) -> bool:
        """Whether it is to be looked at: administration refuses for sure what is not kept."""
        kept = self._signed(record)
        self.passed_over += not kept
        return kept

    def _signed(self, record: ControlRecord) -> bool:
        book = _BOOKS.get(record.topic)
        if book is None or not record.value:
            return False
        try:
            headers = header_map(record.headers)
            check_signature(
                book.model, record.value, headers, self._trust, book.roles, record.appended,
                self._memory,
            )  # fmt: skip
        except (ContractError, UnicodeDecodeError):
            return False
        return True
