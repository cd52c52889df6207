"""Programs that pack and unpack."""

from __future__ import annotations

from enforcers.intent.shell import hosts
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    Call,
    Reading,
    connect,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Row, Table

_TAR = """
        -f|--file= -C|--directory= -T|--files-from=r --exclude= -X|--exclude-from=r --to-command=x
        -I|--use-compress-program=x --checkpoint-action=x
        -F|--info-script|--new-volume-script=x --rsh-command=x --rmt-command=x -c|--create
        -x|--extract|--get -t|--list -r|--append -u|--update -A|--concatenate --delete
        --strip-components= --transform= --owner= --group= --mode= --mtime= -b= -g= -K= -L=
        -N= -V|--label= --remove-files -P|--absolute-names --overwrite -O|--to-stdout -z -j
        -J -v -p -k -m -h -a -S -W --checkpoint? --format=
    """


def _tar(call: Call) -> Reading:
    """`tar`: the first word may be options without a dash."""
    args = call.args
    if args and args[0][:1] not in ("-", ""):
        args = _old_style(args)
    options = read_options(args, _TAR)
    found = [Reading(opaque=(Code.CONFIGURED_COMMAND,)) for o in options.given if o.action == "x"]
    found += [call.file("r", o.value) for o in options.given if o.action == "r"]
    archive = options.values("file")
    login = hosts.remote_part(archive[0]) if archive else ""
    if login:
        found.append(connect(hosts.from_login(login)))
    packs = options.has("create", "append", "update", "concatenate", "delete")
    found += [call.file("w" if packs else "r", name) for name in archive if not login]
    if packs:
        found += [
            call.file("R", name) for name in (*options.operands, *options.values("directory"))
        ]
    if options.has("remove-files"):
        found += [call.file("D", name) for name in options.operands]
    unpacks = options.has("extract", "get") and not options.has("to-stdout")
    if unpacks or not (packs or options.has("list")):
        found += [call.file("w", name) for name in options.values("directory") or (".",)]
    if options.has("absolute-names") and unpacks:
        found.append(call.file("w", "/"))
    tag = INTERPRETER if any(reading.opaque for reading in found) else DESCRIBED
    return union(found).tagged(READ_ONLY if options.has("list") else tag)


def _old_style(args: tuple[str, ...]) -> tuple[str, ...]:
    """
    `tar cfC a.tar dir` as `tar -c -f a.tar -C dir`: values come in the order of their letters.
    """
    rest = list(args[1:])
    found: list[str] = []
    for letter in args[0]:
        found.append("-" + letter)
        if letter in "fCTXIFbgKLNV" and rest:
            found.append(rest.pop(0))
    return (*found, *rest)


def _unpack(call: Call) -> Reading:
    """`unzip`, `7z`, `cpio` …: what they write is said by the archive."""
    listing = {"-l", "-t", "-Z", "-v", "l", "t", "-p", "--list", "--test"} & set(call.args)
    options = read_options(
        call.args,
        """
        -d= -x= -P= -o= -I=x -F= -D= --to-stdout -i -u -m -O=w -E=r -H= -R=
    """,
    )
    found = [
        call.file("r", name) for name in options.operands if name not in ("x", "e", "l", "t", "a")
    ]
    found += [Reading(opaque=(Code.CONFIGURED_COMMAND,)) for o in options.given if o.action == "x"]
    if listing:
        return union(found).tagged(READ_ONLY)
    target = options.values("d", "D", "o") or (".",)
    found += [call.file("w", name) for name in target]
    return union(found).tagged(DESCRIBED)


def _zip(call: Call) -> Reading:
    """`zip archive files`: `-TT` names a command, `-m` removes what was packed."""
    options = read_options(
        call.args,
        """
        -TT|--unzip-command=x -T|--test -m|--move!D -r|--recurse-paths -x= -i= -P= -q -j -9 -0 -u -d
        -e -b=w -O=w -s=
    """,
    )
    if any(arg.startswith("-TT") or arg.startswith("--unzip") for arg in call.args):
        return Reading(opaque=(Code.CONFIGURED_COMMAND,), tags=(INTERPRETER,))
    letter = "D" if options.has("move") else "R"
    found = [call.file("w", name) for name in options.operands[:1]]
    found += [call.file(letter, name) for name in options.operands[1:]]
    return union(found).tagged(DESCRIBED)


PROGRAMS: Table = (
    ("tar bsdtar gtar", _tar),
    ("unzip 7z 7za 7zr unrar cpio pax unar jar", _unpack),
    ("zip", _zip),
    (
        "gzip gunzip bzip2 bunzip2 xz unxz lzma zstd unzstd lz4 brotli compress uncompress pigz",
        Row(
            """
        -c|--stdout|--to-stdout!r -l|--list!r -t|--test!r -o=w -S|--suffix= -T|--threads= -d -k -f
        -v -q -r
    """,
            operands="W",
            tag=DESCRIBED,
        ),
    ),
    ("zipinfo lsar", Row("")),
)
