"""What an action counts for: what it would change, move out, touch and read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from enforcers.intent.model import Effect, Intent, Resource, ResourceType, Verb

CHANGING = frozenset(
    {
        Verb.WRITE,
        Verb.CREATE,
        Verb.ALTER,
        Verb.DROP,
        Verb.DELETE,
        Verb.TRUNCATE,
        Verb.GRANT,
        Verb.IMPORT,
        Verb.CONFIGURE,
    }
)
_OF_THE_SESSION = frozenset({ResourceType.SETTING, ResourceType.SESSION})
"""Configuring these changes nothing that outlives the session."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What counts of one action. One action with many statements counts for all that it changes."""

    writes: int = 0
    """Different things that it changes."""
    exports: int = 0
    """Different things that it moves out."""
    tables: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    """Other than tables."""
    tags: frozenset[str] = frozenset()


NOTHING = Touched()


@lru_cache(maxsize=4_096)
def touched(intent: Intent, masked: frozenset[str] = frozenset()) -> Touched:
    """
    What counts of an intent, once for all statements that differ in a constant only.

    Tags in `masked` do not count where only columns have them that are reached by `*`: these were hidden.
    """
    effects = tuple(_effects(intent))
    tables = frozenset(_marks(effects, table=True))
    return Touched(
        writes=len({_mark(one.resource) for one in effects if _changes(one)}),
        exports=len({_mark(one.resource) for one in effects if one.verb is Verb.EXPORT}),
        tables=tables,
        resources=frozenset(_marks(effects, table=False)),
        tags=frozenset(
            tag for one in effects if _reads(one) for tag in _seen(one.resource, masked)
        ),
    )


def mark_of(kind: str, namespace: str, name: str) -> str:
    """A short name of a resource, of one length whatever it is called."""
    full = f"{kind}\n{namespace}\n{name}".encode(errors="surrogatepass")
    return hashlib.sha256(full).hexdigest()[:16]


def _effects(intent: Intent) -> Iterator[Effect]:
    yield from intent.effects
    for inner in intent.nested:
        yield from _effects(inner)


def _marks(effects: tuple[Effect, ...], table: bool) -> Iterator[str]:
    for one in effects:
        if (one.resource.type is ResourceType.TABLE) is table:
            yield _mark(one.resource)


def _mark(resource: Resource) -> str:
    return mark_of(resource.type.value, resource.namespace, resource.name)


def _seen(resource: Resource, masked: frozenset[str]) -> frozenset[str]:
    return frozenset(resource.tags) - (masked & frozenset(resource.unnamed_tags))


def _changes(one: Effect) -> bool:
    passing = one.verb is Verb.CONFIGURE and one.resource.type in _OF_THE_SESSION
    return one.verb in CHANGING and not passing


def _reads(one: Effect) -> bool:
    return one.verb in (Verb.READ, Verb.EXPORT)
