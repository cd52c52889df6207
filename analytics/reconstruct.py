"""
Who changed what, when and why: one action or one session, put together from the archive.

Every part names the Kafka record that it was read from, so that it can be checked elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import duckdb

from analytics.evidence import UNSUSPECTED, Evidence
from analytics.rows import Row, evidence, moment_of, rows, signer_of
from analytics.seen import ActionSeen, EffectSeen, OutcomeSeen, ReasonSeen, SessionSeen, VerdictSeen
from analytics.words import Words
from enforcers.contract.action import Action
from enforcers.contract.base import Record
from enforcers.contract.outcome import Outcome
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.verdict import Verdict
from enforcers.errors import ContractError

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
    "actions",
    "session",
]


def action(
    connection: duckdb.DuckDBPyConnection, action_id: str, *, trust: Trust | None = None
) -> tuple[ActionSeen, ...]:
    """
    The action of this id: empty where there is none, several where one id came with other bytes.

    With `trust`, verdicts' signatures are checked. Raises ContractError for what is no id, ArchiveError.
    """
    try:
        wanted = UUID(action_id)
    except ValueError as error:
        raise ContractError(
            f"`{action_id[:80]}` is no action id; give the UUID that the verdict names"
        ) from error
    return actions(connection, [wanted], trust=trust)


def actions(
    connection: duckdb.DuckDBPyConnection, ids: Sequence[UUID], *, trust: Trust | None = None
) -> tuple[ActionSeen, ...]:
    """The actions of these ids, in the order in which they were recorded."""
    return _actions(connection, rows(connection, "actions_of", **_named(ids)), trust)


def session(
    connection: duckdb.DuckDBPyConnection, session_id: str, *, trust: Trust | None = None
) -> SessionSeen:
    """The session of this id; without actions where there is none."""
    found = rows(connection, "session_of", session=session_id)
    return SessionSeen(session_id, _actions(connection, found, trust))


def _actions(
    connection: duckdb.DuckDBPyConnection, actions: Sequence[Row], trust: Trust | None
) -> tuple[ActionSeen, ...]:
    named = _named([row["action_id"] for row in actions])
    answers = rows(connection, "verdicts_of", **named)
    outcomes = rows(connection, "outcomes_of", **named)
    check = _Check(trust)
    groups: dict[Key, list[Row]] = {}
    for row in actions:
        groups.setdefault((row["action_id"], row["action_digest"]), []).append(row)
    verdicts = {
        (key, digest): tuple(_verdict(row, digest, check) for row in _on(key, answers))
        for key, digest in groups
    }
    words = _words(connection, groups, verdicts, trust)
    return tuple(
        _action(
            group,
            verdicts[key, digest],
            tuple(_outcome(row, digest, check) for row in _on(key, outcomes)),
            words[_zone_of(group)],
            check,
        )
        for (key, digest), group in groups.items()
    )


def _named(ids: Iterable[UUID]) -> dict[str, Any]:
    """Ids, and the times that stand in them: by these DuckDB knows which parts of files to pass over."""
    wanted = sorted(set(ids))
    times = [one.int >> 80 for one in wanted]
    low, high = min(times, default=0), max(times, default=0)
    return {"ids": [str(one) for one in wanted], "low": low, "high": high}


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
    check: _Check,
) -> ActionSeen:
    # What a stranger stored before the executor's own record, with other headers, is not it.
    signed = ((row, check.of(row, Action, Role.EXECUTOR, row["executor"])) for row in group)
    first, signature = next((one for one in signed if one[1] in UNSUSPECTED), (group[0], ""))
    replays = [row for row in group if row is not first]
    same = {name: first[name] for name in _ACTION_FIELDS}
    return ActionSeen(
        id=first["action_id"],
        digest=first["action_digest"],
        text=first["text"] or "",
        issued_at=moment_of(first["issued_at"]),
        evidence=evidence(first),
        replays=tuple(evidence(row) for row in replays),
        verdicts=verdicts,
        outcomes=outcomes,
        words=words.behind(_unsuspected(verdicts)),
        signature=signature or check.of(first, Action, Role.EXECUTOR, first["executor"]),
        **same,
    )


_ACTION_FIELDS = (
    "principal",
    "principal_kind",
    "on_behalf_of",
    "session",
    "system",
    "environment",
    "catalog",
    "kind",
    "reason",
    "ticket",
    "parent",
    "executor",
    "bytes_match",
)


class _Check:
    """What speaks against the signatures of records, for one look at the archive."""

    def __init__(self, trust: Trust | None) -> None:
        self._trust = trust
        self._memory = RootMemory()

    def of(self, row: Row, kind: type[Record], role: Role, by: str) -> str:
        """`valid`, `not checked`, or what is wrong with the signature of a record that `by` says."""
        if self._trust is None:
            return "not checked"
        try:
            key = signer_of(row, kind, role, self._trust, self._memory)
        except ContractError as error:
            return str(error)
        return "valid" if key.id == by else f"key of `{key.id}` signed for `{by}`"


def _verdict(row: Row, digest: str, check: _Check) -> VerdictSeen:
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
        issued_at=moment_of(row["issued_at"]),
        digest_matches=row["action_digest"] == digest,
        duplicate=row["duplicate"],
        signature=check.of(row, Verdict, Role.JUDGE, row["judge"] or ""),
        evidence=evidence(row),
        quarantine=_quarantine(reasons),
        intent=tuple(effects_of(row["intent"] or ())),
        obligations=tuple(_obligations(row["obligations"] or ())),
        valid_for_ms=row["valid_for_ms"],
        **_people(row),
    )


def effects_of(intent: Iterable[Row]) -> Iterable[EffectSeen]:
    """The effects of a verdict's row."""
    for one in intent:
        words = (one.get(name) or "" for name in ("verb", "type", "name", "namespace", "extent"))
        yield EffectSeen(*words)


def _obligations(obligations: Iterable[Row]) -> Iterable[str]:
    for one in obligations:
        value = "" if one["value"] is None else f" {one['value']}"
        columns = ", ".join(one["columns"] or ())
        yield f"{one['kind']}{value}{f' of {columns}' if columns else ''}"


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


def _outcome(row: Row, digest: str, check: _Check) -> OutcomeSeen:
    return OutcomeSeen(
        id=row["outcome_id"],
        verdict_id=row["verdict_id"],
        status=row["status"],
        rows=row["rows_affected"],
        bytes=row["bytes_returned"],
        duration_us=row["duration_us"],
        error=row["error"],
        executed_digest=row["executed_digest"],
        finished_at=moment_of(row["finished_at"]),
        digest_matches=row["action_digest"] == digest,
        duplicate=row["duplicate"],
        evidence=evidence(row),
        executor=row["executor"] or "",
        signature=check.of(row, Outcome, Role.EXECUTOR, row["executor"] or ""),
    )
