"""
Signed notes: a text with signature lines below it, as C2SP's `signed-note` has them.

    text ⏎
    ⏎
    — name base64(key id ‖ signature) ⏎

Whoever reads one looks for the keys that it knows, and passes over all other lines: a witness may add its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from analytics.log.verifier_key import ID_BYTES, VerifierKey, decoded, encoded
from enforcers.errors import SignatureError

ED25519 = b"\x01"
"""C2SP's number for plain Ed25519 signatures."""
MAX_SIGNATURES = 16


class NoteKey(VerifierKey):
    """A key that signs notes."""

    __slots__ = ()
    kind = ED25519
    owner = "a note"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, and its signature lines as they were written."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]
    """Name, and key id with signature."""

    def __str__(self) -> str:
        """The note as it is stored."""
        lines = "".join(f"— {name} {encoded(value)}\n" for name, value in self.signatures)
        return f"{self.text}\n{lines}"

    def signed_by(self, key: NoteKey) -> bool:
        """Whether one of the signatures is this key's, and holds."""
        wanted = [
            value[ID_BYTES:]
            for name, value in self.signatures
            if name == key.name and value[:ID_BYTES] == key.id
        ]
        return any(_holds(key, self.text, one) for one in wanted)


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """Who signs notes: the name of a key, and its private half."""

    name: str
    key: SigningKey = field(repr=False)

    @property
    def public(self) -> NoteKey:
        """What others need to check its notes."""
        return NoteKey(self.name, bytes(self.key.verify_key))

    def sign(self, text: str) -> Note:
        """A text that ends with a line break, signed; one text always gives the same bytes."""
        return sign_note(text, self.name, self.key)


def sign_note(text: str, name: str, key: SigningKey) -> Note:
    """A text that ends with a line break, signed."""
    known = NoteKey(name, bytes(key.verify_key))
    signature = key.sign(text.encode()).signature
    return Note(text, ((name, known.id + signature),))


def parse_note(source: str) -> Note:
    """Read a note; nothing is verified. Raises SignatureError."""
    text, gap, below = source.rpartition("\n\n")
    lines = below.split("\n")
    if not gap or lines[-1] or not 1 <= len(lines) - 1 <= MAX_SIGNATURES:
        raise SignatureError("it is no signed note: a text, an empty line, and signatures")
    return Note(f"{text}\n", tuple(signature_of(line) for line in lines[:-1]))


def signature_of(line: str) -> tuple[str, bytes]:
    """Read a signature line; nothing is verified. Raises SignatureError."""
    dash, _, rest = line.partition(" ")
    name, _, value = rest.partition(" ")
    signed = decoded(value)
    if dash != "—" or not name or len(signed) <= ID_BYTES:
        raise SignatureError(f"`{line[:100]}` is no signature line of a note")
    return name, signed


def _holds(key: NoteKey, text: str, signature: bytes) -> bool:
    try:
        VerifyKey(key.public).verify(text.encode(), signature)
    except (BadSignatureError, ValueError, TypeError):
        return False
    return True
