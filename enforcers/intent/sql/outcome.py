"""What was learnt on the walk → the effects, each table once per verb."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from enforcers.intent.model import Effect, Extent, Resource, ResourceType, Verb
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen

_WEAKEST = (
    Extent.NONE,
    Extent.UNPROVEN,
    Extent.FILTERED,
    Extent.KEY_BOUND,
    Extent.WHOLE,
)

_AT_PLANNING = frozenset({Verb.IMPORT, Verb.CONNECT, Verb.EXECUTE, Verb.CONFIGURE})
"""What a server may do while it only plans: open files, reach hosts, evaluate functions."""

_OF_ROWS = frozenset({Verb.WRITE, Verb.DELETE})
"""What may put a whole row, such as `users::text`, into a column, or look at it in a filter."""


@dataclass(slots=True)
class _Tags:
    """Tags of what is touched of one table, and those of them that a name reaches."""

    touched: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)


def effects_of(state: State) -> tuple[Effect, ...]:
    """Every effect; a statement that is only explained reads what it would have written."""
    reads: dict[tuple[str, str], _Tags] = {}
    for seen in state.reads:
        _add(state, reads, seen)
    writes: dict[tuple[Verb, str, str], tuple[Extent, set[str]]] = {}
    for verb, seen, extent in state.writes:
        if not state.executes:
            _add(state, reads, seen)
            continue
        if _reads_itself(state, seen) or (seen.whole and verb in _OF_ROWS):
            _add(state, reads, seen)
        key = (verb, seen.namespace, seen.name)
        known, tags = writes.get(key, (extent, set()))
        tags.update(seen.touched_tags(state.catalog))
        writes[key] = (min(known, extent, key=_WEAKEST.index), tags)
    return (*_reads(reads), *_writes(writes), *_others(state))


def _reads_itself(state: State, seen: Seen) -> bool:
    """Whether columns with tags are read of what is written: `SET name = ssn`, or a filter."""
    holders = seen.holders(state.catalog)
    if not any(table.tags for table in holders):
        return False
    names = seen.names
    named = {name for qualifier, name in state.columns if not qualifier or qualifier in names}
    return any(table.tags_of(named) for table in holders)


def _add(state: State, reads: dict[tuple[str, str], _Tags], seen: Seen) -> None:
    tags = reads.setdefault((seen.namespace, seen.name), _Tags())
    touched = seen.touched_tags(state.catalog)
    # What picks columns by a pattern or a place, or compares them all, is as good as their names.
    named = touched if state.whole_rows else seen.named_tags(state.catalog)
    tags.named.update(named)
    # A plan tells as much as rows: its estimates are made of the values.
    tags.touched.update(touched)


def _reads(reads: dict[tuple[str, str], _Tags]) -> list[Effect]:
    return [
        Effect(Verb.READ, _resource(namespace, name, tags.touched, tags.touched - tags.named))
        for (namespace, name), tags in reads.items()
    ]


def _writes(
    writes: dict[tuple[Verb, str, str], tuple[Extent, set[str]]],
) -> list[Effect]:
    return [
        Effect(verb, _resource(namespace, name, tags), extent)
        for (verb, namespace, name), (extent, tags) in writes.items()
    ]


def _resource(namespace: str, name: str, tags: set[str], unnamed: Iterable[str] = ()) -> Resource:
    return Resource(
        ResourceType.TABLE, name, namespace, tuple(sorted(tags)), tuple(sorted(unnamed))
    )


def _others(state: State) -> list[Effect]:
    if state.executes:
        return state.effects
    return [
        effect if effect.verb in _AT_PLANNING else Effect(Verb.READ, effect.resource, effect.extent)
        for effect in state.effects
    ]
