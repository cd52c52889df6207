"""
Is this record what its topic is for, from somebody who may write it? A numbered procedure.

    record ──1 not empty──2 readable──3 headers──4 key──5 signed──6 by whom it says──▶ Entry
"""

from __future__ import annotations

from typing import Any

from enforcers.administration.book import Book
from enforcers.administration.record import ControlRecord, Entry
from enforcers.contract.record import check_dear, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Trust
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ContractError, SignatureError


def authentic(record: ControlRecord, book: Book[Any], trust: Trust, memory: RootMemory) -> Any:
    """The entry for the book. Raises ContractError."""
    # (1) A tombstone would remove what was said, and nobody signed it.
    if not record.value:
        raise ContractError("it is a tombstone; publish a signed record with a higher version")
    # (2) The value is one model of this topic, and the headers can be read in one way.
    headers = header_map(record.headers)
    proof = (headers, trust, book.roles, record.appended, memory)
    check_dear(book.model, record.value, *proof)
    model = decode(book.model, record.value)
    # (3) What stands outside the signature repeats what stands inside,
    check_headers(model, headers, model.issue.by)
    # (4) and so does the key, by which records of one thing are found.
    if record.key != model.subject.encode():
        raise ContractError(f"its key is not `{model.subject}`; use what it is about as key")
    # (5) Somebody who might when the broker stored it signed these bytes,
    key = check_signature(book.model, record.value, *proof)
    # (6) and speaks in no other name.
    if key.id != model.issue.by:
        raise SignatureError(
            f"key of `{key.id}` signed for `{model.issue.by}`; sign with the key that it names"
        )
    return Entry(model, key, record.appended)
