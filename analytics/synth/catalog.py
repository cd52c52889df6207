"""
What is there to be touched, and the works that touch it: statements and commands with their intents.

    Table ──template──▶ Work: payload with room for two numbers, effects as the judge reads them, how often it is used
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from analytics.synth.texts import effect, listed, quoted, target

SQL_HEAD = '{"kind":"sql","statement":"'


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    system: str
    environment: str
    catalog: str
    namespace: str
    name: str

    @property
    def full(self) -> str:
        """As statements name it."""
        return f"{self.namespace}.{self.name}"

    @property
    def target(self) -> str:
        """Where it is, as an action says it."""
        return target(self.system, self.environment, self.catalog, self.system)


@dataclass(frozen=True, slots=True)
class Work:
    """Something that is done again and again, with other numbers."""

    target: str
    payload: str
    """JSON; `%d` stands for a number, `slots` times."""
    slots: int
    effects: str
    rows: int
    """About how many; 0 where nobody counts them."""
    verb: str
    resource: str
    often: int = 1
    sql: bool = True

    def payload_of(self, draw: float) -> str:
        """The payload with numbers from one draw between 0 and 1."""
        if self.slots == 1:
            return self.payload % int(draw * 900_000_000)
        if self.slots == 2:
            return self.payload % (int(draw * 900_000), int(draw * 90_000_000) % 97)
        return self.payload

    def digest_of(self, payload: str) -> str:
        """SHA-256 of what runs, as executors report it."""
        text = payload[len(SQL_HEAD) : -2] if self.sql else payload
        return hashlib.sha256(text.encode()).hexdigest()


_SCHEMAS: dict[str, tuple[str, dict[str, str]]] = {
    "crm": ("postgres", {
        "care": "customers tickets contacts notes calls surveys tags macros queues",
        "sales": "leads deals quotes accounts stages forecasts targets territories",
        "hr": "people salaries reviews absences contracts",
    }),
    "billing": ("postgres", {
        "ledger": "invoices payments refunds accounts entries periods taxes currencies",
        "dunning": "reminders letters cases agencies",
        "vault": "cards mandates bank_accounts",
    }),
    "shop": ("postgres", {
        "store": "orders order_items carts products prices stock sites coupons",
        "web": "sessions clicks pages experiments users",
        "audit": "logins password_resets api_keys",
    }),
    "dwh": ("snowflake", {
        "raw": " ".join(f"load_{name}" for name in ("orders", "clicks", "tickets", "leads")),
        "mart": " ".join(f"{a}_{b}" for a in ("daily", "weekly") for b in
                         ("orders", "revenue", "churn", "tickets", "funnel", "stock", "margin", "returns")),
        "lab": " ".join(f"sample_{n:02d}" for n in range(24)),
        "secure": "people_full payroll cards_full",
    }),
}  # fmt: skip
SENSITIVE = frozenset({"hr", "vault", "audit", "secure"})
"""Namespaces that nobody of the cast uses in ordinary life."""


@cache
def tables_of(
    catalog: str, environment: str = "production", sensitive: bool = False
) -> tuple[Table, ...]:
    """The tables of one catalog: those in use, or those that nobody uses."""
    system, namespaces = _SCHEMAS[catalog]
    return tuple(
        Table(system, environment, catalog, namespace, name)
        for namespace, names in namespaces.items()
        for name in names.split()
        if (namespace in SENSITIVE) == sensitive
    )


READS = (
    "SELECT * FROM {t} WHERE id = %d LIMIT %d",
    "SELECT count(*) FROM {t} WHERE created_at > now() - INTERVAL '%d days' AND site = %d",
    "SELECT status, count(*) AS n FROM {t} WHERE batch = %d GROUP BY status HAVING count(*) > %d",
    "SELECT id, status, updated_at FROM {t} WHERE owner_id = %d ORDER BY id DESC LIMIT %d",
    "SELECT t.id, t.status FROM {t} t JOIN {u} u ON u.id = t.id WHERE u.id = %d AND t.site < %d",
    "SELECT date_trunc('month', created_at) AS month, sum(amount) FROM {t} WHERE id > %d AND site = %d GROUP BY 1",
    "SELECT DISTINCT site FROM {t} WHERE id > %d OR batch = %d",
    "SELECT * FROM {t} TABLESAMPLE SYSTEM (1) WHERE id > %d OFFSET %d",
)  # fmt: skip
CHANGES = {
    "write": (
        "UPDATE {t} SET status = 'done', batch = %d WHERE id = %d",
        "INSERT INTO {t} (id, status, batch) VALUES (%d, 'new', %d)",
        "UPDATE {t} SET touched_at = now() WHERE id IN (%d, %d)",
    ),
    "delete": ("DELETE FROM {t} WHERE id = %d AND batch = %d",),
    "alter": ("ALTER TABLE {t} ADD COLUMN note_%d_%d text",),
    "create": ("CREATE TABLE {t}_copy_%d_%d AS SELECT * FROM {t}",),
    "drop": ("DROP TABLE {t}_old_%d_%d",),
    "truncate": ("TRUNCATE TABLE {t}",),
    "grant": ("GRANT ALL ON {t} TO svc_%d_%d",),
}
WIDE = (
    "UPDATE {t} SET status = 'done' WHERE batch > %d OR site = %d",
    "DELETE FROM {t} WHERE created_at < now() - INTERVAL '%d days' OR site = %d",
    "SELECT * FROM {t}, {u} WHERE batch = %d OR site = %d",
    "UPDATE {t} SET batch = %d, site = %d",
    "DELETE FROM {t} USING {u} WHERE {t}.batch = %d AND {u}.site <> %d",
    "SELECT email, card_number FROM {t} WHERE batch = %d LIMIT %d",
    "COPY {t} TO PROGRAM 'gzip > x_%d_%d.gz'",
    "SELECT pg_read_file('base/%d/%d')",
    "INSERT INTO {t} SELECT * FROM {u} WHERE site = %d OR id < %d",
    "MERGE INTO {t} USING {u} ON true WHEN MATCHED THEN UPDATE SET batch = %d, site = %d",
)
"""What is denied, in as many shapes."""
_EXTENT = {"read": "none", "write": "key_bound", "delete": "key_bound"}


def statement(table: Table, template: str, verb: str, other: Table | None = None) -> Work:
    """A template on a table as a work."""
    text = template.format(t=table.full, u=(other or table).full)
    effects = [effect(verb, "table", table.name, _EXTENT.get(verb, "whole"), table.namespace)]
    if other is not None and "{u}" in template:
        effects.append(effect("read", "table", other.name, "none", other.namespace))
    return Work(
        target=table.target,
        payload=f'{SQL_HEAD}{text}"}}',
        slots=text.count("%d"),
        effects="[" + ",".join(effects) + "]",
        rows=40 if verb == "read" else 1,
        verb=verb,
        resource=table.full,
    )


PROGRAMS = {
    "read": (
        "git status", "git log --oneline -n %d", "git diff HEAD~%d", "ls -l src", "cat README.md",
        "grep -rn item_%d src", "kubectl get pods -n shop-%d", "head -n %d app.log", "df -h",
        "tail -n %d /var/log/app.log", "ps aux", "kubectl logs web-%d", "find src -name test_%d.py",
    ),
    "files": (
        "tee notes-%d.txt", "touch build-%d.ok", "sed -i s/a/b/ src/item_%d.py",
        "mkdir -p out/%d", "cp a.txt b-%d.txt",
    ),
}  # fmt: skip


def command(line: str, environment: str, effects: str, verb: str, resource: str = "") -> Work:
    """A command as an argv without a shell."""
    words = line.split()
    payload = (
        f'{{"kind":"shell","argv":{listed(words)},"line":null,"program":{quoted("/usr/bin/" + words[0])},'
        '"cwd":"/srv/app","workspace":"/srv/app"}'
    )
    return Work(
        target=target("host", environment, None, None),
        payload=payload,
        slots=payload.count("%d"),
        effects=effects,
        rows=0,
        verb=verb,
        resource=resource or words[0],
        sql=False,
    )


def program(line: str, environment: str, verb: str) -> Work:
    """A command that reads or writes one file of the workspace."""
    words = line.split()
    effects = effect("execute", "program", words[0], "none", f"/usr/bin/{words[0]}")
    if verb != "read":
        effects += "," + effect("write", "file", f"/srv/app/{words[0]}.out", "key_bound")
    return command(line, environment, f"[{effects}]", "read" if verb == "read" else "write")


def habits(
    chance: random.Random,
    tables: Sequence[Table],
    systems: Sequence[str],
    verbs: Sequence[str],
    environment: str,
) -> list[Work]:
    """What somebody does in ordinary life; the first works most often."""
    found: list[Work] = []
    for table in tables:
        other = chance.choice(tables)
        found += [statement(table, one, "read", other) for one in chance.sample(READS, 3)]
        for verb in verbs:
            if verb in CHANGES:
                found.append(statement(table, chance.choice(CHANGES[verb]), verb))
            elif verb == "ddl" and chance.random() < 0.5:
                found.append(statement(table, CHANGES["alter"][0], "alter"))
    if "host" in systems:
        kinds = ["read", "files"] if "files" in verbs else ["read"]
        found += [program(line, environment, kind) for kind in kinds for line in PROGRAMS[kind]]
    return [_used(work, chance.choice((1, 2, 4, 8, 16))) for work in found]


def _used(work: Work, often: int) -> Work:
    return Work(
        work.target, work.payload, work.slots, work.effects, work.rows, work.verb, work.resource,
        often, work.sql,
    )  # fmt: skip
