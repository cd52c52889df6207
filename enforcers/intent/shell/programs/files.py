"""Programs that make, change, move and remove files."""

from __future__ import annotations

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import DESCRIBED, Call, Reading, thing, union
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.tables import Row, Table

_COPY = """
        -t|--target-directory= -S|--suffix= --backup? -r|-R|--recursive -a|--archive -f|--force
        -n|--no-clobber -v -p -i -u -l -s -T|--no-target-directory -b -d -L -P -H -x
        --preserve? --no-preserve= --sparse= --reflink? -m|--mode= -o|--owner= -g|--group=
        -D -Z --context? --parents --remove-destination --strip-program=x
    """


def _copy(call: Call, options: Options) -> tuple[tuple[str, ...], str]:
    """Sources and target of `cp`, `mv`, `ln`, `install`."""
    target = options.values("target-directory")
    if target:
        return options.operands, target[-1]
    return options.operands[:-1], options.operands[-1] if options.operands else ""


def _cp(call: Call) -> Reading:
    """`cp`, `install`: sources are read, the target is written."""
    options = read_options(call.args, _COPY)
    sources, target = _copy(call, options)
    read = "R" if options.has("recursive", "archive") else "r"
    found = [call.file(read, source) for source in sources] + [call.file("w", target)]
    if options.has("strip-program"):
        found.append(Reading(opaque=(Code.CONFIGURED_COMMAND,)))
    if any(mode_gives_rights(mode) for mode in options.values("mode")):
        found.append(call.file("g", target))
    return union(found).tagged(DESCRIBED)


def _mv(call: Call) -> Reading:
    """`mv`: sources are moved away, the target is written."""
    options = read_options(call.args, _COPY)
    sources, target = _copy(call, options)
    found = [call.file("v", source) for source in sources] + [call.file("w", target)]
    return union(found).tagged(DESCRIBED)


def _ln(call: Call) -> Reading:
    """`ln`: a link gives its target a second name, so the target counts as read."""
    options = read_options(call.args, _COPY)
    sources, target = _copy(call, options)
    letter = "w" if options.has("force") else "c"
    found = [call.file("r", source) for source in sources] + [call.file(letter, target)]
    return union(found).tagged(DESCRIBED)


def mode_gives_rights(mode: str) -> bool:
    """Whether a mode lets others write, or sets the user or group id."""
    if mode.isdigit():
        return int(mode[-1]) & 2 != 0 or (len(mode) > 3 and mode[-4] in "2467")
    for part in mode.split(","):
        who, _, rights = part.replace("=", "+").partition("+")
        if "s" in rights or ("w" in rights and (not who or "o" in who or "a" in who)):
            return True
    return False


def _chmod(call: Call) -> Reading:
    """`chmod`: an alteration, or a grant where others may write or the user id is set."""
    options = read_options(call.args, "-R|--recursive -f -v -c --reference=m")
    deep = options.has("recursive")
    # A mode such as `-w` looks like options.
    modes = [arg for arg in call.args if arg[:1] == "-" and arg[1:2] in tuple("wxst")]
    mode, names = (
        (modes[0], options.operands)
        if modes
        else (options.operands[0] if options.operands else "", options.operands[1:])
    )
    letter = "g" if mode_gives_rights(mode) else "A" if deep else "a"
    return union([call.file(letter, name) for name in names]).tagged(DESCRIBED)


def _chown(call: Call) -> Reading:
    """`chown`, `chgrp`, `setfacl`, `chattr`: rights go to someone else."""
    options = read_options(
        call.args,
        """
        -R|--recursive -h -v -f --from= --reference=m -m|--modify= -x|--remove= -b -k -d
    """,
    )
    names = options.operands if call.name == "setfacl" else options.operands[1:]
    return union([call.file("g", name) for name in names]).tagged(DESCRIBED)


def _rm(call: Call) -> Reading:
    """`rm` and its kin."""
    options = read_options(
        call.args,
        """
        -r|-R|--recursive -f|--force -i -I -v|--verbose -d|--dir --interactive? --one-file-system
        --preserve-root? --no-preserve-root
    """,
    )
    letter = "D" if options.has("recursive") else "d"
    return union([call.file(letter, name) for name in options.operands]).tagged(DESCRIBED)


def _dd(call: Call) -> Reading:
    """`dd if=… of=…`."""
    found = []
    for arg in call.args:
        name, _, value = arg.partition("=")
        if name in ("if", "of"):
            found.append(call.file("r" if name == "if" else "w", value))
    return union(found).tagged(DESCRIBED)


def _git_like_tool(call: Call) -> Reading:
    """Trash cans: the file is gone for the user, whatever the tool calls it."""
    names = read_options(call.args, "").operands
    if names[:1] in (("list",), ("ls",)):
        return Reading(tags=(DESCRIBED,))
    found = [call.file("D", name) for name in names if name not in ("put", "rm", "empty", "trash")]
    return (union(found) + thing(Verb.DELETE, call.name, Extent.WHOLE)).tagged(DESCRIBED)


def _patch(call: Call) -> Reading:
    """`patch`: what it changes is said by the patch, which is not read."""
    options = read_options(
        call.args,
        """
        -i|--input=r -o|--output=w -d|--directory= -p|--strip= -r= -e|--ed --dry-run -R -N
    """,
    )
    found = [call.file("r", value) for value in options.values("input")]
    if options.has("dry-run"):
        return union(found).tagged(DESCRIBED)
    return union(found) + Reading(opaque=(Code.UNREAD_INPUT,), tags=(DESCRIBED,))


PROGRAMS: Table = (
    ("cp install", _cp),
    ("mv ", _mv),
    ("ln link", _ln),
    ("rm", _rm),
    ("unlink", Row(operands="d", tag=DESCRIBED)),
    ("rmdir", Row("-p|--parents -v --ignore-fail-on-non-empty", operands="d", tag=DESCRIBED)),
    ("trash trash-put rmtrash trash-empty", _git_like_tool),
    (
        "shred",
        Row(
            """
        -n|--iterations= -s|--size= --random-source=r -u -z -f -v -x
    """,
            operands="D",
            tag=DESCRIBED,
        ),
    ),
    ("truncate", Row("-s|--size= -r|--reference=m -c -o", operands="t", tag=DESCRIBED)),
    ("fallocate", Row("-l|--length= -o|--offset= -p -c -z -d -x -i", operands="w", tag=DESCRIBED)),
    ("mkdir", Row("-m|--mode= -p|--parents -v -Z --context?", operands="c", tag=DESCRIBED)),
    (
        "touch",
        Row(
            """
        -d|--date= -t= -r|--reference=m -a -c -m -h --time=
    """,
            operands="c",
            tag=DESCRIBED,
        ),
    ),
    ("mktemp", Row("-p|--tmpdir? -d -u -t -q --suffix=", operands="-", tag=DESCRIBED)),
    ("mkfifo", Row("-m|--mode=", operands="c", tag=DESCRIBED)),
    ("mknod", Row("-m|--mode=", operands="g-", tag=DESCRIBED)),
    ("tee sponge", Row("-a|--append -i -p --output-error?", operands="w", tag=DESCRIBED)),
    (
        "split csplit",
        Row(
            """
        -l= -b= -n|--number= -a= -d -C= --filter=x -x -t= -f|--prefix=w -e
    """,
            operands="rw",
            tag=DESCRIBED,
        ),
    ),
    ("chmod", _chmod),
    ("chown chgrp setfacl chattr chflags", _chown),
    ("dd ddrescue dcfldd", _dd),
    ("patch", _patch),
    ("sync", Row(operands="m")),
    ("dos2unix unix2dos", Row("-n|--newfile -k -q", operands="W", tag=DESCRIBED)),
    ("rename prename perl-rename mmv", Row("", operands="x", tag=DESCRIBED)),
)
