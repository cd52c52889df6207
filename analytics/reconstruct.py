"""
Who changed what, when and why: one action or one session, put together from the archive.

Every part names the Kafka record that it was read from, so that it can be checked elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import duckdb

from analytics.rows import Row, evidence, rows, signer_of
from analytics.seen import (
    UNSUSPECTED,
    ActionSeen,
    Evidence,
    OutcomeSeen,
    ReasonSeen,
    SessionSeen,
    VerdictSeen,
)
from analytics.words import Words
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.verdict import Verdict
from enforcers.errors import ArchiveError, ContractError

Key = tuple[UUID, str]
"""An action's id and the digest of its bytes."""

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
    actions = rows(connection, "actions_of", list(ids), list(sessions))
    found = list({str(row["action_id"]) for row in actions})
    answers = rows(connection, "verdicts_of", found)
    outcomes = rows(connection, "outcomes_of", found)
    memory = RootMemory()
    groups: dict[Key, list[Row]] = {}
    for row in actions:
        groups.setdefault((row["action_id"], row["action_digest"]), []).append(row)
    verdicts = {
        (key, digest): tuple(_verdict(row, digest, trust, memory) for row in _on(key, answers))
        for key, digest in groups
    }
    words = _words(connection, groups, verdicts, trust)
    return tuple(
        _action(
            group,
            verdicts[key, digest],
            tuple(_outcome(row, digest) for row in _on(key, outcomes)),
            words[_zone_of(group)],
        )
        for (key, digest), group in groups.items()
    )


def _on(key: UUID, rows: Iterable[Row]) -> Iterable[Row]:
    return (row for row in rows if row["action_id"] == key)


def _words(
    connection: duckdb.DuckDBPyConnection,
    groups: Mapping[Key, Sequence[Row]],
    verdicts: Mapping[Key, tuple[VerdictSeen, ...]],
    trust: Trust | None,
) -> dict[str, Words]:
    """What was said in each zone that actions were proposed in: no word holds in another one."""
    zones: dict[str, list[VerdictSeen]] = {}
    for key, group in groups.items():
        zones.setdefault(_zone_of(group), []).extend(_unsuspected(verdicts[key]))
    return {zone: Words(connection, zone, found, trust) for zone, found in zones.items()}


def _unsuspected(verdicts: Iterable[VerdictSeen]) -> list[VerdictSeen]:
    """What a forged verdict names says nothing about the action."""
    return [one for one in verdicts if one.signature in UNSUSPECTED]


def _zone_of(group: Sequence[Row]) -> str:
    """What stands before the names of the zone's topics."""
    return str(group[0]["topic"]).removesuffix("actions")


def _action(
    group: Sequence[Row],
    verdicts: tuple[VerdictSeen, ...],
    outcomes: tuple[OutcomeSeen, ...],
    words: Words,
) -> ActionSeen:
    first, *replays = group
    same = {name: first[name] for name in _ACTION_FIELDS}
    return ActionSeen(
        id=first["action_id"],
        digest=first["action_digest"],
        text=first["text"] or "",
        evidence=evidence(first),
        replays=tuple(evidence(row) for row in replays),
        verdicts=verdicts,
        outcomes=outcomes,
        words=words.behind(_unsuspected(verdicts)),
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


def _verdict(row: Row, digest: str, trust: Trust | None, memory: RootMemory) -> VerdictSeen:
    reasons = tuple(_reasons(row["reasons"] or ()))
    return VerdictSeen(
        id=row["verdict_id"],
        decision=row["decision"],
        would_deny=bool(row["would_deny"]),
        reasons=reasons,
        rewrite=row["rewrite"],
        policy=row["policy"] or "",
        judge=row["judge"] or "",
        executor=row["executor"] or "",
        issued_at=row["issued_at"],
        digest_matches=row["action_digest"] == digest,
        duplicate=row["duplicate"],
        signature=_signature(row, trust, memory) if trust else "not checked",
        evidence=evidence(row),
        quarantine=_quarantine(reasons),
        **_people(row),
    )


def _people(row: Row) -> Row:
    """What of grants and approvals the verdict names; it is read from its bytes, for views do not have it."""
    try:
        body = json.loads(row["value"])
        grants = tuple(str(UUID(one)) for one in body.get("grants") or ())
        named = {name: body.get(name) for name in ("approval", "request")}
        asked = {name: str(UUID(one)) for name, one in named.items() if one}
    except (ValueError, TypeError, AttributeError):
        return {}
    return {"grants": grants, **asked}


def _quarantine(reasons: Iterable[ReasonSeen]) -> str | None:
    """The quarantine that stopped the action: it stands at the end of the remedy."""
    for reason in reasons:
        if reason.code == "quarantined":
            try:
                return str(UUID(reason.remedy.rpartition(" ")[2]))
            except ValueError:
                return None
    return None


def _reasons(reasons: Iterable[Row]) -> Iterable[ReasonSeen]:
    for reason in reasons:
        yield ReasonSeen(
            reason["code"] or "",
            reason["message"] or "",
            reason["rule"],
            reason["remedy"] or "",
        )


def _signature(row: Row, trust: Trust, memory: RootMemory) -> str:
    try:
        signer_of(row, Verdict, Role.JUDGE, trust, memory)
    except ContractError as error:
        return str(error)
    return "valid"


def _outcome(row: Row, digest: str) -> OutcomeSeen:
    return OutcomeSeen(
        id=row["outcome_id"],
        verdict_id=row["verdict_id"],
        status=row["status"],
        rows=row["rows_affected"],
        bytes=row["bytes_returned"],
        duration_us=row["duration_us"],
        error=row["error"],
        executed_digest=row["executed_digest"],
        finished_at=row["finished_at"],
        digest_matches=row["action_digest"] == digest,
        duplicate=row["duplicate"],
        evidence=evidence(row),
    )
