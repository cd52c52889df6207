"""
Stream editors: `sed` and `awk` are small languages, so their programs are read by what may leave
them.
"""

from __future__ import annotations

import re

from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    Call,
    Reading,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.tables import Table

_SED = """
        -e|--expression= -f|--file= -i|--in-place? -n|--quiet|--silent -E -r|--regexp-extended
        -s|--separate -u -z|--null-data -l|--line-length= --posix --follow-symlinks --debug
        --sandbox -b
    """
# One command of a sed script that only edits: an address, then a substitution or a plain letter.
_ADDRESS = r"(?:\d+|\$|/(?:[^/\\\n]|\\.)*/I?|\d+~\d+)"
_SED_STEP = re.compile(
    rf"\s*(?:{_ADDRESS}(?:,(?:{_ADDRESS}|\+\d+))?\s*!?\s*)?(?:"
    r"(?:s|y)(?P<d>[/|,:#@%!_])(?:(?!(?P=d))[^\\\n]|\\.)*(?P=d)(?:(?!(?P=d))[^\\\n]|\\.)*(?P=d)[gpiIM0-9]*"
    r"|[=dDgGhHnNpPqQxlFz]\d*|[aic]\\?\s*[^\n]*)?\s*(?:[;\n]|$)"
)
_AWK_LEAVES = re.compile(
    r"system|getline|\||>|@|ENVIRON|close|fflush|extension|load|include|printf?\s*\(?.*>|ARGV|<"
)
_AWK_PLAIN = re.compile(r"(?:[<>]=?|\|\|)\s*[\d.$A-Za-z_\"(/!]")


def sed_only_edits(script: str) -> bool:
    """Whether every command of `script` is proved to edit text and nothing else."""
    place = 0
    while place < len(script):
        match = _SED_STEP.match(script, place)
        if match is None or match.end() == place:
            return False
        place = match.end()
    return True


def awk_only_prints(program: str) -> bool:
    """Whether `program` runs nothing and writes to no file: no word or sign that could is in it."""
    # Comparisons in the pattern before the braces are no redirections.
    pattern, brace, body = program.partition("{")
    if not brace:
        return not _AWK_LEAVES.search(_AWK_PLAIN.sub("", pattern))
    return not _AWK_LEAVES.search(_AWK_PLAIN.sub("", pattern)) and not _AWK_LEAVES.search(body)


def _sed(call: Call) -> Reading:
    """`sed`: `-i` writes in place; a script that may write or run is not read."""
    options = read_options(call.args, _SED)
    if options.has("file"):
        return unclear(Code.UNREAD_INPUT)
    scripts, names = _program(options, "expression")
    letter = "W" if options.has("in-place") else "r"
    found = union([call.file(letter, name) for name in names])
    if not all(sed_only_edits(script) for script in scripts):
        return found + unclear(Code.INTERPRETER_CODE)
    return found.tagged(DESCRIBED if options.has("in-place") else READ_ONLY)


def _program(options: Options, option: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The program's texts and the files it reads."""
    given = options.values(option)
    return (given, options.operands) if given else (options.operands[:1], options.operands[1:])


def _awk(call: Call) -> Reading:
    """`awk`."""
    table = """
        -F|--field-separator= -v|--assign= -f|--file= -i|--include= -l|--load= -e|--source=
        -E|--exec= -o|--pretty-print? -p|--profile? -d|--dump-variables? -D|--debug?
    """
    options = read_options(call.args, table, stop=True)
    if options.has(
        "file", "include", "load", "exec", "pretty-print", "profile", "dump-variables", "debug"
    ):
        return unclear(Code.UNREAD_INPUT)
    programs, names = _program(options, "source")
    found = union([call.file("r", name) for name in names if "=" not in name])
    if not all(awk_only_prints(program) for program in programs):
        return found + unclear(Code.INTERPRETER_CODE)
    return found.tagged(READ_ONLY)


def _editor(call: Call) -> Reading:
    """An editor waits for a person, and can run anything."""
    return Reading(opaque=(Code.INTERPRETER_CODE,), tags=(INTERPRETER,))


PROGRAMS: Table = (
    ("sed gsed ssed", _sed),
    ("awk gawk mawk nawk", _awk),
    (
        """
        vi vim nvim view ex ed red emacs emacsclient nano pico micro joe jed helix hx code subl
        gedit kate rvim rview vimdiff screen tmux byobu zellij expect gdb lldb radare2 r2
        dialog whiptail zenity mc ranger nnn lf vifm w3m lynx links elinks
    """,
        _editor,
    ),
)
