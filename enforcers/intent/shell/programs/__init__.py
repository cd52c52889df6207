"""
What is known of programs: one file for each family, each with a table `PROGRAMS` from name to how
it is read.

To add a program: a row in a family's table. To add a family: a file and its entry in `FAMILIES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from enforcers.intent.shell.calls import READ_ONLY, UNKNOWN, Call, Reading, union
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.paths import SECRET
from enforcers.intent.shell.programs import (
    archives,
    aws,
    builtins,
    clouds,
    containers,
    databases,
    files,
    forges,
    git,
    infrastructure,
    interpreters,
    kubernetes,
    languages,
    machine,
    network,
    packages,
    remote,
    search,
    services,
    shells,
    streams,
    terraform,
    text,
    wrappers,
)
from enforcers.intent.shell.tables import Entry, Row, Tool, read_row, read_tool

Handler = Callable[[Call], Reading]

FAMILIES = (
    archives,
    aws,
    builtins,
    clouds,
    containers,
    databases,
    files,
    forges,
    git,
    infrastructure,
    interpreters,
    kubernetes,
    languages,
    machine,
    network,
    packages,
    remote,
    search,
    services,
    shells,
    streams,
    terraform,
    text,
    wrappers,
)

_VERSIONED = re.compile(r"([a-z+]+?)-?\d+(?:\.\d+)*$")


def _handler(entry: Entry) -> Handler:
    """How an entry of a table is read."""
    if isinstance(entry, Row):
        return lambda call: read_row(call, entry)
    if isinstance(entry, Tool):
        return lambda call: read_tool(call, entry)
    return entry


def _registry() -> dict[str, Handler]:
    """Every program by name. Raises ValueError where two families name the same program."""
    found: dict[str, Handler] = {}
    for family in FAMILIES:
        for group, entry in family.PROGRAMS:
            for name in group.split():
                if name in found:
                    raise ValueError(f"program {name!r} is in two tables; keep one of them")
                found[name] = _handler(entry)
    return found


REGISTRY = _registry()

# Programs that look harmless in any position: a word of that name in an unknown call hides nothing.
_WORDS = names("""
        test time env file host init install run start stop status date find which help set in go
        make at link true false users groups id cut head tail sort split join look more less
        top w who
    """)


def known_name(name: str) -> str:
    """The registry's name for `name`: without `.exe` and without a version."""
    plain = name.removesuffix(".exe")
    if plain in REGISTRY:
        return plain
    match = _VERSIONED.match(plain)
    return match[1] if match and match[1] in REGISTRY else ""


def read_call(call: Call) -> Reading:
    """Read one call by the family of its program."""
    name = known_name(call.name)
    if not name:
        return _unknown(call)
    if call.args in (("--help",), ("--version",)):
        return Reading(tags=(READ_ONLY,))
    return REGISTRY[name](call)


def _unknown(call: Call) -> Reading:
    """A program that no table knows: what its words show, and any command that they may hold."""
    found = [_secret(call, arg) for arg in call.args]
    for place, arg in enumerate(call.args):
        if _runnable(arg):
            inner = call.command(call.args[place:])
            found.append(inner + Reading(opaque=(Code.HIDDEN_COMMAND,)))
            break
        if " " in arg and _runnable(arg.split()[0] if arg.split() else ""):
            found.append(Reading(opaque=(Code.HIDDEN_COMMAND,)))
            break
    return union(found).tagged(UNKNOWN)


def _secret(call: Call, arg: str) -> Reading:
    """A read of the file that `arg` names, if its name says that it is secret."""
    read = call.file("r", arg.rpartition("=")[2].removeprefix("@"))
    secret = any(SECRET in effect.resource.tags for effect in read.effects)
    return read if secret else Reading()


def _runnable(word: str) -> bool:
    """Whether `word` is the name of a program that does more than look."""
    name = known_name(word.rpartition("/")[2])
    return bool(name) and name not in _WORDS
