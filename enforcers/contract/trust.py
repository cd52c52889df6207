"""
The trust file: which public keys may judge, execute, archive and administer, and until when.

It is named by the operator and never read from Kafka or from the working directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from enforcers.contract.action import Capability
from enforcers.contract.base import Identifier, Moment, Record, fault_of
from enforcers.contract.signing import key_id
from enforcers.errors import SignatureError, TrustError

PublicKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Role(StrEnum):
    """What a key may sign."""

    ADMINISTRATOR = "administrator"
    JUDGE = "judge"
    ARCHIVER = "archiver"
    EXECUTOR = "executor"
    APPROVER = "approver"
    """May vote on requests for approval, and nothing else; administrators may vote too."""


class TrustedKey(Record):
    """One public key, its owner and what it may do."""

    id: Identifier
    role: Role
    public_key: PublicKey
    not_before: Moment | None = None
    not_after: Moment | None = None
    capabilities: tuple[Capability, ...] = ()
    """What this executor is trusted to do; other roles have none."""
    groups: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    """Groups whose voice this voter has."""
    person: Identifier | None = None
    """The person who holds the key, where that is not its id: several keys of one person are one voice."""

    @property
    def voice(self) -> str:
        """Whose voice it is when votes are counted."""
        return self.person or self.id

    @property
    def kid(self) -> str:
        """Name of the key, as in the `kid` header."""
        return key_id(bytes.fromhex(self.public_key))

    def valid_at(self, moment: datetime) -> bool:
        """Whether the key may be used at `moment`."""
        after = self.not_before is None or self.not_before <= moment
        return after and (self.not_after is None or moment < self.not_after)


class TrustFile(Record):
    """The file as it is written."""

    version: Literal[1] = 1
    keys: tuple[TrustedKey, ...]


@dataclass(frozen=True)
class Trust:
    """Trusted keys by their name, and the zone that they are trusted in."""

    keys: dict[str, TrustedKey]
    zone: str = ""
    """What was signed for another zone is not believed, whoever signed it."""

    def key(self, kid: str, role: Role | tuple[Role, ...], moment: datetime) -> TrustedKey:
        """The key called `kid`, where it may act in (one of) these roles now. Raises SignatureError."""
        roles = (role,) if isinstance(role, Role) else role
        found = self.keys.get(kid)
        named = " or ".join(one.value for one in roles)
        if found is None:
            raise SignatureError(
                f"key `{kid[:40]}` is not trusted as {named}; add it to the trust file"
            )
        if found.role not in roles:
            # Added again it would have two roles, which no key may have.
            raise SignatureError(
                f"key `{kid}` ({found.role.value}) is not trusted as {named}; use a key that is"
            )
        if not found.valid_at(moment):
            raise SignatureError(f"key `{kid}` is not valid now; rotate it in the trust file")
        return found


def build_trust(file: TrustFile, zone: str = "") -> Trust:
    """Index a trust file for one zone. Raises TrustError where one key stands twice."""
    keys = {key.kid: key for key in file.keys}
    if len(keys) != len(file.keys):
        raise TrustError(
            "one public key stands twice in the trust file; give each role a key of its own"
        )
    return Trust(keys, zone)


def load_trust(path: Path, zone: str = "") -> Trust:
    """Read a trust file for one zone. Raises TrustError."""
    try:
        file = TrustFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TrustError(
            f"trust file `{path}` cannot be read: {error.strerror}; run `sluicegate keys init`"
        ) from error
    except ValidationError as error:
        raise TrustError(
            f"trust file `{path}` refused{fault_of(error)}; correct it, or restore a copy"
        ) from error
    return build_trust(file, zone)
