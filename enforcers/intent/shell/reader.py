"""
From a line or an argv to its Intent.

INVARIANT: `read_line` and `read_argv` return an Intent for every input; what fails inside becomes
a finding.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from enforcers.intent.model import Effect, Finding, Intent, Resource, ResourceType, ShellFacts, Verb
from enforcers.intent.shell import flows, words
from enforcers.intent.shell.calls import (
    BUILDS,
    DESCRIBED,
    INSTALLS,
    INTERPRETER,
    PRIVILEGED,
    READ_ONLY,
    UNKNOWN,
    WRAPPER,
    Call,
    Inner,
    Reading,
    Scope,
    SqlReader,
)
from enforcers.intent.shell.codes import Code, Span, finding
from enforcers.intent.shell.names import names
from enforcers.intent.shell.paths import Place
from enforcers.intent.shell.programs import read_call
from enforcers.intent.shell.words import MAX_CHARACTERS, MAX_WORDS

MAX_DEPTH = 6
MAX_INNER = 200
# The worst first: a call that is two of these is the worse one.
_CLASSES = (INTERPRETER, UNKNOWN, INSTALLS, BUILDS, WRAPPER, DESCRIBED, READ_ONLY)
_TRUSTED = names(
    "/bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin /opt/homebrew/bin /snap/bin"
)

Argv = tuple[str, ...]


def read_line(
    text: str, *, cwd: str = "", workspace: str = "", read_sql: SqlReader | None = None
) -> Intent:
    """
    What the command line `text` would do in the directory `cwd`.

    `read_sql` reads SQL that is passed to a database's client; without it such SQL is opaque.
    Never raises.
    """
    scope = Scope(Place(cwd, workspace), Inner(_command, _script, read_sql))
    try:
        return _script(text, scope, deeper=False)
    except Exception:
        # A defect in a table must deny one command, not stop the judge.
        return Intent("shell", opaque=(finding(Code.UNREADABLE),), shell=ShellFacts())


def read_argv(
    argv: Argv,
    *,
    program: str = "",
    cwd: str = "",
    workspace: str = "",
    read_sql: SqlReader | None = None,
) -> Intent:
    """
    What the one command `argv` would do; `program` is its absolute path where known. Never
    raises.
    """
    scope = Scope(Place(cwd, workspace), Inner(_command, _script, read_sql))
    facts = ShellFacts((argv,), (), program)
    try:
        if bad := _bounds(argv):
            return Intent("shell", inadmissible=(bad,), shell=facts)
        return _chain([(argv, None)], [], scope, program)
    except Exception:
        return Intent("shell", opaque=(finding(Code.UNREADABLE),), shell=facts)


def _bounds(argv: Argv) -> Finding | None:
    """Why `argv` may not be read at all."""
    if len(argv) > MAX_WORDS:
        return finding(Code.TOO_MANY_WORDS)
    if sum(map(len, argv)) > MAX_CHARACTERS:
        return finding(Code.OVERSIZED)
    found = (words.inadmissible(word) for word in argv)
    return next((replace(bad, span=None) for bad in found if bad), None)


def _script(text: str, scope: Scope, *, deeper: bool = True) -> Intent:
    """Read a line that a shell gets."""
    if bad := words.inadmissible(text):
        return Intent("shell", inadmissible=(bad,), shell=ShellFacts())
    line = words.split(text.rstrip("\n"))
    argvs = [tuple(word.text for word in command) for command in line.commands]
    facts = ShellFacts(tuple(argvs), tuple(line.connectors))
    if sum(map(len, argvs)) > MAX_WORDS:
        return Intent("shell", inadmissible=(finding(Code.TOO_MANY_WORDS),), shell=facts)
    if line.opaque:
        return Intent("shell", opaque=tuple(line.opaque), shell=facts)
    spans = [(command[0].span[0], command[-1].span[1]) for command in line.commands]
    inner = _deeper(scope) if deeper else scope
    return _chain(list(zip(argvs, spans, strict=True)), line.connectors, inner)


def _command(argv: Argv, scope: Scope) -> Intent:
    """Read a command inside another one."""
    return _chain([(argv, None)], [], _deeper(scope))


def _deeper(scope: Scope) -> Scope:
    return replace(scope, depth=scope.depth + 1)


def _chain(
    commands: list[tuple[Argv, Span]], connectors: list[str], scope: Scope, program: str = ""
) -> Intent:
    """Read commands and what joins them; the union of all that they do."""
    facts = ShellFacts(tuple(argv for argv, _ in commands), tuple(connectors), program)
    if scope.depth > MAX_DEPTH:
        return Intent("shell", opaque=(finding(Code.TOO_DEEP),), shell=facts)
    if scope.depth and next(scope.inner.taken) > MAX_INNER:
        return Intent("shell", opaque=(finding(Code.TOO_ENTANGLED),), shell=facts)
    parts: list[Intent] = []
    upstream: tuple[Resource, ...] = ()
    for place, (argv, span) in enumerate(commands):
        piped = place > 0 and connectors[place - 1] == "|"
        part = _simple(argv, scope, span, program, piped=piped)
        if piped:
            part = _fed(part, upstream, span)
        own = flows.sources(part.effects[1:], part.effects[0].resource) if part.effects else ()
        upstream = tuple(dict.fromkeys((upstream if piped else ()) + own))
        parts.append(part)
        scope = _moved(scope, argv, connectors[place:], piped=piped)
    return replace(_union(parts), shell=facts)


def _fed(part: Intent, upstream: tuple[Resource, ...], span: Span) -> Intent:
    """`part`, whose standard input is what `upstream` gives."""
    targets = tuple(dict.fromkeys(flows.sinks(part.effects)))
    if flows.entangled(upstream, targets):
        return replace(part, opaque=(*part.opaque, finding(Code.TOO_ENTANGLED, span)))
    return replace(part, flows=part.flows + flows.through_pipe(upstream, targets))


def _moved(scope: Scope, argv: Argv, following: list[str], *, piped: bool) -> Scope:
    """The scope after `argv`, which may have changed the directory."""
    if argv[0] not in ("cd", "pushd", "popd", "chdir") or piped or following[:1] == ["|"]:
        return scope
    target = [arg for arg in argv[1:] if arg == "-" or not arg.startswith("-")]
    sure = argv[0] != "popd" and all(connector in ("&&", "|") for connector in following)
    return replace(scope, place=scope.place.moved(target[0] if target else "", sure=sure))


def _union(parts: list[Intent]) -> Intent:
    """The effects of all `parts`; what they nest is kept in order."""
    return Intent(
        "shell",
        effects=tuple(dict.fromkeys(e for part in parts for e in part.effects)),
        flows=tuple(dict.fromkeys(f for part in parts for f in part.flows)),
        inadmissible=tuple(dict.fromkeys(f for part in parts for f in part.inadmissible)),
        opaque=tuple(dict.fromkeys(f for part in parts for f in part.opaque)),
        nested=tuple(n for part in parts for n in part.nested),
        assumed=tuple(dict.fromkeys(a for part in parts for a in part.assumed)),
    )


def _simple(argv: Argv, scope: Scope, span: Span, program: str, *, piped: bool) -> Intent:
    """Read one simple command."""
    if not argv or not argv[0] or not argv[0].isascii():
        code = Code.UNUSUAL_NAME if argv else Code.NOTHING_TO_RUN
        return Intent("shell", opaque=(finding(code, span),))
    name = posixpath.basename(argv[0])
    reading = read_call(Call(name, argv[1:], scope, piped)).settled()
    executed = Resource(
        ResourceType.PROGRAM, name, _path_of(argv[0], program), _tags(reading, argv[0], program)
    )
    own = Intent(
        "shell",
        effects=(Effect(Verb.EXECUTE, executed), *reading.effects),
        flows=reading.flows,
        opaque=tuple(finding(code, span) for code in reading.opaque),
        nested=reading.nested,
    )
    inner = [replace(n, nested=(), opaque=_placed(n.opaque, span)) for n in reading.nested]
    return _union([own, *inner])


def _placed(found: tuple[Finding, ...], span: Span) -> tuple[Finding, ...]:
    """The findings of an inner text, at the place of the command that holds it."""
    return tuple(replace(one, span=span) for one in found)


def _path_of(name: str, program: str) -> str:
    return name if "/" in name else program


def _tags(reading: Reading, name: str, program: str) -> tuple[str, ...]:
    """One class for the program, and whether it is privileged."""
    known = next((tag for tag in _CLASSES if tag in reading.tags), UNKNOWN)
    if not _trusted(name, program) and known != INTERPRETER:
        known = UNKNOWN
    return (known, PRIVILEGED) if PRIVILEGED in reading.tags else (known,)


def _trusted(name: str, program: str) -> bool:
    """Whether the program is where a system keeps its programs: `./ls` need not be `ls`."""
    if program and posixpath.basename(program) != posixpath.basename(name):
        return False
    return all(posixpath.dirname(p) in _TRUSTED for p in (name, program) if "/" in p)
