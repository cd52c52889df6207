"""
`git`, by its subcommands.

A repository's own settings can run programs (hooks, `core.fsmonitor`, filters); a checkout is
trusted as far as its workspace is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from enforcers.intent.model import Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    UNKNOWN,
    WRAPPER,
    Call,
    Reading,
    configure,
    thing,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.paths import SECRET
from enforcers.intent.shell.programs.git_refs import (
    REFS,
    branch,
    clone,
    commit,
    contact,
    fetch,
    gc,
    gone,
    push,
    rebase,
    remotes,
    tag,
    work,
)
from enforcers.intent.shell.programs.git_tree import (
    checkout,
    clean,
    files,
    reset,
    restore,
    switch,
    writes,
)
from enforcers.intent.shell.tables import Table, act

_GLOBAL = """
        -C= -c= --git-dir= --work-tree= --exec-path?x --namespace= --config-env=x --super-prefix=
        --attr-source= --list-cmds= --bare --no-pager -P -p|--paginate!x
        --no-replace-objects --literal-pathspecs --no-optional-locks --html-path --man-path
        --info-path --version --help -h -v --icase-pathspecs
    """
_PLAIN_SETTINGS = (
    "user.name",
    "user.email",
    "color.",
    "advice.",
    "init.defaultbranch",
    "core.quotepath",
    "log.",
    "commit.gpgsign",
    "core.autocrlf",
    "core.abbrev",
    "pull.rebase",
    "push.default",
    "diff.renames",
    "column.",
    "i18n.",
    "format.pretty",
    "core.ignorecase",
    "merge.conflictstyle",
    "rerere.enabled",
    "fetch.prune",
    "core.filemode",
    "status.",
)
_READ = names("""
        status log diff show blame annotate shortlog describe rev-parse rev-list ls-files ls-tree
        cat-file grep name-rev merge-base for-each-ref show-ref show-branch cherry
        count-objects diff-tree diff-index diff-files whatchanged var version help
        check-ignore check-attr check-mailmap check-ref-format verify-commit verify-tag
        verify-pack fsck range-diff ls-remote get-tar-commit-id patch-id interpret-trailers
        merge-tree stripspace column
    """)
_LOOKS = """
        --output=w --ext-diff!x --textconv!x -O? --open-files-in-pager?x --upload-pack=x --exec=x
        -n= -S= -G= -L= --format= --pretty? --since= --until= --author= --grep= -e= -f=r
        --filters!x --no-index --remote= -U= -W --batch-command --date= --stat? --color? -o=
        --max-count= --sort= --points-at= --contains= --in-place!x
    """


def _git(call: Call) -> Reading:
    """`git [options] subcommand …`."""
    options = read_options(call.args, _GLOBAL, stop=True)
    found = [
        act(call, o.action, o.value)
        for o in options.given
        if o.action == "x" and (o.value or o.name != "exec-path")
    ]
    found += [setting(value) for value in options.values("c")]
    for name in ("git-dir", "work-tree", "C"):
        found += [call.file("m", value) for value in options.values(name)]
    if options.has("git-dir"):
        found.append(Reading(opaque=(Code.CONFIGURED_COMMAND,)))
    for value in options.values("C"):
        call = replace(
            call, scope=replace(call.scope, place=call.scope.place.moved(value, sure=True))
        )
    if options.unknown:
        found.append(Reading(opaque=(Code.CONFIGURED_COMMAND,)))
    if not options.operands:
        return union(found) + Reading(tags=(READ_ONLY,))
    name, args = options.operands[0], options.operands[1:]
    return union(found) + _subcommand(replace(call, args=args), name)


def setting(text: str) -> Reading:
    """`-c name=value`: only names that can run nothing are plain."""
    name = text.partition("=")[0].lower()
    plain = any(
        name == known or (known.endswith(".") and name.startswith(known))
        for known in _PLAIN_SETTINGS
    )
    return Reading() if plain else Reading(opaque=(Code.CONFIGURED_COMMAND,), tags=(INTERPRETER,))


def _subcommand(call: Call, name: str) -> Reading:
    """One subcommand; one that is not known may be an alias or a program."""
    if call.args[:1] == ("--help",) and name in (*_READ, *_SUBCOMMANDS):
        return Reading(tags=(READ_ONLY,))
    if name in _READ:
        return _look(call, name)
    return _SUBCOMMANDS[name](call) if name in _SUBCOMMANDS else Reading(tags=(UNKNOWN,))


def _look(call: Call, name: str) -> Reading:
    """A subcommand that looks, but for options that write or run."""
    options = read_options(call.args, _LOOKS)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    if name == "grep" and options.has("O"):
        found.append(Reading(opaque=(Code.CONFIGURED_COMMAND,)))
    if name == "ls-remote":
        found += [contact(operand) for operand in options.operands[:1]]
    found += [_shown(call, operand) for operand in options.operands]
    return union(found) + Reading(tags=(READ_ONLY,))


def _shown(call: Call, operand: str) -> Reading:
    """A file that is shown, where its name says that it is secret, also as `commit:path`."""
    read = call.file("r", operand.rpartition(":")[2])
    secret = any(SECRET in effect.resource.tags for effect in read.effects)
    return read if secret else Reading()


def _verbs(
    read: str, change: str = "", lost: str = "", run: str = "", bare: str = "read"
) -> Callable[[Call], Reading]:
    """A reader for a subcommand with verbs of its own."""
    kinds = {
        word: kind
        for kind, text in (("read", read), ("change", change), ("lost", lost), ("run", run))
        for word in text.split()
    }

    def reader(call: Call) -> Reading:
        words = [arg for arg in call.args if not arg.startswith("-")]
        kind = kinds.get(words[0], "") if words else bare
        if kind == "read":
            return Reading(tags=(READ_ONLY,))
        if kind == "change":
            return (
                work(Verb.WRITE) if "--force" not in call.args and "-f" not in call.args else gone()
            )
        if kind == "lost":
            return gone()
        return unclear(Code.HIDDEN_COMMAND) if kind == "run" else Reading(tags=(UNKNOWN,))

    return reader


def _config(call: Call) -> Reading:
    """`git config`: shows, or sets; a setting that may run a program is opaque."""
    options = read_options(
        call.args,
        """
        -f|--file= --blob= --type= --default= -l|--list --get --get-all --get-regexp --get-urlmatch
        --get-color= --unset --unset-all --add --replace-all --rename-section
        --remove-section -e|--edit!x --global --system --local --worktree --show-origin
        --show-scope -z --name-only
    """,
    )
    words = options.operands
    if options.has("edit") or words[:1] == ("edit",):
        return unclear(Code.CONFIGURED_COMMAND)
    shows = options.has(
        "list", "get", "get-all", "get-regexp", "get-urlmatch", "get-color"
    ) or words[:1] in (("list",), ("get",))
    removes = options.has(
        "unset", "unset-all", "remove-section", "rename-section", "add", "replace-all"
    )
    if shows or (len(words) == 1 and not removes):
        return union([call.file("r", name) for name in options.values("file")]).tagged(READ_ONLY)
    name = next((word for word in words if "." in word), "")
    tags = ("system",) if options.has("global", "system") else ()
    return (
        setting(name)
        + configure(f"git config {name}", *tags).tagged(DESCRIBED)
        + Reading(tags=(DESCRIBED,))
    )


def _nested(call: Call) -> Reading:
    """`git bisect run CMD`, `git submodule foreach CMD`."""
    for word in ("run", "foreach"):
        if word in call.args:
            argv = tuple(
                arg
                for arg in call.args[call.args.index(word) + 1 :]
                if arg not in ("--recursive", "-q", "--quiet")
            )
            inner = call.script(argv[0]) if len(argv) == 1 else call.command(argv)
            return inner.tagged(WRAPPER)
    words = [arg for arg in call.args if not arg.startswith("-")]
    if not words or words[0] in ("status", "summary", "log", "view", "visualize", "terms", "help"):
        return Reading(tags=(READ_ONLY,))
    if words[0] in ("deinit", "reset") or "--force" in call.args or "-f" in call.args:
        return gone()
    return unclear(Code.CONFIGURED_COMMAND) if words[0] in ("replay",) else work(Verb.WRITE)


def _always(reading: Reading) -> Callable[[Call], Reading]:
    """A subcommand that is the same with all arguments."""
    return lambda call: reading


_LFS_LOOKS = "ls-files status env version logs locks"
_LFS_CHANGES = "track untrack fetch pull push install lock unlock checkout"
_CREDENTIAL = thing(Verb.READ, "git credential", tags=("secret",))
_BY_NAMES: tuple[tuple[str, Callable[[Call], Reading]], ...] = (
    ("push send-pack", push),
    ("fetch pull fetch-pack", fetch),
    ("clone", clone),
    ("commit", commit),
    ("checkout", checkout),
    ("switch", switch),
    ("restore", restore),
    ("reset", reset),
    ("clean", clean),
    ("branch", branch),
    ("tag", tag),
    ("remote", remotes),
    ("config", _config),
    ("add stage", files("r")),
    ("rm", files("d")),
    ("mv", files("w")),
    ("rebase", rebase),
    ("bisect submodule", _nested),
    (
        "stash",
        _verbs("list show", "push save apply pop create branch", "drop clear", bare="change"),
    ),
    ("reflog", _verbs("show list exists", "", "expire delete drop")),
    ("worktree", _verbs("list", "add lock unlock move repair", "remove prune")),
    ("notes", _verbs("list show get-ref", "add append copy edit merge", "remove prune")),
    ("bundle", _verbs("verify list-heads", "create unbundle")),
    ("sparse-checkout", _verbs("list check-rules", "init set add reapply disable", "clean")),
    ("lfs", _verbs(_LFS_LOOKS, _LFS_CHANGES, "prune migrate uninstall")),
    ("maintenance", _verbs("", "run", "", "start register unregister stop")),
    ("rerere", _verbs("status diff remaining", "", "forget clear gc", bare="change")),
    ("gc repack", gc),
    ("prune update-ref filter-repo replace fast-import", _always(gone(REFS))),
    ("filter-branch", _always(gone(REFS) + unclear(Code.INTERPRETER_CODE))),
    ("checkout-index read-tree", _always(gone())),
    ("difftool mergetool instaweb gui", _always(unclear(Code.CONFIGURED_COMMAND))),
    ("daemon send-email", _always(unclear(Code.UNREAD_INPUT))),
    ("credential", _always(_CREDENTIAL + unclear(Code.UNREAD_INPUT))),
    ("archive format-patch apply am merge cherry-pick revert init hash-object", writes),
    ("write-tree commit-tree update-index request-pull pack-refs", writes),
)
_SUBCOMMANDS = {name: reader for group, reader in _BY_NAMES for name in names(group)}

PROGRAMS: Table = (("git", _git),)
