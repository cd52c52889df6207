"""Programs that find things and may run a command on each: `find`, `fd`, `xargs`, `parallel`."""

from __future__ import annotations

from enforcers.intent.shell.calls import (
    DESCRIBED,
    READ_ONLY,
    WRAPPER,
    Call,
    Reading,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Row, Table

_EXEC = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_FD = """
        -e= -t= -E= -d= -g -H -I -a -S= -o= -c= -j= --base-directory=m --search-path=m --type=
        --exclude= --extension=
    """
_MAX_STARTS = 20
_WRITES = frozenset({"-fprint", "-fprint0", "-fprintf", "-fls"})


def _find(call: Call) -> Reading:
    """`find`: what it starts from is looked at; actions delete, write or run."""
    starts = _starts(call.args)
    words = call.args[len(starts) :]
    roots = tuple(arg for arg in starts if not arg.startswith("-")) or (".",)
    found = [call.file("m", root) for root in roots]
    for place, word in enumerate(words):
        if word == "-delete":
            found += [call.file("D", root) for root in roots]
        elif word in _WRITES:
            found += [call.file("w", path) for path in words[place + 1 : place + 2]]
        elif word == "-files0-from":
            found.append(Reading(opaque=(Code.UNREAD_INPUT,)))
        elif word in _EXEC:
            found.append(_each(call, words[place + 1 :], roots))
    runs = any(word in _EXEC for word in words)
    return union(found).tagged(WRAPPER if runs else READ_ONLY)


def _starts(args: tuple[str, ...]) -> tuple[str, ...]:
    """The options and paths before the expression."""
    for place, arg in enumerate(args):
        if arg in ("!", "(", ")", ",") or (
            arg.startswith("-")
            and arg not in ("-H", "-L", "-P", "--")
            and not arg.startswith(("-O", "-D"))
        ):
            return args[:place]
    return args


def _each(call: Call, words: tuple[str, ...], roots: tuple[str, ...]) -> Reading:
    """The command after `-exec`, with every start in the place of `{}`."""
    end = next((i for i, word in enumerate(words) if word in (";", "+")), len(words))
    argv = words[:end]
    # What is found below a start is a part of it: the start stands for all of it.
    if len(roots) > _MAX_STARTS:
        return Reading(opaque=(Code.TOO_ENTANGLED,))
    return union([call.command(tuple(word.replace("{}", root) for word in argv)) for root in roots])


def _fd(call: Call) -> Reading:
    """`fd`: `-x` and `-X` run the rest."""
    flags = [i for i, arg in enumerate(call.args) if arg in ("-x", "-X", "--exec", "--exec-batch")]
    if flags:
        roots = read_options(call.args[: flags[0]], _FD).operands[1:] or (".",)
        return _each(call, (*call.args[flags[0] + 1 :], "{}"), roots).tagged(WRAPPER)
    if any(arg.startswith(("--exec", "-x", "-X")) for arg in call.args):
        return unclear(Code.HIDDEN_COMMAND)
    options = read_options(call.args, _FD)
    return union([call.file("m", path) for path in options.operands[1:]]).tagged(READ_ONLY)


def _xargs(call: Call) -> Reading:
    """`xargs`: runs a command with operands that nobody has written."""
    table = """
        -a|--arg-file=r -d|--delimiter= -E= -e|--eof? -I= -i|--replace? -L= -l|--max-lines?
        -n|--max-args= -P|--max-procs= -s|--max-chars= --process-slot-var= -0|--null
        -r|--no-run-if-empty -t|--verbose -p|--interactive -x|--exit -o|--open-tty
    """
    options = read_options(call.args, table, stop=True)
    argv = options.operands or ("echo",)
    found = [call.file("r", path) for path in options.values("arg-file")]
    inner = call.command(argv)
    return union(found) + _unwritten(inner) + Reading(tags=(WRAPPER,))


def _unwritten(inner: Reading) -> Reading:
    """`inner`, which gets more operands than are written: opaque unless it only looks."""
    effects = [effect for intent in inner.nested for effect in intent.effects]
    programs = [e.resource.tags for e in effects if e.resource.type == "program"]
    if all(tags == (READ_ONLY,) for tags in programs):
        # What it reads is named by its input: unknown files.
        return inner + Reading(opaque=(Code.UNREAD_INPUT,) if _shows_content(inner) else ())
    return inner + Reading(opaque=(Code.UNREAD_INPUT,))


def _shows_content(inner: Reading) -> bool:
    """Whether the program prints what is in the files that it is given."""
    plain = {
        "echo",
        "ls",
        "stat",
        "basename",
        "dirname",
        "wc",
        "du",
        "file",
        "printf",
        "test",
        "grep",
        "md5sum",
        "sha256sum",
    }
    return not all(
        intent.effects[:1] and intent.effects[0].resource.name in plain for intent in inner.nested
    )


def _parallel(call: Call) -> Reading:
    """`parallel`: its operands are templates for a shell."""
    options = read_options(
        call.args,
        """
        -j|--jobs= -S|--sshlogin= -a|--arg-file= -I= -n= -N= --colsep= --joblog= --results= -k
    """,
        stop=True,
    )
    words = options.operands
    end = next((i for i, word in enumerate(words) if word.startswith(":::")), len(words))
    inner = call.command(words[:end]) if end else Reading()
    return (inner + Reading(opaque=(Code.HIDDEN_COMMAND,))).tagged(WRAPPER)


PROGRAMS: Table = (
    ("find gfind", _find),
    ("fd fdfind", _fd),
    ("xargs gxargs", _xargs),
    ("parallel rush", _parallel),
    ("locate plocate mlocate mdfind", Row("-d|--database=r -n|--limit= -i -c -r", operands="-")),
    ("updatedb", Row(operands="k", tag=DESCRIBED)),
)
