"""
Bytes ↔ models, and the Kafka headers that repeat signed fields for routing.

INVARIANT: `decode(encode(model)) == model`, and a text that two JSON readers could read differently is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn, TypeVar
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from enforcers.contract.action import Action
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.base import MAX_BYTES, Record
from enforcers.contract.control import Control
from enforcers.contract.enrolment import Enrolment
from enforcers.contract.finding import Finding
from enforcers.contract.grant import Grant, GrantRequest
from enforcers.contract.history import History
from enforcers.contract.outcome import Outcome
from enforcers.contract.publication import Publication
from enforcers.contract.verdict import Verdict
from enforcers.errors import ContractError, OversizedError

Headers = tuple[tuple[str, bytes], ...]
Model = TypeVar("Model", bound=Record)
_MAX_MESSAGE = 300

TYPES: dict[type[Record], str] = {
    Action: "io.sluicegate.action.proposed.v1",
    Verdict: "io.sluicegate.verdict.issued.v1",
    Outcome: "io.sluicegate.outcome.reported.v1",
    ApprovalRequest: "io.sluicegate.approval.requested.v1",
    GrantRequest: "io.sluicegate.grant.requested.v1",
    Vote: "io.sluicegate.approval.voted.v1",
    Grant: "io.sluicegate.grant.issued.v1",
    Control: "io.sluicegate.control.issued.v1",
    Enrolment: "io.sluicegate.principal.enrolled.v1",
    Publication: "io.sluicegate.policy.published.v1",
    History: "io.sluicegate.history.counted.v1",
    Finding: "io.sluicegate.finding.raised.v1",
}
"""CloudEvents type of each model that travels."""


def encode(model: Record) -> bytes:
    """UTF-8 JSON without spaces; fields in the order of the schema. Raises ContractError or OversizedError."""
    try:
        value = model.model_dump_json().encode()
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise ContractError(
            f"{_name(type(model))} has no JSON form: {_plain(error)}; send plain text"
        ) from error
    if len(value) > MAX_BYTES:
        raise OversizedError(_oversized(len(value)))
    return value


def decode(model: type[Model], value: bytes) -> Model:
    """Read one record strictly. Raises ContractError or OversizedError."""
    if len(value) > MAX_BYTES:
        raise OversizedError(_oversized(len(value)))
    try:
        _refuse_ambiguity(value)
        return model.model_validate_json(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _plain(".".join(str(part) for part in first["loc"]) or "record")
        raise ContractError(
            f"{_name(model)} refused at `{where}`: {_plain(first['msg'].lower())}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ContractError(
            f"{_name(model)} is no JSON that can be read in one way: {_plain(error)}"
        ) from error


def _name(model: type[Record]) -> str:
    return model.__name__.lower()


def _plain(found: object) -> str:
    """Bytes that anybody may send end in logs and terminals: one line, printable, short."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(found)[:_MAX_MESSAGE])


def _refuse_ambiguity(value: bytes) -> None:
    json.loads(value.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object; send it once")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is no JSON; leave the value out")


def _oversized(size: int) -> str:
    return f"record of {size} bytes is over the limit of {MAX_BYTES}; send a smaller payload"


def headers_of(
    kind: type[Record], event_id: UUID, subject: str, source: str, kid: str, sig: bytes
) -> Headers:
    """CloudEvents 1.0 binary-mode headers of a signed record; the subject is what it is about."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_type", TYPES[kind].encode()),
        ("ce_source", source.encode()),
        ("ce_subject", subject.encode()),
        ("content-type", b"application/json"),
        ("kid", kid.encode()),
        ("sig", sig),
    )


def header_map(headers: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Headers by name. Raises ContractError where one stands twice or a name was not UTF-8."""
    found: dict[str, bytes] = {}
    for name, value in headers:
        if not (name.isascii() or _is_text(name)):
            raise ContractError(f"header name `{_plain(name)}` is not UTF-8; send plain text")
        if name in found:
            raise ContractError(f"header `{_plain(name)}` stands twice; send it once")
        found[name] = value
    return found


def _is_text(name: str) -> bool:
    """Whether a name has no lone surrogates, which stand for bytes that are not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
