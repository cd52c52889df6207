"""Subcommands of `git` that change refs, here or on a remote."""

from __future__ import annotations

from dataclasses import replace

from enforcers.intent.model import Effect, Extent, Resource, ResourceType, Verb
from enforcers.intent.shell import hosts
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    WRAPPER,
    Call,
    Reading,
    configure,
    connect,
    thing,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import act

_COMMIT = """
        -m|--message= -F|--file=r -C= -c= --author= --date= -t|--template=r -S|--gpg-sign? --fixup=
        --squash= --pathspec-from-file=r -a -s -v -n --amend
    """


_PUSH = """
        -f|--force --force-with-lease? --force-if-includes --mirror -d|--delete --prune --all --tags
        --follow-tags -u|--set-upstream -n|--dry-run --porcelain -o|--push-option=
        --receive-pack=x --exec=x --repo= --signed? --no-verify -q|--quiet -v|--verbose
        --recurse-submodules= --atomic --thin --progress -4 -6
    """


_FETCH = """
        -j= --depth= --deepen= --shallow-since= -o= --upload-pack=x --refmap= -b|--branch=
        --reference= -c|--config=x --template=x --separate-git-dir= --origin= -u=x
        --recurse-submodules? --jobs= --filter= --all --prune -p -t|--tags -f|--force -q -v
        -a -k -n --dry-run --rebase? -r --ff-only --no-rebase --autostash -s= -X= -S?
        --update-head-ok --bare --mirror -l --local --single-branch --no-tags --progress
        --unshallow -m -P --set-upstream
    """


TREE = "git working tree"


REFS = "git refs"


def work(verb: Verb, extent: Extent = Extent.KEY_BOUND, what: str = TREE) -> Reading:
    """A change of the working tree or of refs."""
    return thing(verb, what, extent, ("repository",)).tagged(DESCRIBED)


def gone(what: str = TREE) -> Reading:
    """Work that cannot be got back."""
    return work(Verb.DELETE, Extent.WHOLE, what)


def contact(text: str) -> Reading:
    """A connection to a remote, by its name or its address."""
    if text.startswith(("ext::", "fd::", "-")) or "::" in text:
        return Reading(opaque=(Code.CONFIGURED_COMMAND,), tags=(INTERPRETER,))
    login = hosts.remote_part(text)
    if text.startswith(("https://", "http://", "git://")):
        return connect(hosts.from_url(text))
    if login:
        return connect(hosts.from_login(login))
    named = Resource(ResourceType.HOST, text or "origin", tags=("git_remote",))
    return Reading((Effect(Verb.CONNECT, named),))


def push(call: Call) -> Reading:
    """`git push`: refs there are written; forced or removed ones are lost."""
    options = read_options(call.args, _PUSH)
    remote = (*options.operands[:1], *options.values("repo"), "origin")[0]
    found = [act(call, o.action, o.value) for o in options.given if o.action] + [contact(remote)]
    if options.has("dry-run"):
        return union(found) + Reading(tags=(DESCRIBED,))
    forced = any(ref[:1] in ("+", ":") for ref in options.operands[1:])
    sent = [effect.resource for effect in found[-1].effects]
    found.append(Reading(tuple(Effect(Verb.EXPORT, host) for host in sent)))
    if forced or options.has("force", "force-with-lease", "mirror", "delete", "prune"):
        found.append(gone("git remote refs"))
    return union(found) + Reading(tags=(DESCRIBED,))


def fetch(call: Call) -> Reading:
    """`git fetch`, `git pull`: refs here are written; forced ones are lost."""
    options = read_options(call.args, _FETCH)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    found.append(contact((*options.operands[:1], "origin")[0]))
    if options.has("force", "update-head-ok") or any(
        ref.startswith("+") for ref in options.operands[1:]
    ):
        found.append(gone(REFS))
    return union(found) + work(Verb.WRITE, what=REFS)


def clone(call: Call) -> Reading:
    """`git clone address [directory]`."""
    options = read_options(call.args, _FETCH)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    found += [contact(operand) for operand in options.operands[:1]]
    found.append(call.file("w", (*options.operands[1:2], ".")[0]))
    return union(found) + Reading(tags=(DESCRIBED,))


def commit(call: Call) -> Reading:
    """`git commit`: `--amend` rewrites what was committed."""
    options = read_options(call.args, _COMMIT)
    found = [call.file("r", o.value) for o in options.given if o.action == "r"]
    changed = work(Verb.ALTER if options.has("amend") else Verb.WRITE, what=REFS)
    return union(found) + changed


def branch(call: Call) -> Reading:
    """`git branch`, `git tag`: a list, or changes of refs."""
    options = read_options(
        call.args,
        """
        -d|--delete -D -m|--move -M -c|--copy -C -f|--force -u|--set-upstream-to= --unset-upstream
        --edit-description!x -a|--all -r|--remotes -l|--list -v|--verbose --show-current
        --contains? --no-contains? --merged? --no-merged? --sort= --points-at= --format=
        --column? --color? -n? -q -i --abbrev? -s -F|--file=r --message= -t
    """,
    )
    if options.has("edit-description"):
        return unclear(Code.CONFIGURED_COMMAND)
    if options.has("delete", "D"):
        safe = (
            call.name == "git"
            and options.has("delete")
            and not options.has("D", "force", "remotes")
        )
        return work(Verb.DELETE, Extent.KEY_BOUND if safe else Extent.WHOLE, REFS)
    if options.has("M", "C", "force", "move"):
        return work(Verb.ALTER, Extent.WHOLE, REFS)
    lists = options.has(
        "list", "all", "remotes", "contains", "no-contains", "merged", "no-merged", "points-at", "n"
    )
    if (not options.operands and not options.has("set-upstream-to", "unset-upstream")) or lists:
        return Reading(tags=(READ_ONLY,))
    return work(Verb.CREATE, what=REFS)


def tag(call: Call) -> Reading:
    """`git tag`: a removed tag is not found again."""
    options = read_options(call.args, "-d|--delete -f|--force")
    if options.has("delete", "force"):
        return gone(REFS)
    plain = tuple(arg for arg in call.args if arg not in ("-v", "--verify"))
    signing = [arg for arg in plain if arg[:2] in ("-m", "-u") or arg in ("-a", "-s")]
    return work(Verb.CREATE, what=REFS) if signing else branch(replace(call, args=plain))


def remotes(call: Call) -> Reading:
    """`git remote`."""
    words = [arg for arg in call.args if not arg.startswith("-")]
    if not words or words[0] in ("show", "get-url"):
        return Reading(tags=(READ_ONLY,))
    if words[0] == "prune" and {"-n", "--dry-run"} & set(call.args):
        return contact((*words[1:2], "origin")[0]) + Reading(tags=(READ_ONLY,))
    if words[0] in ("remove", "rm", "prune"):
        return gone(REFS)
    addresses = union([contact(word) for word in words[2:3] if ":" in word])
    return addresses + configure("git remote " + " ".join(words)).tagged(DESCRIBED)


def rebase(call: Call) -> Reading:
    """`git rebase`: history is rewritten; `--exec` runs a line of shell."""
    options = read_options(
        call.args,
        """
        -x|--exec= -i|--interactive --onto= -s= -X= -r? -f --autosquash --abort --continue --skip
        --quit -S?
    """,
    )
    found = [call.script(value) for value in options.values("exec")]
    if options.has("interactive"):
        found.append(unclear(Code.CONFIGURED_COMMAND))
    return union(found) + thing(Verb.ALTER, REFS, Extent.WHOLE).tagged(
        WRAPPER if options.has("exec") else DESCRIBED
    )


def gc(call: Call) -> Reading:
    """`git gc`: with `--prune=now` what no ref holds is lost."""
    lost = any(arg.startswith(("--prune", "--expire", "--cruft-exp")) for arg in call.args)
    return gone(REFS) if lost else work(Verb.WRITE, what=REFS)
