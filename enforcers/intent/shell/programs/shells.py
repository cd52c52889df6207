"""Shells: `-c` gives a line that is read like any other."""

from __future__ import annotations

from enforcers.intent.shell.calls import INTERPRETER, WRAPPER, Call, Reading, unclear
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.tables import Table

_VALUED = ("-o", "+o", "-O", "+O", "--rcfile", "--init-file")
_HARMLESS = names("""
        -e -u -x -o errexit nounset pipefail xtrace --norc --noprofile -n --posix -f
    """)


def _shell(call: Call) -> Reading:
    """`sh -c LINE`, `sh FILE`, or `sh` that reads its input."""
    args = list(call.args)
    while args and args[0][:1] in ("-", "+") and args[0] not in ("-", "--"):
        option = args.pop(0)
        if _is_command(option):
            return _line(call, option, tuple(args))
        if option in _VALUED and args:
            if args.pop(0) not in _HARMLESS:
                return unclear(Code.SHELL_STATE)
        elif option not in _HARMLESS and not set(option[1:]) <= set("eux"):
            # `-i` and `-l` read start-up files, `-s` reads its input.
            return unclear(Code.UNREAD_INPUT)
    found = call.file("r", args[0]) if args and args[0] not in ("-", "--") else Reading()
    return found + unclear(Code.UNREAD_INPUT)


def _is_command(option: str) -> bool:
    """Whether `option` is `-c`, alone or in a cluster such as `-ec`."""
    return not option.startswith("--") and option[0] == "-" and "c" in option[1:]


def _line(call: Call, option: str, args: tuple[str, ...]) -> Reading:
    """The line after `-c`."""
    if not set(option[1:]) <= set("ceux") or not args or args[0][:1] in ("-", "+"):
        # `bash -c -e LINE`, `-lc` and their like are read in other ways by other shells.
        return unclear(Code.INTERPRETER_CODE)
    return call.script(args[0]).tagged(WRAPPER)


def _other(call: Call) -> Reading:
    """A shell whose language is another one."""
    return Reading(opaque=(Code.INTERPRETER_CODE,), tags=(INTERPRETER,))


PROGRAMS: Table = (
    ("sh bash dash zsh ksh mksh ash rbash posh yash", _shell),
    ("fish csh tcsh pwsh powershell cmd nu xonsh elvish rc es osh ysh wish lksh", _other),
)
