"""
Who changed what, when and why: one action or one session, put together from the archive.

Every part names the Kafka record that it was read from, so that it can be checked elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import duckdb

from analytics.queries import load
from analytics.seen import ActionSeen, Evidence, OutcomeSeen, ReasonSeen, SessionSeen, VerdictSeen
from enforcers.contract.record import check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import header_map
from enforcers.errors import ArchiveError, ContractError

Row = dict[str, Any]

__all__ = [
    "ActionSeen",
    "Evidence",
    "OutcomeSeen",
    "ReasonSeen",
    "SessionSeen",
    "VerdictSeen",
    "action",
    "session",
]


def action(
    connection: duckdb.DuckDBPyConnection, action_id: str, *, trust: Trust | None = None
) -> tuple[ActionSeen, ...]:
    """
    The action of this id: empty where there is none, several where one id came with other bytes.

    With `trust`, verdicts' signatures are checked. Raises ArchiveError for what is no id.
    """
    try:
        wanted = str(UUID(action_id))
    except ValueError as error:
        raise ArchiveError(
            f"`{action_id[:80]}` is no action id; give the UUID that the verdict names"
        ) from error
    return _actions(connection, [wanted], [], trust)


def session(
    connection: duckdb.DuckDBPyConnection, session_id: str, *, trust: Trust | None = None
) -> SessionSeen:
    """The session of this id; without actions where there is none."""
    return SessionSeen(session_id, _actions(connection, [], [session_id], trust))


def _actions(
    connection: duckdb.DuckDBPyConnection,
    ids: Sequence[str],
    sessions: Sequence[str],
    trust: Trust | None,
) -> tuple[ActionSeen, ...]:
    rows = _rows(connection, "actions_of", list(ids), list(sessions))
    found = list({str(row["action_id"]) for row in rows})
    verdicts = _rows(connection, "verdicts_of", found)
    outcomes = _rows(connection, "outcomes_of", found)
    memory = RootMemory()
    groups: dict[tuple[UUID, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["action_id"], row["action_digest"]), []).append(row)
    return tuple(
        _action(
            group,
            tuple(_verdict(row, digest, trust, memory) for row in _on(key, verdicts)),
            tuple(_outcome(row, digest) for row in _on(key, outcomes)),
        )
        for (key, digest), group in groups.items()
    )


def _on(key: UUID, rows: Iterable[Row]) -> Iterable[Row]:
    return (row for row in rows if row["action_id"] == key)


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *parameters: list[str]) -> list[Row]:
    try:
        cursor = connection.execute(load(query), list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise ArchiveError(f"archive cannot be read: {first}; connect to it again") from error


def _action(
    group: Sequence[Row], verdicts: tuple[VerdictSeen, ...], outcomes: tuple[OutcomeSeen, ...]
) -> ActionSeen:
    first, *replays = group
    same = {name: first[name] for name in _ACTION_FIELDS}
    return ActionSeen(
        id=first["action_id"],
        digest=first["action_digest"],
        text=first["text"] or "",
        evidence=_evidence(first),
        replays=tuple(_evidence(row) for row in replays),
        verdicts=verdicts,
        outcomes=outcomes,
        **same,
    )


_ACTION_FIELDS = (
    "principal",
    "principal_kind",
    "on_behalf_of",
    "session",
    "system",
    "environment",
    "kind",
    "reason",
    "ticket",
    "parent",
    "executor",
    "issued_at",
    "bytes_match",
)


def _evidence(row: Row) -> Evidence:
    return Evidence(
        row["seq"],
        row["topic"],
        row["partition"],
        row["offset"],
        row["recorded_at"],
        row["value_sha256"],
    )


def _verdict(row: Row, digest: str, trust: Trust | None, memory: RootMemory) -> VerdictSeen:
    return VerdictSeen(
        id=row["verdict_id"],
        decision=row["decision"],
        would_deny=bool(row["would_deny"]),
        reasons=tuple(_reasons(row["reasons"] or ())),
        rewrite=row["rewrite"],
        policy=row["policy"] or "",
        judge=row["judge"] or "",
        executor=row["executor"] or "",
        issued_at=row["issued_at"],
        digest_matches=row["action_digest"] == digest,
        duplicate=row["duplicate"],
        signature=_signature(row, trust, memory) if trust else "not checked",
        evidence=_evidence(row),
        **_people(row),
    )


def _people(row: Row) -> Row:
    """What of grants and approvals the verdict names; it is read from its bytes, for views do not have it."""
    try:
        body = json.loads(row["value"])
        grants = tuple(str(one) for one in body.get("grants") or ())
    except (ValueError, TypeError, AttributeError):
        return {}
    named = {name: body.get(name) for name in ("approval", "request")}
    return {"grants": grants, **{name: one and str(one) for name, one in named.items()}}


def _reasons(reasons: Iterable[Row]) -> Iterable[ReasonSeen]:
    for reason in reasons:
        yield ReasonSeen(
            reason["code"] or "",
            reason["message"] or "",
            reason["rule"],
            reason["remedy"] or "",
        )


def _signature(row: Row, trust: Trust, memory: RootMemory) -> str:
    headers = [(header["name"], header["value"] or b"") for header in row["headers"]]
    recorded: datetime | None = row["recorded_at"]
    if recorded is None:
        return "record has no time; nothing to hold the key's validity against"
    try:
        check_signature(
            Verdict, row["value"], header_map(headers), trust, Role.JUDGE, recorded, memory
        )
    except ContractError as error:
        return str(error)
    return "valid"


def _outcome(row: Row, digest: str) -> OutcomeSeen:
    return OutcomeSeen(
        id=row["outcome_id"],
        verdict_id=row["verdict_id"],
        status=row["status"],
        rows=row["rows_affected"],
        duration_us=row["duration_us"],
        error=row["error"],
        executed_digest=row["executed_digest"],
        finished_at=row["finished_at"],
        digest_matches=row["action_digest"] == digest,
        duplicate=row["duplicate"],
        evidence=_evidence(row),
    )
