"""
Who signs in the traffic, and the `sig` headers: of the right form by default, real where wanted.

    form only   format, index 0 of 1, 64 bytes of chance     as large on disk as a real one, and believed by nobody
    real        Ed25519 over a tree of one                    about 30 microseconds each
"""

from __future__ import annotations

import hashlib
import random
import struct

from nacl.signing import SigningKey

from enforcers.contract.signing import Signer, key_id, leaf_of
from enforcers.contract.trust import Role, TrustedKey, TrustFile

_LONE = struct.pack(">BHH", 1, 0, 1)


class Keys:
    """The keys of everybody who signs, made of the seed: they are public, and worth nothing elsewhere."""

    def __init__(self, seed: int, signed: bool) -> None:
        self._seed = seed
        self._signed = signed
        self._chance = random.Random(f"{seed}/signatures")
        self._roles: dict[str, tuple[Role, Signer, tuple[str, bytes]]] = {}

    def kid(self, source: str, role: Role) -> tuple[str, bytes]:
        """The header that names somebody's key."""
        return self._of(source, role)[2]

    def sig(self, source: str, role: Role, event_type: bytes, value: bytes) -> bytes:
        """The `sig` header of one record."""
        if not self._signed:
            return _LONE + self._chance.randbytes(64)
        return self._of(source, role)[1].sign([leaf_of(event_type.decode(), value)])[0]

    def _of(self, source: str, role: Role) -> tuple[Role, Signer, tuple[str, bytes]]:
        found = self._roles.get(source)
        if found is None:
            # Ours alone: nobody trusts these keys, and no other traffic has them.
            key = SigningKey(hashlib.sha256(f"synth/{self._seed}/{source}".encode()).digest())
            kid = key_id(bytes(key.verify_key)).encode()
            found = self._roles[source] = (role, Signer(key), ("kid", kid))
        return found

    def archiver(self, name: str) -> SigningKey:
        """The key that signs the heads of the log."""
        return self._of(name, Role.ARCHIVER)[1].key

    def trust(self) -> TrustFile:
        """What a reader has to trust to check real signatures: everybody who signed so far."""
        return TrustFile(
            keys=tuple(
                TrustedKey(id=source, role=role, public_key=bytes(signer.key.verify_key).hex())
                for source, (role, signer, _) in self._roles.items()
            )
        )
