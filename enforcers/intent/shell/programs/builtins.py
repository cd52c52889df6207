"""What the shell does itself."""

from __future__ import annotations

from enforcers.intent.shell.calls import READ_ONLY, WRAPPER, Call, Reading, unclear
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Row, Table

_SAFE_SET = names("-e -u -o +e errexit nounset pipefail -eu -euo")


def _directory(call: Call) -> Reading:
    """`cd`: looks at a directory; what follows is read there."""
    target = [arg for arg in call.args if not arg.startswith("-")]
    return call.file("m", target[0]).tagged(READ_ONLY) if target else Reading(tags=(READ_ONLY,))


def _set(call: Call) -> Reading:
    """`set`: the usual strict options, or else a change of what later words mean."""
    if call.args and all(arg in _SAFE_SET for arg in call.args):
        return Reading(tags=(READ_ONLY,))
    return unclear(Code.SHELL_STATE)


def _command(call: Call) -> Reading:
    """`command -v name` looks; `command name …` runs."""
    options = read_options(call.args, "-v -V -p", stop=True)
    if options.has("v", "V"):
        return Reading(tags=(READ_ONLY,))
    return call.command(options.operands).tagged(WRAPPER)


def _type(call: Call) -> Reading:
    return Reading(tags=(READ_ONLY,))


def _state(call: Call) -> Reading:
    """A builtin that changes names, variables, options or traps of the shell."""
    return unclear(Code.SHELL_STATE)


def _evaluate(call: Call) -> Reading:
    """A builtin that runs its text or a file."""
    return unclear(Code.INTERPRETER_CODE)


def _exec(call: Call) -> Reading:
    """`exec program …`: the program takes the shell's place."""
    options = read_options(call.args, "-a= -c -l", stop=True)
    return call.command(options.operands).tagged(WRAPPER)


PROGRAMS: Table = (
    ("cd chdir pushd popd", _directory),
    ("set", _set),
    ("command", _command),
    ("builtin", lambda call: call.command(call.args).tagged(WRAPPER)),
    ("exec", _exec),
    ("type", _type),
    (
        """
        : exit return break continue wait jobs times dirs logout disown fg bg shift
    """,
        Row(operands="-"),
    ),
    (
        """
        alias unalias export declare typeset local readonly unset shopt setopt trap read mapfile
        readarray getopts hash enable bind complete compgen compopt function autoload
        zmodload emulate suspend caller noglob nocorrect coproc fc history
    """,
        _state,
    ),
    ("eval source . let", _evaluate),
)
