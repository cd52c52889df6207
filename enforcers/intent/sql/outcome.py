"""What was learnt on the walk → the effects, each table once per verb."""

from __future__ import annotations

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


def effects_of(state: State) -> tuple[Effect, ...]:
    """Every effect; a statement that is only explained reads what it would have written."""
    reads: dict[tuple[str, str], set[str]] = {}
    for seen in state.reads:
        _add(state, reads, seen)
    writes: dict[tuple[Verb, str, str], tuple[Extent, set[str]]] = {}
    for verb, seen, extent in state.writes:
        if not state.executes:
            _add(state, reads, seen)
            continue
        if _reads_itself(state, seen):
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


def _add(state: State, reads: dict[tuple[str, str], set[str]], seen: Seen) -> None:
    tags = reads.setdefault((seen.namespace, seen.name), set())
    tags.update(seen.touched_tags(state.catalog))


def _reads(reads: dict[tuple[str, str], set[str]]) -> list[Effect]:
    return [
        Effect(Verb.READ, _resource(namespace, name, tags))
        for (namespace, name), tags in reads.items()
    ]


def _writes(
    writes: dict[tuple[Verb, str, str], tuple[Extent, set[str]]],
) -> list[Effect]:
    return [
        Effect(verb, _resource(namespace, name, tags), extent)
        for (verb, namespace, name), (extent, tags) in writes.items()
    ]


def _resource(namespace: str, name: str, tags: set[str]) -> Resource:
    return Resource(ResourceType.TABLE, name, namespace, tuple(sorted(tags)))


def _others(state: State) -> list[Effect]:
    if state.executes:
        return state.effects
    return [
        effect if effect.verb in _AT_PLANNING else Effect(Verb.READ, effect.resource, effect.extent)
        for effect in state.effects
    ]
