"""Rows of the archive's queries, the Kafka record behind each, and whether its signature holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from analytics.archive.database import first_line
from analytics.evidence import Evidence
from analytics.queries import load
from enforcers.contract.base import Record
from enforcers.contract.record import check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust, TrustedKey
from enforcers.contract.wire import Headers, header_map
from enforcers.errors import ArchiveError, ContractError

Row = dict[str, Any]

NO_TIME = "record has no time; nothing to hold the key's validity against"


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, *parameters: Any, **named: Any
) -> list[Row]:
    """What a query of `analytics.queries` finds; parameters by place or by name. Raises ArchiveError."""
    try:
        cursor = connection.execute(load(query), named or list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except duckdb.Error as error:
        first = first_line(error)
        raise ArchiveError(f"archive cannot be read: {first}; connect to it again") from error


def moment_of(value: Any) -> datetime | None:
    """A time that a record names; None where it is infinite, or in a year that no calendar here has."""
    return value if isinstance(value, datetime) and value.tzinfo else None


def evidence(row: Row) -> Evidence:
    """The Kafka record of a row."""
    return Evidence(
        row["seq"],
        row["topic"],
        row["partition"],
        row["offset"],
        row["recorded_at"],
        row["value_sha256"],
    )


def headers_of(row: Row) -> Mapping[str, bytes]:
    """The headers of a row by name. Raises ContractError where one stands twice."""
    pairs: Headers = tuple((one["name"], one["value"] or b"") for one in row["headers"])
    return header_map(pairs)


def signer_of(
    row: Row, kind: type[Record], roles: Role | tuple[Role, ...], trust: Trust, memory: RootMemory
) -> TrustedKey:
    """The key that signed a row's record, valid when the broker stored it. Raises ContractError."""
    recorded: datetime | None = row["recorded_at"]
    if recorded is None:
        raise ContractError(NO_TIME)
    return check_signature(kind, row["value"], headers_of(row), trust, roles, recorded, memory)
