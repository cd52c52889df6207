"""Action: what somebody wants to be done, as the executor's gate signed it."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from enforcers.contract.base import (
    MAX_SAFE_INTEGER,
    MAX_VALID_FOR_MS,
    Identifier,
    Line,
    Moment,
    Record,
)

Text = Annotated[str, StringConstraints(max_length=262_144)]
Word = Annotated[str, StringConstraints(max_length=65_536)]
MAX_DEPTH = 64
"""Deepest nesting of a tool call's arguments."""


def _portable(value: JsonValue, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"arguments are nested deeper than {MAX_DEPTH}")
    match value:
        case dict():
            for key, one in value.items():
                _portable(key, depth)
                _portable(one, depth + 1)
        case list():
            for one in value:
                _portable(one, depth + 1)
        case str():
            value.encode()
        case int():
            if abs(value) > MAX_SAFE_INTEGER:
                raise ValueError("integers beyond 2^53 must be sent as text")
        case float():
            if not math.isfinite(value):
                raise ValueError("numbers must be finite")


def _checked(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    _portable(arguments)
    return arguments


Arguments = Annotated[dict[str, JsonValue], AfterValidator(_checked)]
"""A JSON object that every JSON reader reads alike: finite numbers, safe integers, whole characters."""


class PrincipalKind(StrEnum):
    """What sort of actor proposes."""

    HUMAN = "human"
    AGENT = "agent"
    SERVICE = "service"
    CI = "ci"


class Capability(StrEnum):
    """What an executor can do for a verdict. Counts only where the trust file grants it."""

    MASK = "mask"
    LIMIT_ROWS = "limit_rows"
    MAX_ROWS_AFFECTED = "max_rows_affected"
    EPHEMERAL_CREDENTIAL = "ephemeral_credential"
    TRANSACTION = "transaction"


class Principal(Record):
    """Who proposes, for whom, and in which session."""

    id: Identifier
    kind: PrincipalKind
    on_behalf_of: Identifier | None = None
    session: Identifier | None = None


class Target(Record):
    """Where the action would run."""

    system: Identifier
    environment: Identifier
    catalog: Identifier | None = None
    dialect: Identifier | None = None


class SqlPayload(Record):
    """A statement, exactly as it would be sent to the database."""

    kind: Literal["sql"] = "sql"
    statement: Text


class ShellPayload(Record):
    """
    A command: one argv for an executor that runs it without a shell, or a command line as text.

    `program` is the absolute path that the executor resolved; it is what will be run.
    """

    kind: Literal["shell"] = "shell"
    argv: Annotated[tuple[Word, ...], Field(max_length=4_096)] = ()
    line: Text | None = None
    program: Word | None = None
    cwd: Word | None = None
    workspace: Word | None = None


class ToolPayload(Record):
    """A call of a named tool. Its meaning is not read yet, so it is opaque."""

    kind: Literal["tool"] = "tool"
    tool: Identifier
    arguments: Arguments = Field(default_factory=dict)


class TextPayload(Record):
    """An action of a kind that is not read yet, as text; always opaque."""

    kind: Literal["http", "file", "kubernetes", "terraform"]
    text: Text


class CanaryPayload(Record):
    """A gate's round trip before it opens. Never executed, always denied as `canary`."""

    kind: Literal["canary"] = "canary"


Payload = Annotated[
    SqlPayload | ShellPayload | ToolPayload | TextPayload | CanaryPayload,
    Field(discriminator="kind"),
]


class Proposal(Record):
    """What the principal asks for, before a gate sends it."""

    principal: Principal
    target: Target
    payload: Payload
    reason: Line | None = None
    ticket: Identifier | None = None
    parent: UUID | None = None
    """Verdict of the admitted action inside which this one is proposed."""


class Signed(Record):
    """A principal's own signature over its proposal; see `enforcers.contract.proof`."""

    kid: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    at: Moment
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


class Action(Record):
    """A proposal as an executor's gate sends it."""

    id: UUID
    proposal: Proposal
    signed: Signed | None = None
    executor: Identifier
    capabilities: tuple[Capability, ...] = ()
    reply_partition: Annotated[int, Field(ge=0, le=65_535)]
    issued_at: Moment
    valid_for_ms: Annotated[int, Field(ge=1, le=MAX_VALID_FOR_MS)] = 1_000
    nonce: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

    @property
    def subject(self) -> str:
        """What its records are about: itself."""
        return str(self.id)
