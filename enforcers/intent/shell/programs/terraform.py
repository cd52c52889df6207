"""
`terraform` and its kin, by subcommands. A plan may run providers and external data sources; it is
taken as a read.
"""

from __future__ import annotations

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INSTALLS,
    READ_ONLY,
    UNKNOWN,
    Call,
    Reading,
    thing,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.tables import Table, act

_OPTIONS = """
        -chdir=m -out=w -var= -var-file=r -target= -replace= -state=r -state-out=w -backup=w
        -backend-config= -lock? -lock-timeout= -parallelism= -refresh? -input? -no-color
        -json -raw -compact-warnings -detailed-exitcode -destroy -auto-approve -check -diff
        -write? -list? -recursive -upgrade? -reconfigure -migrate-state -force-copy -force
        -backend? -get? -plugin-dir=x -from-module=x -lockfile= -id= -refresh-only
        -generate-config-out=w -type= -draw-cycles -module-depth= -test-directory=
        -or-create? -help -version --help --version -provider= -config=
        -ignore-remote-version -allow-missing
    """
_READ = names("plan show validate version providers graph get metadata modules")
_STATE = {
    "list": "r",
    "show": "s",
    "pull": "s",
    "mv": "a",
    "rm": "d",
    "push": "a",
    "replace-provider": "a",
}
_WORKSPACE = {"list": "r", "show": "r", "select": "a", "new": "a", "delete": "d"}


def _terraform(call: Call) -> Reading:
    """`terraform [-chdir=…] subcommand …`."""
    args = tuple(
        "-" + arg.lstrip("-") if arg.startswith("--") and len(arg) > 2 else arg for arg in call.args
    )
    options = read_options(args, _OPTIONS, single=True)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    if options.has("help", "version") or not options.operands:
        return union(found) + Reading(tags=(READ_ONLY,))
    verb, *rest = options.operands
    return union(found) + _verb(verb, tuple(rest), options)


def _infra(verb: Verb, words: tuple[str, ...], extent: Extent, *tags: str) -> Reading:
    """An effect on what the configuration describes."""
    return thing(verb, " ".join(("terraform", *words)), extent, tags)


def _verb(verb: str, words: tuple[str, ...], options: Options) -> Reading:
    """What the subcommand does."""
    if verb in _READ:
        secret = ("secret",) if verb == "show" and options.has("json") else ()
        return _infra(Verb.READ, words, Extent.KEY_BOUND, *secret).tagged(READ_ONLY)
    if verb == "fmt":
        writes = "false" not in options.values("write") and not options.has("check")
        return (
            _infra(Verb.WRITE, words, Extent.FILTERED).tagged(DESCRIBED)
            if writes
            else Reading(tags=(READ_ONLY,))
        )
    if verb == "output":
        secret = ("secret",) if words or options.has("json", "raw") else ()
        return _infra(Verb.READ, words, Extent.KEY_BOUND, *secret).tagged(READ_ONLY)
    if verb == "state":
        return _grouped(_STATE, words)
    if verb in ("workspace", "env"):
        return _grouped(_WORKSPACE, words)
    return _change(verb, words, options)


def _grouped(kinds: dict[str, str], words: tuple[str, ...]) -> Reading:
    """`state …`, `workspace …`."""
    kind = kinds.get(words[0], "") if words else ""
    if kind in ("r", "s"):
        tags = ("secret",) if words[0] == "pull" else ()
        return _infra(Verb.READ, words, Extent.KEY_BOUND, *tags).tagged(READ_ONLY)
    if kind == "d":
        return _infra(Verb.DELETE, words, Extent.WHOLE).tagged(DESCRIBED)
    return (
        _infra(Verb.ALTER, words, Extent.WHOLE).tagged(DESCRIBED)
        if kind
        else Reading(tags=(UNKNOWN,))
    )


def _change(verb: str, words: tuple[str, ...], options: Options) -> Reading:
    """Subcommands that change infrastructure, its state or the machine."""
    if verb == "destroy" or (verb == "apply" and options.has("destroy", "replace")):
        return _infra(Verb.DELETE, words, Extent.WHOLE).tagged(DESCRIBED)
    if verb == "apply":
        # What an apply changes is in no word of it: it may delete everything.
        return _infra(Verb.ALTER, words, Extent.WHOLE).tagged(DESCRIBED) + Reading(
            opaque=(Code.UNREAD_INPUT,)
        )
    if verb == "init":
        moved = options.has("migrate-state", "force-copy", "reconfigure", "backend-config")
        return (_infra(Verb.ALTER, ("state",), Extent.WHOLE) if moved else Reading()).tagged(
            INSTALLS
        )
    if verb in ("import", "refresh", "taint", "untaint", "force-unlock", "test"):
        return _infra(Verb.ALTER, (verb, *words), Extent.WHOLE).tagged(DESCRIBED)
    if verb in ("console", "login", "logout", "cloud", "rpcapi", "stacks"):
        return unclear(Code.UNREAD_INPUT)
    return Reading(tags=(UNKNOWN,))


PROGRAMS: Table = (("terraform tofu opentofu tf", _terraform),)
