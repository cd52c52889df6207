"""A gate, the judge that the test plays, and more keys than one: the stage for verdicts that must not be obeyed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from nacl.signing import SigningKey

from console.identity import ROLES, key_path, load_trust_of
from console.settings import Settings
from enforcers.contract.action import SqlPayload
from enforcers.contract.base import utc_now
from enforcers.contract.keys import load_key
from enforcers.contract.record import SignedRecord
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, TrustedKey, TrustFile
from enforcers.gate import Gate
from enforcers.waiting import Waiting
from streams.routing import reply_partition
from tests.integration.played_judge import Heard, PlayedJudge, signed, verdict_on
from tests.integration.stack import sql

PATIENT_MS = 4_000


@dataclass
class Asked:
    """An action that waits for its verdict, and the task that executes it once it is admitted."""

    heard: Heard
    acting: asyncio.Task[None]
    waiting: Waiting | None
    """The gate's own note of it: the only place that says why a record was rejected before the verdict came."""


@dataclass
class Scene:
    """One gate, the judge that the test plays, and what was executed by which verdict."""

    judge: PlayedJudge
    gate: Gate
    keys: dict[str, Signer]
    executed: list[tuple[UUID, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = Counter(self.gate.ignored)

    @property
    def ignored(self) -> dict[str, int]:
        """What the gate did not obey in this scene."""
        return dict(Counter(self.gate.ignored) - self._before)

    async def propose(self, statement: str = "SELECT 1", valid_for_ms: int = PATIENT_MS) -> Asked:
        """Propose a statement in the background, and hear it as the judge."""
        acting = asyncio.create_task(self._act(statement, valid_for_ms))
        heard = await self.judge.next()
        waiting = self.gate._room._waiting.get(str(heard.action.id).encode())
        return Asked(heard, acting, waiting)

    async def obeys(self, asked: Asked) -> None:
        """The genuine verdict is said, and the statement runs by it and by no other."""
        verdict = verdict_on(asked.heard, self.judge.id)
        await self.judge.say(asked.heard, signed(verdict, self.judge.signer))
        await asked.acting
        payload = asked.heard.action.proposal.payload
        assert isinstance(payload, SqlPayload)
        assert self.executed[-1] == (verdict.id, payload.statement)

    def allow(self, heard: Heard, **changes: object) -> SignedRecord:
        """The genuine verdict, but for the changes, signed by the judge."""
        return signed(verdict_on(heard, self.judge.id, **changes), self.judge.signer)

    def by(self, name: str, heard: Heard, **changes: object) -> SignedRecord:
        """The genuine verdict, but for the changes, signed by somebody else."""
        return signed(verdict_on(heard, self.judge.id, **changes), self.keys[name])

    async def _act(self, statement: str, valid_for_ms: int) -> None:
        async with self.gate.admitted(sql(statement), valid_for_ms) as permit:
            payload = permit.take()
            assert isinstance(payload, SqlPayload)
            self.executed.append((permit.verdict.id, payload.statement))


def enrol(settings: Settings) -> dict[str, Signer]:
    """Pin some more keys, and name every key that signs in these tests."""
    made = {
        name: Signer(SigningKey.generate(), settings.zone)
        for name in ("judge-2", "old", "coming", "next", "stranger")
    }
    now, day = utc_now(), timedelta(days=1)
    trust = load_trust_of(settings)
    pinned = (
        *trust.keys.values(),
        trusted("judge-2", Role.JUDGE, made["judge-2"]),
        trusted("judge-1", Role.JUDGE, made["old"]).model_copy(update={"not_after": now - day}),
        trusted("judge-1", Role.JUDGE, made["coming"]).model_copy(update={"not_before": now + day}),
        trusted(neighbour_of(settings.executor), Role.EXECUTOR, made["next"]),
    )
    settings.trust.write_text(TrustFile(keys=pinned).model_dump_json())
    own = {role.value: load_key(key_path(settings, role), settings.zone) for role in ROLES}
    return made | own


def trusted(name: str, role: Role, signer: Signer) -> TrustedKey:
    return TrustedKey(id=name, role=role, public_key=bytes(signer.key.verify_key).hex())


def neighbour_of(executor: str) -> str:
    """Another executor's id that leads to the same reply partition."""
    place = reply_partition(executor)
    names = (f"neighbour-{number}" for number in range(10_000))
    return next(name for name in names if reply_partition(name) == place)
