"""Subcommands of `git` that change the working tree."""

from __future__ import annotations

from collections.abc import Callable

from enforcers.intent.model import Verb
from enforcers.intent.shell.calls import (
    READ_ONLY,
    Call,
    Reading,
    union,
)
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.programs.git_refs import (
    REFS,
    gone,
    work,
)
from enforcers.intent.shell.tables import act


def checkout(call: Call) -> Reading:
    """`git checkout`: a branch is taken, but paths lose their changes."""
    options = read_options(
        call.args,
        """
        -b= -B= -f|--force -p --patch --ours --theirs -m|--merge --orphan= --pathspec-from-file= -t
        -l -q -d|--detach --conflict= --track?
    """,
    )
    named = options.operands
    pathlike = len(named) == 1 and ("." in named[0] or named[0].startswith(":"))
    if options.has("b", "orphan") and not options.has("force", "B"):
        return work(Verb.CREATE, what=REFS)
    if (
        options.has("force", "B", "ours", "theirs", "merge", "p", "patch", "pathspec-from-file")
        or "--" in call.args
        or len(named) > 1
        or pathlike
    ):
        return gone()
    return work(Verb.WRITE)


def switch(call: Call) -> Reading:
    """`git switch`."""
    options = read_options(
        call.args,
        """
        -c|--create= -C|--force-create= -f|--force --discard-changes -m|--merge -d|--detach
        -t|--track? --orphan= -q
    """,
    )
    lost = options.has("force-create", "force", "discard-changes", "merge")
    return gone() if lost else work(Verb.WRITE)


def restore(call: Call) -> Reading:
    """`git restore`: only what is staged can be got back."""
    options = read_options(
        call.args,
        """
        -s|--source= -S|--staged -W|--worktree -p --ours --theirs -m --pathspec-from-file= -q
    """,
    )
    return work(Verb.WRITE) if options.has("staged") and not options.has("worktree") else gone()


def reset(call: Call) -> Reading:
    """`git reset`: `--hard` and its kin lose work."""
    options = read_options(
        call.args,
        """
        --hard --merge --keep --soft --mixed -p -q -N --pathspec-from-file=
    """,
    )
    return gone() if options.has("hard", "merge", "keep") else work(Verb.WRITE)


def clean(call: Call) -> Reading:
    """`git clean`: removes files that are in no commit."""
    options = read_options(call.args, "-n|--dry-run -f|--force -d -x -X -e|--exclude= -i -q")
    return Reading(tags=(READ_ONLY,)) if options.has("dry-run") else gone()


def files(letter: str) -> Callable[[Call], Reading]:
    """A subcommand whose operands are files."""

    def reader(call: Call) -> Reading:
        options = read_options(
            call.args,
            """
        -r --cached -f|--force -n|--dry-run -A|--all -u -p -v -k -q --pathspec-from-file=r --chmod=
    """,
        )
        if options.has("dry-run"):
            return Reading(tags=(READ_ONLY,))
        deep = {"d": "D"}.get(letter, letter) if options.has("r") else letter
        return union([call.file(deep, name) for name in options.operands]) + work(Verb.WRITE)

    return reader


def writes(call: Call) -> Reading:
    """A subcommand that writes the tree or refs, and loses nothing."""
    options = read_options(
        call.args,
        """
        -o|--output-directory|--output=w --remote= --exec=x -s|--strategy=x -X= -m= -F=r --format=
        --prefix= -x!- -u= --ext!x
    """,
    )
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    return union(found) + work(Verb.WRITE)
