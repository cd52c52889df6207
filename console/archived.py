"""
Archived actions, judged again by two policies.

    archive: raw value ──decode──▶ Action ──judge under old, judge under new──▶ Comparison

Catalogs are those of the settings; principals are those of the principals file and of the archived records
that an administrator signed, as they are enrolled last. There is no past, no grant and no vote: what depends
on them is judged as the first action of a principal that nobody granted anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from console.archive import open_archive
from console.files import is_there
from console.identity import load_trust_of
from console.settings import Settings
from enforcers.administration import Administration, ControlRecord
from enforcers.catalog import load_catalog
from enforcers.contract.action import Action
from enforcers.contract.digest import action_digest
from enforcers.contract.wire import decode
from enforcers.errors import ArchiveError, ContractError
from enforcers.judge import Judgement, judge
from enforcers.policy.diff import Answered, Comparison
from enforcers.policy.engine import PolicyEngine
from enforcers.principals import Principals, load_principals
from enforcers.world import World
from streams.topics import PRINCIPALS, zoned

if TYPE_CHECKING:
    import duckdb

UNKNOWN_CATALOG = "of an unknown catalog"
UNREADABLE = "unreadable"
UNKNOWN_PRINCIPAL = "of a principal that is not enrolled here"
_JUDGE = "policy-diff"
_NEWEST = """
SELECT a.text, r.value, coalesce(r.recorded_at, a.issued_at) AS at
FROM actions AS a JOIN records AS r ON r.seq = a.seq
WHERE a.kind <> 'canary'
QUALIFY row_number() OVER (PARTITION BY a.action_id, a.action_digest ORDER BY a.seq) = 1
ORDER BY a.seq DESC
LIMIT ?
"""
_ENROLMENTS = """
SELECT partition, "offset", timestamp_ms, key, headers, value
FROM records WHERE topic = ? ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class _Recorded:
    text: str
    value: bytes
    at: datetime


def replay(settings: Settings, old: PolicyEngine, new: PolicyEngine, limit: int) -> Comparison:
    """
    Compare two policies on the newest archived actions.

    Raises ArchiveError, SettingsError, CatalogError.
    """
    catalogs = {name: load_catalog(path) for name, path in settings.catalogs.items()}
    comparison = Comparison()
    with open_archive(settings) as connection:
        principals = _principals(connection, settings)
        worlds = tuple(
            World(one, principals, _JUDGE, catalogs, zone=settings.zone) for one in (old, new)
        )
        for row in _rows(connection, _NEWEST, limit):
            _compare(comparison, _Recorded(row[0] or "", row[1], row[2]), worlds)
    return comparison


def _principals(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Principals:
    """Who is enrolled, by the file and by records that the trust file vouches for."""
    filed = load_principals(settings.principals) if is_there(settings.principals) else {}
    if not is_there(settings.trust):
        return filed
    state = Administration(load_trust_of(settings), filed)
    for partition, offset, at, key, headers, value in _rows(
        connection, _ENROLMENTS, zoned(settings.zone, PRINCIPALS.name)
    ):
        pairs = tuple((one["name"], one["value"] or b"") for one in headers or ())
        state.apply(ControlRecord(PRINCIPALS.name, partition, offset, at, key, pairs, value))
    return state.principals


def _compare(comparison: Comparison, one: _Recorded, worlds: Sequence[World]) -> None:
    try:
        action = decode(Action, one.value)
    except ContractError:
        comparison.set_apart(UNREADABLE)
        return
    why = _apart(action, worlds[0])
    if why:
        comparison.set_apart(why)
        return
    digest = action_digest(one.value)
    before, after = (answered(judge(action, digest, world, one.at)) for world in worlds)
    comparison.add(action.proposal.principal.id, one.text, before, after)


def _apart(action: Action, world: World) -> str:
    """Why an action cannot be judged here as it was then; empty where it can."""
    proposal = action.proposal
    if world.catalog(proposal.target.catalog) is None:
        return UNKNOWN_CATALOG
    return "" if proposal.principal.id in world.principals else UNKNOWN_PRINCIPAL


def answered(judgement: Judgement) -> Answered:
    """What a comparison looks at of a judgement."""
    verdict, request = judgement.verdict, judgement.request
    return Answered(
        verdict.decision,
        verdict.reasons,
        verdict.obligations,
        verdict.would_deny,
        request.asks if request else (),
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameter: object
) -> Iterator[tuple[Any, ...]]:
    # Imported here, for a command waits for nothing that only another one needs.
    import duckdb

    try:
        cursor = connection.execute(query, [parameter])
        while rows := cursor.fetchmany(1_000):
            yield from rows
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise ArchiveError(f"archive cannot be read: {first}; connect to it again") from error
