"""An administrator of one zone, and the policies that these tests judge by."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from uuid import UUID, uuid4

from console.identity import key_path
from console.settings import Settings
from enforcers.administration import ControlRecord
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.grant import Grant, GrantScope, GrantStatus
from enforcers.contract.issue import Issue
from enforcers.contract.keys import load_key
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.contract.trust import Role
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy_files
from streams.control_log import ControlLog
from tests.integration.conftest import settings_for

ADMINISTRATOR = "administrator-1"

BUDGETS = """
apiVersion: sluicegate.io/v1
name: {name}
default: deny
rules:
  - id: {name}-allow
    effect: allow
    match: {{kind: [sql], verb: [read, write], type: [table]}}
    message: reads and writes of tables
  - id: {name}-writes
    effect: deny
    match: {{kind: [sql]}}
    when: history.writes >= {writes}
    message: the principal has written often enough
    remedy: wait an hour
  - id: {name}-rows
    effect: deny
    match: {{kind: [sql]}}
    when: history.rows >= 100
    message: the principal has had a hundred rows
    remedy: wait an hour
tests:
  - {{name: a read, kind: sql, dialect: postgres, text: SELECT id FROM t,
     expect: {{decision: allow, rules: [{name}-allow], not_rules: [{name}-writes, {name}-rows]}}}}
  - {{name: a drop, kind: sql, dialect: postgres, text: DROP TABLE t,
     expect: {{decision: deny, not_rules: [{name}-allow]}}}}
  - {{name: a write too many, kind: sql, dialect: postgres, text: INSERT INTO t (id) VALUES (1),
     with: {{history: {{writes: {writes}}}}}, expect: {{decision: deny, rules: [{name}-writes]}}}}
  - {{name: a row too many, kind: sql, dialect: postgres, text: SELECT id FROM t,
     with: {{history: {{rows: 100}}}}, expect: {{decision: deny, rules: [{name}-rows]}}}}
"""
"""Reads and writes of tables are allowed up to a number of writes and rows; everything else wants a grant."""


_policies = itertools.count(1)
"""Versions of what is published: they rise, also from one administrator of a zone to the next."""


def policy_text(name: str = "budgets", writes: int = 5) -> str:
    return BUDGETS.format(name=name, writes=writes).lstrip()


def settings_with(home: Path, bootstrap: str, policy: str) -> Settings:
    """A zone whose judges begin with this policy."""
    made = settings_for(home, bootstrap)
    (home / "policy.yaml").write_text(policy)
    with (home / "sluicegate.toml").open("a") as file:
        file.write(f'policy = "{home / "policy.yaml"}"\n')
    return Settings.load({"home": made.home})


class Administrator:
    """Publishes what every judge must know, and keeps the records for who wants to publish them again."""

    def __init__(self, settings: Settings) -> None:
        self._signer = load_key(key_path(settings, Role.ADMINISTRATOR), settings.zone)
        self._log = ControlLog(settings.bootstrap, settings.zone)
        self._principal = settings.principal
        self._versions: dict[UUID, int] = {}

    async def __aenter__(self) -> Administrator:
        await self._log.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._log.__aexit__(kind, error, trace)

    async def grant(
        self, table: str, uses: int | None = None, grant: UUID | None = None
    ) -> tuple[UUID, ControlRecord]:
        """Let the agent do anything to one table for an hour."""
        grant = grant or uuid4()
        return grant, await self._say(grant, table, GrantStatus.ACTIVE, uses)

    async def revoke(self, grant: UUID, table: str) -> ControlRecord:
        """Take a grant back."""
        return await self._say(grant, table, GrantStatus.REVOKED, None)

    async def quarantine(self, principal: str) -> UUID:
        """Stop a principal until somebody lifts it; the quarantine's id."""
        control = uuid4()
        await self._stop(control, principal, 1)
        return control

    async def lift(self, control: UUID, principal: str) -> None:
        """End a quarantine."""
        await self._stop(control, principal, 2)

    async def _stop(self, control: UUID, principal: str, version: int) -> None:
        said = Control(
            id=uuid7(),
            issue=self._issue(version),
            control=control,
            stops=Quarantined(principal=principal),
            lifted=version > 1,
        )
        await self._log.publish(said, self._signer, ADMINISTRATOR)

    async def push(self, text: str) -> str:
        """Publish a policy; its hash."""
        policy = load_policy_files([("policy.yaml", text.encode())], run_case)
        publication = Publication(
            id=uuid7(),
            issue=self._issue(next(_policies)),
            bundle=policy.bundle.name,
            digest=policy.hash,
            files=(PolicyFile(name="policy.yaml", text=text),),
        )
        await self._log.publish(publication, self._signer, ADMINISTRATOR)
        return policy.hash

    async def _say(
        self, grant: UUID, table: str, status: GrantStatus, uses: int | None
    ) -> ControlRecord:
        version = self._versions[grant] = self._versions.get(grant, 0) + 1
        now = utc_now()
        said = Grant(
            id=uuid7(),
            issue=self._issue(version),
            grant=grant,
            name="repair",
            principal=self._principal,
            status=status,
            scope=GrantScope(resources=(table,)),
            not_before=now - timedelta(minutes=1),
            expires_at=now + timedelta(hours=1),
            max_uses=uses,
        )
        return await self._log.publish(said, self._signer, ADMINISTRATOR)

    def _issue(self, version: int) -> Issue:
        return Issue(version=version, by=ADMINISTRATOR, at=utc_now(), reason="test")
