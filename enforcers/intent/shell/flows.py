"""Where data goes in a pipe: from what a command reads to where a later one sends it."""

from __future__ import annotations

from enforcers.intent.model import Effect, Flow, Resource, ResourceType, Verb
from enforcers.intent.shell.calls import MAX_FLOWS

_GIVES = frozenset({Verb.READ, Verb.CONNECT, Verb.EXPORT})


def sources(effects: tuple[Effect, ...], program: Resource) -> tuple[Resource, ...]:
    """What the output of a command may hold; the program itself where it reads nothing."""
    found = [e.resource for e in effects if e.verb in _GIVES and "metadata" not in e.resource.tags]
    return tuple(dict.fromkeys(found)) or (program,)


def sinks(effects: tuple[Effect, ...]) -> tuple[Resource, ...]:
    """Where the input of a command may go, other than to its output."""
    return tuple(e.resource for e in effects if _takes(e))


def _takes(effect: Effect) -> bool:
    """Whether `effect` may pass standard input on."""
    if effect.verb is Verb.EXECUTE:
        return bool({"interpreter", "unknown"} & set(effect.resource.tags))
    return effect.verb in (Verb.CONNECT, Verb.WRITE)


def entangled(upstream: tuple[Resource, ...], targets: tuple[Resource, ...]) -> bool:
    """Whether there are more pairs than are followed."""
    return len(upstream) * len(targets) > MAX_FLOWS


def through_pipe(upstream: tuple[Resource, ...], targets: tuple[Resource, ...]) -> tuple[Flow, ...]:
    """Everything upstream goes to every sink; a program alone is a source only of what is run."""
    return tuple(
        Flow(source, sink)
        for source in upstream
        for sink in dict.fromkeys(targets)
        if source.type is not ResourceType.PROGRAM or sink.type is ResourceType.PROGRAM
    )
