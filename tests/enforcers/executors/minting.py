"""A PostgreSQL target whose login mints roles, and permits that ask for one."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enforcers.contract.verdict import EffectSummary, Obligation
from enforcers.ending import ending_of
from enforcers.errors import ExecutionError, PermitError
from enforcers.executors.limits import DEFAULT_LIMITS, Limits
from enforcers.executors.postgres import PostgresExecutor
from enforcers.executors.result import Rows
from enforcers.executors.unrevoked import Ledger
from enforcers.permit import Permit
from tests.enforcers.databases import Postgres

DOCS = Path(__file__).parents[3] / "docs" / "executors.md"
MINT = (Obligation(kind="ephemeral_credential"),)
_OURS = "rolname ~ '^sg_' OR rolname IN ('shop_data', 'sluicegate')"


def set_up() -> str:
    """What the docs tell an administrator to do."""
    (script,) = re.findall(r"```sql\n(CREATE ROLE shop_data.*?)```", DOCS.read_text(), re.DOTALL)
    return str(script).rstrip().rstrip(";")


def effects(*shown: str) -> tuple[EffectSummary, ...]:
    """`read users`, `write table app.users` or `execute function f`, as a verdict has them."""
    found = []
    for one in shown:
        verb, *kind, name = one.split(" ", 2) if one.count(" ") > 1 else one.split(" ")
        namespace, _, last = name.rpartition(".")
        found.append(
            EffectSummary(
                verb=verb,
                type=kind[0] if kind else "table",
                name=last,
                namespace=namespace,
                extent="none",
            )
        )
    return tuple(found)


class Shop:
    """The database, its minting login and the ledger."""

    def __init__(self, postgres: Postgres, permit: Callable[..., Permit], ledger: Path) -> None:
        self.postgres = postgres
        self._permit = permit
        self.path = ledger
        self.dsn = postgres.dsn.replace("postgres:@", "sluicegate:@")
        postgres.script("CREATE TABLE secrets AS SELECT 'hidden' AS word", set_up())

    def executor(self, limits: Limits = DEFAULT_LIMITS) -> PostgresExecutor:
        """One that mints."""
        return PostgresExecutor(self.dsn, limits, Ledger(self.path), "shop")

    def permit(self, statement: str, *shown: str, **changes: Any) -> Permit:
        """A permit whose verdict shows these effects and asks for a role of its own."""
        fields = {"intent": effects(*shown), "obligations": MINT, **changes}
        return self._permit(statement, **fields)

    def run(self, statement: str, *shown: str, limits: Limits = DEFAULT_LIMITS) -> Rows:
        """Run a statement as a minted role."""
        return asyncio.run(self.executor(limits).run(self.permit(statement, *shown)))

    def refused(self, one: Permit, limits: Limits = DEFAULT_LIMITS) -> str:
        """Outcome and error of a run that must fail and leave no role."""
        before = self.acl()
        with pytest.raises((ExecutionError, PermitError)) as caught:
            asyncio.run(self.executor(limits).run(one))
        assert self.roles() == []
        assert self.acl() == before
        return f"{ending_of(one, time.perf_counter(), caught.value).status}: {caught.value}"

    def roles(self) -> list[str]:
        """Minted roles that are there."""
        found = self.postgres.rows("SELECT rolname::text FROM pg_roles WHERE rolname ~ '^sg_'")
        return [name for (name,) in found]

    def backends(self) -> int:
        """Sessions of minted roles, also of dropped ones."""
        ((found,),) = self.postgres.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND usesysid NOT IN (SELECT oid FROM pg_roles WHERE rolname !~ '^sg_')"
        )
        return int(found)

    def acl(self) -> list[tuple[Any, ...]]:
        """Every privilege on a relation, a schema or the database that is not of its owner."""
        return self.postgres.rows(
            "SELECT c.oid AS object, e.* FROM pg_class c, aclexplode(relacl) e WHERE grantee <> relowner"
            " UNION ALL SELECT n.oid, e.* FROM pg_namespace n, aclexplode(nspacl) e WHERE grantee <> nspowner"
            " UNION ALL SELECT d.oid, e.* FROM pg_database d, aclexplode(datacl) e WHERE grantee <> datdba"
            " ORDER BY 1, 2, 3, 4"
        )

    def clear(self) -> None:
        """Remove every role that a test made."""
        for (name,) in self.postgres.rows(f"SELECT rolname FROM pg_roles WHERE {_OURS}"):
            self.postgres.script(f'DROP OWNED BY "{name}" CASCADE', f'DROP ROLE "{name}"')
