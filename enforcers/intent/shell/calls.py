"""
One call of a program and what was read of it: the words between the reader and the program
families.

A family is a function `Call → Reading`. It must not raise; the reader turns what it raises into
`unreadable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from enforcers.intent.model import Effect, Extent, Flow, Intent, Resource, ResourceType, Verb
from enforcers.intent.shell import hosts, paths
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.paths import Place

SqlReader = Callable[[str, str], Intent]
"""Reads SQL: text and dialect."""

MAX_FLOWS = 1000

# Tags of a PROGRAM. Exactly one of these is on each `execute` effect.
READ_ONLY = "read_only"
"""It only looks; what it looks at is in the other effects."""
DESCRIBED = "described"
"""It changes something; all that it changes is in the other effects."""
WRAPPER = "wrapper"
"""It runs another command, which is read as well."""
BUILDS = "builds"
"""It runs code of the checkout: tests, builds, scripts of a package."""
INSTALLS = "installs"
"""It fetches code and installs it."""
INTERPRETER = "interpreter"
"""It runs code that was not read."""
UNKNOWN = "unknown"
"""Nothing is known of it."""
# On top of these:
PRIVILEGED = "privileged"
"""It acts as another user, or outside a container."""


@dataclass(frozen=True, slots=True)
class Inner:
    """
    How a family reads a command inside its own: set by the reader, so that no family imports it.
    """

    command: Callable[[tuple[str, ...], Scope], Intent]
    script: Callable[[str, Scope], Intent]
    sql: SqlReader | None = None
    taken: Iterator[int] = field(default_factory=count)
    """Counts the commands that were read, so that a short text cannot ask for endless work."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a command runs."""

    place: Place
    inner: Inner
    host: str = ""
    """Another machine or container; empty for this one."""
    depth: int = 0

    def elsewhere(self, host: str) -> Scope:
        """The same, on another machine, where no directory is known."""
        return replace(self, place=Place(lost=True), host=host)


@dataclass(frozen=True, slots=True)
class Call:
    """One simple command."""

    name: str
    """The program's base name."""
    args: tuple[str, ...]
    scope: Scope
    piped: bool = False
    """Whether another command writes to its standard input."""

    def command(self, argv: tuple[str, ...]) -> Reading:
        """Read a command that this one runs."""
        if not argv:
            return Reading()
        return Reading(nested=(self.scope.inner.command(argv, self.scope),))

    def script(self, text: str) -> Reading:
        """Read a line of shell that this one runs."""
        return Reading(nested=(self.scope.inner.script(text, self.scope),))

    def sql(self, text: str, dialect: str) -> Reading:
        """Read SQL that this one runs."""
        read_sql = self.scope.inner.sql
        if read_sql is None:
            return Reading(opaque=(Code.SQL_UNREAD,))
        return Reading(nested=(read_sql(text, dialect),))

    def file(self, letter: str, path: str) -> Reading:
        """What `letter` (see `VERBS`) does to the file at `path`."""
        if path in paths.NOWHERE or not path:
            return Reading()
        verbs = VERBS[letter]
        found = paths.tags(path, self.scope.place)
        if letter == "m":
            found = (*(tag for tag in found if tag != paths.SECRET), paths.METADATA)
        full = path if self.scope.host else self.scope.place.resolve(path)
        target = Resource(ResourceType.FILE, full, self.scope.host, tuple(sorted(found)))
        return Reading(tuple(Effect(verb, target, extent) for verb, extent in verbs))


VERBS: dict[str, tuple[tuple[Verb, Extent], ...]] = {
    "r": ((Verb.READ, Extent.KEY_BOUND),),
    "R": ((Verb.READ, Extent.WHOLE),),
    "m": ((Verb.READ, Extent.KEY_BOUND),),
    "w": ((Verb.WRITE, Extent.KEY_BOUND),),
    "W": ((Verb.READ, Extent.KEY_BOUND), (Verb.WRITE, Extent.WHOLE)),
    "c": ((Verb.CREATE, Extent.KEY_BOUND),),
    "a": ((Verb.ALTER, Extent.KEY_BOUND),),
    "A": ((Verb.ALTER, Extent.WHOLE),),
    "d": ((Verb.DELETE, Extent.KEY_BOUND),),
    "D": ((Verb.DELETE, Extent.WHOLE),),
    "v": ((Verb.READ, Extent.WHOLE), (Verb.DELETE, Extent.KEY_BOUND)),
    "t": ((Verb.TRUNCATE, Extent.WHOLE),),
    "g": ((Verb.GRANT, Extent.WHOLE),),
}
"""What a letter of a table does to a file."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one call."""

    effects: tuple[Effect, ...] = ()
    flows: tuple[Flow, ...] = ()
    opaque: tuple[Code, ...] = ()
    nested: tuple[Intent, ...] = ()
    tags: tuple[str, ...] = field(default=())
    """Tags of the program; `Reading.settled` makes up for missing ones."""

    def __add__(self, other: Reading) -> Reading:
        return Reading(
            self.effects + other.effects,
            self.flows + other.flows,
            self.opaque + other.opaque,
            self.nested + other.nested,
            self.tags + other.tags,
        )

    def tagged(self, *names: str) -> Reading:
        """The same, with these tags only."""
        return replace(self, tags=names)

    def settled(self) -> Reading:
        """The same, where a program that does more than read is not called read-only."""
        changes = any(effect.verb is not Verb.READ for effect in self.effects)
        if READ_ONLY in self.tags and (changes or self.nested or self.flows or self.opaque):
            kept = [DESCRIBED if tag == READ_ONLY else tag for tag in self.tags]
            return replace(self, tags=tuple(kept))
        return self


def unclear(code: Code) -> Reading:
    """A call that is not read to its end."""
    return Reading(opaque=(code,), tags=(INTERPRETER,))


def thing(
    verb: Verb, name: str, extent: Extent = Extent.KEY_BOUND, tags: tuple[str, ...] = ()
) -> Reading:
    """An effect on something that is no file: an object behind a service, a part of the machine."""
    return Reading((Effect(verb, Resource(ResourceType.UNKNOWN, name, tags=tags), extent),))


def configure(name: str, *tags: str) -> Reading:
    """A change to a setting of the machine or of a tool."""
    return Reading((Effect(Verb.CONFIGURE, Resource(ResourceType.SETTING, name, tags=tags)),))


def environment(*tags: str) -> Reading:
    """A look at the environment's variables."""
    return Reading((Effect(Verb.READ, Resource(ResourceType.SETTING, "environment", tags=tags)),))


def connect(host: Resource | None) -> Reading:
    """A connection to `host`; None is a host that could not be read."""
    if host is None:
        return Reading(opaque=(Code.UNCLEAR_HOST,))
    return Reading((Effect(Verb.CONNECT, host),))


def connect_login(text: str) -> Reading:
    """A connection to `user@host`."""
    return connect(hosts.from_login(text))


def transfer(files: Reading, target: Reading, *, upload: bool) -> Reading:
    """Data that moves between what `files` and `target` name."""
    there = [effect.resource for effect in target.effects if effect.verb is Verb.CONNECT]
    here = [effect.resource for effect in files.effects]
    if len(here) * len(there) > MAX_FLOWS:
        return files + target + Reading(opaque=(Code.TOO_ENTANGLED,))
    pairs = [(a, b) if upload else (b, a) for a in here for b in there]
    sent = tuple(Effect(Verb.EXPORT, host) for host in there) if upload else ()
    return files + target + Reading(sent, tuple(Flow(a, b) for a, b in pairs))


def union(readings: list[Reading]) -> Reading:
    """All of `readings` as one."""
    return Reading(
        tuple(effect for reading in readings for effect in reading.effects),
        tuple(flow for reading in readings for flow in reading.flows),
        tuple(code for reading in readings for code in reading.opaque),
        tuple(intent for reading in readings for intent in reading.nested),
        tuple(tag for reading in readings for tag in reading.tags),
    )
