"""Records for the archive's tests, made with the real contract."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive import Archive, Partition, RawRecord
from analytics.reader import connect
from enforcers.contract.action import (
    Action,
    CanaryPayload,
    Payload,
    Principal,
    PrincipalKind,
    Proposal,
    SqlPayload,
    Target,
)
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.digest import action_digest
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.verdict import Decision, Reason, Verdict
from enforcers.contract.wire import encode

NOW_MS = 1_795_272_897_589


def raw(
    topic: str,
    offset: int,
    value: bytes | None = b"{}",
    partition: int = 0,
    timestamp_ms: int = NOW_MS,
    headers: tuple[tuple[str, bytes | None], ...] = (),
) -> RawRecord:
    return RawRecord(topic, partition, offset, timestamp_ms, 1, b"key", headers, value)


def numbered(first: int, count: int, topic: str = "findings") -> list[RawRecord]:
    return [raw(topic, offset, b'{"n": %d}' % offset) for offset in range(first, first + count)]


def starts(batch: Sequence[RawRecord]) -> dict[Partition, int]:
    """Each partition's first offset: as if it had been read from there."""
    found: dict[Partition, int] = {}
    for record in batch:
        found.setdefault((record.topic, record.partition), record.offset)
    return found


def append(archive: Archive, batch: Sequence[RawRecord]) -> None:
    archive.append(batch, starts(batch))


def action(
    statement: str = "SELECT 1", session: str = "s-1", payload: Payload | None = None
) -> Action:
    principal = Principal(
        id="agent-7", kind=PrincipalKind.AGENT, on_behalf_of="ada", session=session
    )
    return Action(
        id=uuid7(),
        proposal=Proposal(
            principal=principal,
            target=Target(system="crm", environment="production"),
            payload=payload or SqlPayload(statement=statement),
            reason="clean up",
            ticket="OPS-1",
        ),
        executor="executor-1",
        reply_partition=0,
        issued_at=utc_now(),
        nonce="0" * 32,
    )


def canary() -> Action:
    return action(payload=CanaryPayload())


def verdict(
    on: Action, decision: Decision = Decision.DENY, digest: str = "", executor: str = ""
) -> Verdict:
    return Verdict(
        id=uuid7(),
        action_id=on.id,
        action_digest=digest or action_digest(encode(on)),
        executor=executor or on.executor,
        decision=decision,
        reasons=(
            Reason(code="sql.drop", message="drops a schema", rule="no-drop", remedy="rename it"),
        ),
        policy="0" * 64,
        judge="judge-1",
        issued_at=utc_now(),
        valid_for_ms=1_000,
    )


def outcome(on: Action, status: Status = Status.SUCCEEDED) -> Outcome:
    return Outcome(
        id=uuid7(),
        action_id=on.id,
        action_digest=action_digest(encode(on)),
        executor=on.executor,
        principal=on.proposal.principal.id,
        session=on.proposal.principal.session,
        status=status,
        rows=3,
        bytes=24,
        finished_at=utc_now(),
    )


def records(
    topic: str, models: Iterable[Any], first: int = 0, timestamp_ms: int = NOW_MS
) -> list[RawRecord]:
    return [
        raw(topic, first + at, encode(model), timestamp_ms=timestamp_ms)
        for at, model in enumerate(models)
    ]


def query(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    with connect(directory) as connection:
        return rows(connection, sql)


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def assert_complete(directory: Path, offset: int, topic: str = "findings") -> None:
    """Every offset below `offset` stands in the archive once, and sequences are dense."""
    sql = f"""SELECT count(*), count(DISTINCT "offset"), coalesce(max("offset") + 1, 0),
        count(DISTINCT seq), coalesce(max(seq), 0) FROM records WHERE topic = '{topic}'"""
    assert query(directory, sql) == [(offset,) * 5]
