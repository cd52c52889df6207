"""
Batch signatures: Ed25519 over the Merkle root of one flush.

    value ──leaf──▶ tree ──root──▶ zone ‖ size ‖ root ──▶ one signature for up to 64 records

The `sig` header is: format (1 byte, 1) · leaf index (2) · tree size (2) · signature (64) · path (32 each).
A lone record is a tree of one. A verifier remembers verified roots, so a batch costs one verification.

INVARIANT: what was signed for one zone holds in no other, though both trust the same keys.
"""

from __future__ import annotations

import hashlib
import struct
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from enforcers.contract.merkle import HASH_BYTES, leaf_hash, root_and_paths, root_of
from enforcers.errors import SignatureError

MAX_BATCH = 64
"""Most records under one signature."""
_CONTEXT = b"sluicegate batch root v2\x00"
_HEAD = struct.Struct(">BHH64s")
_FORMAT = 1


def key_id(public_key: bytes) -> str:
    """Name of a public key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def leaf_of(event_type: str, value: bytes) -> bytes:
    """Leaf of a record. The type is in it, so an outcome can never pass for a verdict."""
    return leaf_hash(event_type.encode() + b"\n" + value)


def for_zone(zone: str) -> str:
    """How an error says for which zone something must be signed."""
    return f"for zone `{zone}`" if zone else "for the zone without a name"


def batch_message(zone: str, root: bytes, size: int) -> bytes:
    """What is signed for a tree of this size."""
    # What follows the zone has one length, so no two zones share a message, whatever they are called.
    return _CONTEXT + zone.encode() + b"\x00" + size.to_bytes(2, "big") + root


@dataclass(frozen=True)
class Signer:
    """Signs batches with one private key, for one zone."""

    key: SigningKey
    zone: str = ""
    """The zone in which the signature holds; empty: the one without a name."""

    @property
    def kid(self) -> str:
        """Name of the public key."""
        return key_id(bytes(self.key.verify_key))

    def sign(self, leaves: Sequence[bytes]) -> list[bytes]:
        """The `sig` header of each leaf, in order. At most `MAX_BATCH` leaves."""
        if not 0 < len(leaves) <= MAX_BATCH:
            raise SignatureError(f"batch of {len(leaves)} records; sign 1 to {MAX_BATCH} at a time")
        root, paths = root_and_paths(leaves)
        signature = self.key.sign(batch_message(self.zone, root, len(leaves))).signature
        return [
            _HEAD.pack(_FORMAT, index, len(leaves), signature) + b"".join(path)
            for index, path in enumerate(paths)
        ]


class RootMemory:
    """Verified roots, newest kept: (key, signature, zone, size, root) that were verified together."""

    def __init__(self, limit: int = 4_096) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._limit = limit

    def __contains__(self, entry: bytes) -> bool:
        return entry in self._seen

    def add(self, entry: bytes) -> None:
        """Remember one; the oldest goes when the memory is full."""
        self._seen[entry] = None
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)


def verify(
    public_key: bytes, leaf: bytes, sig: bytes, zone: str, memory: RootMemory | None = None
) -> None:
    """Check one record's `sig` header in a zone. Raises SignatureError."""
    index, size, signature, path = _unpack(sig)
    root = root_of(leaf, index, size, path)
    if root is None:
        raise SignatureError("signature's path does not fit its position; sign the batch again")
    message = batch_message(zone, root, size)
    entry = public_key + signature + message
    if memory is not None and entry in memory:
        return
    try:
        VerifyKey(public_key).verify(message, signature)
    except (BadSignatureError, ValueError, TypeError) as error:
        raise SignatureError(
            f"signature does not match the record; sign the exact bytes sent, {for_zone(zone)}"
        ) from error
    if memory is not None:
        memory.add(entry)


def _unpack(sig: bytes) -> tuple[int, int, bytes, list[bytes]]:
    tail = len(sig) - _HEAD.size
    if tail < 0 or tail % HASH_BYTES or tail // HASH_BYTES > MAX_BATCH.bit_length():
        raise SignatureError("signature header has a wrong length; see docs/protocol.md")
    version, index, size, signature = _HEAD.unpack_from(sig)
    if version != _FORMAT or not index < size <= MAX_BATCH:
        raise SignatureError("signature header has an unknown format; see docs/protocol.md")
    path = [sig[at : at + HASH_BYTES] for at in range(_HEAD.size, len(sig), HASH_BYTES)]
    return index, size, signature, path
