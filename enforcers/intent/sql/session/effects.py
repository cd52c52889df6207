"""The effects that session and catalog statements have."""

from __future__ import annotations

from typing import TypeAlias

from enforcers.intent.model import Effect, Extent, Resource, ResourceType, Verb

Effects: TypeAlias = tuple[Effect, ...] | None
"""What a statement does; None where it is not understood."""

_LONGEST = 200


def shows(name: str, tags: tuple[str, ...] = ()) -> tuple[Effect, ...]:
    """Names and settings of the server are read."""
    return (_effect(Verb.READ, ResourceType.SETTING, name, tags),)


def describes(name: str) -> tuple[Effect, ...]:
    """The structure of an object is read."""
    return (_effect(Verb.READ, ResourceType.OBJECT, name, ("structure",)),)


def of_session(name: str) -> Effect:
    """What concerns this session, and nothing that a later statement means or may do."""
    return _effect(Verb.CONFIGURE, ResourceType.SESSION, name)


def of_setting(name: str, namespace: str = "") -> Effect:
    """What changes a later statement's meaning, or what it may do."""
    return Effect(Verb.CONFIGURE, Resource(ResourceType.SETTING, name, namespace))


def variable() -> Effect:
    """A variable of the session gets a value that the text shows."""
    return of_session("variable")


def chosen(name: str) -> Effect:
    """
    The session is pointed at a schema, a database or a way to commit that later statements depend on.

    By itself it does nothing; it is no plain setting, so behind it no other statement is understood.
    """
    return _effect(Verb.CONNECT, ResourceType.SESSION, name)


def _effect(verb: Verb, kind: ResourceType, name: str, tags: tuple[str, ...] = ()) -> Effect:
    return Effect(verb, Resource(kind, name[:_LONGEST], tags=tags), Extent.NONE)
