"""
Programs whose call is said by a row: what their options and operands do.

Letters, for options (`-o=w`, `-i!W`) and operands: r read · R read all below · m metadata only ·
w write · W write in place · c create · a alter · A alter all below · d delete · D delete all
below · v move away · t truncate · g give rights · h connect to host · k configure the machine · x
run a command that is not read · s a secret is shown · - plain text. An option without value that
has a letter gives that letter to the last operands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell import hosts
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    UNKNOWN,
    VERBS,
    Call,
    Reading,
    configure,
    connect,
    environment,
    thing,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import Options, read_options


@dataclass(frozen=True, slots=True)
class Row:
    """One or more programs that are called alike."""

    options: str = ""
    operands: str = "r"
    """One letter for each operand; the last one stands for all that follow."""
    last: str = ""
    """Letter of the last operand where there are at least two."""
    tag: str = READ_ONLY
    single: bool = False
    strict: bool = False
    """Whether an option that is not in the table makes the call unknown."""


def read_row(call: Call, row: Row) -> Reading:
    """Read `call` by `row`."""
    options = read_options(call.args, row.options, single=row.single)
    letters = row.operands
    for option in options.given:
        if option.action and not option.value:
            letters = letters[:-1] + option.action
    found = [act(call, o.action, o.value) for o in options.given if o.action and o.value]
    found += [act(call, o.action, "") for o in options.given if o.action in ("x", "s", "k")]
    found += _operands(call, row, options, letters)
    tags = (UNKNOWN,) if row.strict and options.unknown else (row.tag,)
    return union(found) + Reading(tags=tags)


def _operands(call: Call, row: Row, options: Options, letters: str) -> list[Reading]:
    """What is done to each operand."""
    found = []
    for place, operand in enumerate(options.operands):
        letter = letters[min(place, len(letters) - 1)]
        if row.last and place and place == len(options.operands) - 1:
            letter = row.last
        found.append(act(call, letter, operand))
    return found


def act(call: Call, letter: str, value: str) -> Reading:
    """What `letter` says is done to `value`."""
    if letter in VERBS:
        return call.file(letter, value)
    if letter == "h":
        return connect(hosts.from_url(value)) if value else Reading()
    if letter == "k":
        return configure(f"{call.name} {value}".strip())
    if letter == "x":
        return Reading(opaque=(Code.CONFIGURED_COMMAND,), tags=(INTERPRETER,))
    return environment("secret") if letter == "s" else Reading()


@dataclass(frozen=True, slots=True)
class Tool:
    """A program with subcommands. Each field holds subcommands, one a line or separated by `;`."""

    options: str = ""
    read: str = ""
    secret: str = ""
    write: str = ""
    create: str = ""
    alter: str = ""
    delete: str = ""
    grant: str = ""
    configure: str = ""
    connect: str = ""
    export: str = ""
    install: str = ""
    build: str = ""
    run: str = ""
    """What runs a command or code that is not read."""
    bare: str = ""
    """The field that a call without subcommand belongs to."""
    single: bool = False
    dry: str = ""
    """The option that only tries what a subcommand would do."""

    def find(self, words: tuple[str, ...]) -> str:
        """The field that `words` begin with, the longest match counts."""
        for length in range(min(4, len(words)), 0, -1):
            wanted = " ".join(words[:length])
            for name in _FIELDS:
                if wanted in _phrases(getattr(self, name)):
                    return name
        return "" if words else self.bare


_CHANGES: dict[str, tuple[Verb, Extent]] = {
    "write": (Verb.WRITE, Extent.KEY_BOUND),
    "create": (Verb.CREATE, Extent.KEY_BOUND),
    "alter": (Verb.ALTER, Extent.KEY_BOUND),
    "delete": (Verb.DELETE, Extent.WHOLE),
    "grant": (Verb.GRANT, Extent.WHOLE),
    "configure": (Verb.CONFIGURE, Extent.NONE),
    "connect": (Verb.CONNECT, Extent.NONE),
    "export": (Verb.EXPORT, Extent.WHOLE),
}
# The worse comes first: a phrase in two fields is the worse of both.
_FIELDS = ("run", "delete", "grant", "secret", "export", "install", "build", *_CHANGES, "read")


def _phrases(text: str) -> frozenset[str]:
    """The subcommands that a field holds."""
    return frozenset(" ".join(part.split()) for part in text.split(";")) - {""}


def read_tool(call: Call, tool: Tool) -> Reading:
    """Read `call` by the subcommands of `tool`."""
    options = read_options(call.args, tool.options, single=tool.single)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    kind = tool.find(options.operands)
    subject = " ".join((call.name, *options.operands))
    if (
        "--help" in options.unknown
        and options.certain(call.args, "--help")
        and kind not in ("", "build", "run", "install")
    ):
        return union(found).tagged(READ_ONLY)
    if tool.dry and options.certain(call.args, tool.dry) and kind in _CHANGES:
        kind = "read"
    if kind == "install":
        found += [_address(word) for word in options.operands if "://" in word]
    return union(found) + say(kind, subject)


def _address(word: str) -> Reading:
    """The host of `git+https://host/path@version` or `name@https://host/path`."""
    start = word.index("://")
    scheme = re.search(r"[a-z]+$", word[:start])
    login = re.split(r"[/?#]", word[start + 3 :], maxsplit=1)[0]
    return connect(hosts.from_login(f"{scheme[0] if scheme else 'https'}://{login}"))


def say(kind: str, subject: str) -> Reading:
    """The effect that a field of `Tool` stands for."""
    if kind in _CHANGES:
        verb, extent = _CHANGES[kind]
        return thing(verb, subject, extent).tagged(DESCRIBED)
    if kind == "secret":
        return thing(Verb.READ, subject, tags=("secret",)).tagged(READ_ONLY)
    if kind == "read":
        return thing(Verb.READ, subject).tagged(READ_ONLY)
    if kind in ("install", "build"):
        return Reading(tags=(kind + "s",))
    if kind == "run":
        return Reading(opaque=(Code.INTERPRETER_CODE,), tags=(INTERPRETER,))
    return Reading(tags=(UNKNOWN,))


Entry = Row | Tool | Callable[[Call], Reading]
"""How a program is read."""
Table = tuple[tuple[str, Entry], ...]
"""Names of programs, separated by spaces, and how they are read."""
