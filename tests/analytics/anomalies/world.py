"""A small world for detections: agents with a past, and what they do in the last hours of it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from analytics.archive import Archive, RawRecord
from tests.analytics.records import append

END = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
"""A Thursday noon; the window of every test ends with it."""
PAST_DAYS = 5


class World:
    """Collects records; `archive` writes them in the order of time."""

    def __init__(self) -> None:
        self._records: list[tuple[datetime, str, int, bytes, int]] = []
        self._count = 0
        self._skips: dict[str, list[tuple[float, int]]] = {}

    def id(self) -> str:
        self._count += 1
        return str(UUID(int=(0x0190 << 112) | (7 << 76) | (2 << 62) | self._count))

    def put(
        self, topic: str, minute: float, value: dict[str, Any] | bytes, after_ms: int = 0
    ) -> str:
        """A record so many minutes before the end (negative) of the window; returns its digest."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        at = END + timedelta(minutes=minute, milliseconds=after_ms)
        self._count += 1
        self._records.append((at, topic, self._count, body, self._count))
        return hashlib.sha256(body).hexdigest()

    def act(
        self,
        agent: str,
        minute: float,
        text: str = "SELECT 1",
        *effects: str,
        decision: str | None = "allow",
        rule: str = "some-rule",
        outcome: str | None = "succeeded",
        session: str | None = None,
        kind: str = "sql",
        system: str = "crm",
        environment: str = "production",
        executor: str = "gate-1",
        behalf: str | None = None,
        policy: str = "0",
        approval: str | None = None,
        rows: int = 1,
        size: int = 100,
        ran: str | None = None,
        began_late_s: float = 0,
        after: str = "",
    ) -> str:
        """One action with its verdict and outcome. Effects are `verb type name [extent]`."""
        action = self.id()
        payload = (
            {"kind": "sql", "statement": text} if kind == "sql" else {"kind": kind, "line": text}
        )
        principal = {"id": agent, "kind": "agent", "on_behalf_of": behalf}
        digest = self.put(
            "actions",
            minute,
            {
                "id": action,
                "proposal": {
                    "principal": {**principal, "session": session or f"{agent}/1"},
                    "target": {"system": system, "environment": environment},
                    "payload": payload,
                },
                "executor": executor,
                "valid_for_ms": 1000,
            },
        )
        at = END + timedelta(minutes=minute, milliseconds=5)
        if decision is not None:
            self.put(
                "verdicts",
                minute,
                {
                    "id": self.id(),
                    "action_id": action,
                    "action_digest": digest,
                    "executor": executor,
                    "decision": decision,
                    "reasons": []
                    if decision == "allow"
                    else [{"code": "c", "message": "m", "rule": rule}],
                    "intent": [effect_of(one) for one in effects or ("read table sales.orders",)],
                    "policy": policy * 64,
                    "judge": "judge-1",
                    "approval": approval,
                    "issued_at": at.isoformat(),
                    "valid_for_ms": 1000,
                },
                after_ms=5,
            )
        if outcome is not None:
            acted = outcome in ("succeeded", "failed", "rolled_back") and decision != "deny"
            done = at + timedelta(seconds=began_late_s + 0.01)
            what = hashlib.sha256((ran or text).encode()).hexdigest()
            self.put(
                "outcomes",
                minute,
                {
                    "id": self.id(),
                    "action_id": action,
                    "action_digest": digest,
                    "executor": executor,
                    "principal": agent,
                    "session": session or f"{agent}/1",
                    "status": outcome if decision == "allow" or ran else "blocked",
                    "rows": rows,
                    "bytes": size,
                    "duration_us": 1000,
                    "executed_digest": what if acted or ran else None,
                    "finished_at": done.isoformat(),
                },
                after_ms=10,
            )
        return action

    def usual(
        self, agent: str, *effects: str, each: int = 2, step_hours: int = 3, **more: Any
    ) -> None:
        """Five days of ordinary work, up to a day before the end."""
        for hour in range(-24 * (PAST_DAYS + 1), -25, step_hours):
            for turn in range(each):
                name = f"usual{turn}"
                self.act(agent, hour * 60 + turn * 7, f"SELECT 1 FROM {name}", *effects, **more)

    def ask(self, agent: str, minute: float, owner: str = "olga", behalf: str | None = None) -> str:
        """A request for an approval; its id."""
        request = self.id()
        action = self.act(agent, minute, decision="require_approval", outcome=None)
        self.put(
            "requests",
            minute,
            {
                "id": request,
                "kind": "approval",
                "judge": "judge-1",
                "action_id": action,
                "action_digest": "0" * 64,
                "principal": {"id": agent, "kind": "agent", "on_behalf_of": behalf},
                "owner": owner,
                "executor": "gate-1",
            },
            after_ms=5,
        )
        return request

    def vote(
        self, request: str, by: str, minute: float, after_s: float = 60, choice: str = "approve"
    ) -> None:
        """Somebody's word on it."""
        self.put(
            "approvals",
            minute,
            {
                "id": self.id(),
                "issue": {"version": 1, "by": by, "at": END.isoformat()},
                "request": request,
                "choice": choice,
            },
            after_ms=5 + round(after_s * 1000),
        )

    def enrol(self, agent: str, minute: float) -> None:
        """An administrator speaks of an agent."""
        self.put(
            "principals",
            minute,
            {
                "id": self.id(),
                "issue": {"version": 2, "by": "root", "at": END.isoformat()},
                "principal": {"id": agent, "kind": "agent"},
            },
        )

    def skip(self, topic: str, minute: float, offsets: int) -> None:
        """From then on so many offsets of the topic are missing."""
        self._skips.setdefault(topic, []).append((minute, offsets))

    def archive(self, directory: Path) -> Path:
        """Write everything. The window's last record is one that nothing is said of."""
        self.put("findings", -0.001, b"{}")
        offsets: dict[str, int] = {}
        batch = []
        for at, topic, _, value, _ in sorted(self._records, key=lambda one: (one[0], one[2])):
            offset = offsets.get(topic, 0)
            for one in list(self._skips.get(topic, ())):
                if at >= END + timedelta(minutes=one[0]):
                    offset += one[1]
                    self._skips[topic].remove(one)
            offsets[topic] = offset + 1
            batch.append(
                RawRecord(topic, 0, offset, round(at.timestamp() * 1_000), 1, b"key", (), value)
            )
        with Archive.open(directory, cluster_id="c") as archive:
            append(archive, batch)
        return directory


def effect_of(text: str) -> dict[str, str]:
    """`read table sales.orders whole` as an effect."""
    verb, sort, name, *extent = text.split(" ")
    namespace, _, last = name.rpartition(".") if sort == "table" else ("", "", name)
    found = extent[0] if extent else "none"
    return {"verb": verb, "type": sort, "name": last, "namespace": namespace, "extent": found}
