"""
Programs that run another command.

Arity is never trusted alone: where the command is not found after the options, or an option is
not known, the call is opaque.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    INTERPRETER,
    PRIVILEGED,
    READ_ONLY,
    WRAPPER,
    Call,
    Reading,
    environment,
    thing,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Table


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A program that runs the command after its options and `skip` operands."""

    options: str = ""
    skip: int = 0
    privileged: bool = False
    shell: str = ""
    """An option whose value is a line of shell."""
    assignments: bool = False
    """Whether `NAME=value` may stand before the command."""
    joined: bool = False
    """Whether the words after it are joined to one line of shell."""

    def __call__(self, call: Call) -> Reading:
        options = read_options(call.args, self.options, stop=True)
        found = [call.file(o.action, o.value) for o in options.given if o.action in ("r", "w")]
        found += [call.script(value) for value in options.values(self.shell) if self.shell]
        if options.unknown or any(o.action == "x" for o in options.given):
            found.append(Reading(opaque=(Code.HIDDEN_COMMAND,)))
        words = options.operands[self.skip :]
        if self.assignments:
            words, set_some = _without_assignments(words)
            found += [Reading(opaque=(Code.ASSIGNMENT,))] if set_some else []
        if words:
            found.append(call.script(" ".join(words)) if self.joined else call.command(words))
        elif not self.shell or not options.has(self.shell):
            found.append(Reading(opaque=(Code.UNREAD_INPUT,)))
        tags = (WRAPPER, PRIVILEGED) if self.privileged else (WRAPPER,)
        return union(found).tagged(*tags)


def _without_assignments(words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """
    `words` after those that set variables, and whether there are any that may change the command.
    """
    count = 0
    while count < len(words) and "=" in words[count]:
        count += 1
    return words[count:], count > 0


def _env(call: Call) -> Reading:
    """`env`: without a command it shows every variable."""
    table = """
        -i|--ignore-environment -u|--unset= -C|--chdir= -S|--split-string= -0|--null -v|--debug -P=
    """
    options = read_options(call.args, table, stop=True)
    operands = options.operands[1:] if options.operands[:1] == ("-",) else options.operands
    words, set_some = _without_assignments(operands)
    found = [Reading(opaque=(Code.ASSIGNMENT,))] if set_some else []
    if options.has("split-string", "P") or options.unknown:
        found.append(Reading(opaque=(Code.HIDDEN_COMMAND,)))
    inner_call = call
    for value in options.values("chdir"):
        inner_call = replace(
            call, scope=replace(call.scope, place=call.scope.place.moved(value, sure=True))
        )
    if words:
        found.append(inner_call.command(words))
        return union(found).tagged(WRAPPER)
    return (union(found) + environment("secret")).tagged(READ_ONLY)


def _watch(call: Call) -> Reading:
    """`watch`: joins its words to a line of shell, unless `-x`."""
    options = read_options(
        call.args,
        """
        -n|--interval= -d|--differences? -t -b -e -g -c -x|--exec -p -w -q|--equexit=
    """,
        stop=True,
    )
    if options.has("exec"):
        return call.command(options.operands).tagged(WRAPPER)
    return call.script(" ".join(options.operands)).tagged(WRAPPER)


def _su(call: Call) -> Reading:
    """`su`: a shell of another user; `-c` gives its line."""
    options = read_options(call.args, "-c|--command= -s|--shell= -g= -G= -l|--login -m -p -P -w=")
    found = [call.script(value) for value in options.values("command")]
    if not found or options.has("shell"):
        found.append(Reading(opaque=(Code.UNREAD_INPUT,)))
    return union(found).tagged(WRAPPER, PRIVILEGED)


def _sudo(call: Call) -> Reading:
    """
    `sudo`, `doas`: a command as another user; `-e` edits, `-i` and `-s` start shells, `-l` lists.
    """
    if call.args in (("-l",), ("-n", "-l"), ("--list",), ("-v",), ("-k",), ("-K",), ("-V",)):
        return Reading(tags=(READ_ONLY,))
    table = """
        -u|--user= -g|--group= -h|--host= -p|--prompt= -C|--close-from= -D|--chdir= -R|--chroot=
        -r|--role= -t|--type= -T= -U|--other-user= -a= -E|--preserve-env? -H -A -b -n -S -k
        -K -P -B -N -v -e|--edit -i|--login -s|--shell
    """
    options = read_options(call.args, table, stop=True)
    words, set_some = _without_assignments(options.operands)
    found = [Reading(opaque=(Code.ASSIGNMENT,))] if set_some else []
    if options.has("edit", "login", "shell", "chroot") or options.unknown or not words:
        found.append(Reading(opaque=(Code.INTERPRETER_CODE,)))
    found.append(call.command(words))
    return union(found).tagged(WRAPPER, PRIVILEGED)


def _busybox(call: Call) -> Reading:
    """`busybox applet …`."""
    if not call.args or call.args[0].startswith("-"):
        return (
            Reading(tags=(READ_ONLY,)) if call.args == ("--list",) else unclear(Code.HIDDEN_COMMAND)
        )
    return call.command(call.args).tagged(WRAPPER)


def _renice(call: Call) -> Reading:
    """`renice`: priorities of running processes."""
    return thing(Verb.ALTER, "process " + " ".join(call.args), Extent.KEY_BOUND).tagged(WRAPPER)


def _opaque(call: Call) -> Reading:
    """A program that runs what it is given in a way that is not read."""
    return Reading(opaque=(Code.HIDDEN_COMMAND,), tags=(INTERPRETER,))


PROGRAMS: Table = (
    ("env genv", _env),
    ("sudo doas pkexec gksudo kdesudo sudoedit dzdo please run0 gosu su-exec", _sudo),
    ("su", _su),
    ("runuser", _su),
    (
        """
        nohup setsid unbuffer fakeroot catchsegv caffeinate dbus-run-session xvfb-run proxychains
        proxychains4 torsocks torify eatmydata with-contenv nocache rlwrap winpty
    """,
        Wrapper("-c -f -w -d -i -m -s -u -t= -a -n= --wait -q"),
    ),
    (
        "timeout gtimeout",
        Wrapper(
            """
        -k|--kill-after= -s|--signal= --preserve-status --foreground -v|--verbose
    """,
            skip=1,
        ),
    ),
    (
        "time",
        Wrapper("""
        -p|--portability -v|--verbose -o|--output=w -f|--format= -a|--append -q|--quiet
    """),
    ),
    ("nice gnice", Wrapper("-n|--adjustment=")),
    ("ionice", Wrapper("-c|--class= -n|--classdata= -p|--pid= -t")),
    ("chrt", Wrapper("-f -r -o -b -i -p -a -m -R -d -T= -P= -D=", skip=1)),
    ("taskset", Wrapper("-c|--cpu-list -p -a", skip=1)),
    (
        "numactl",
        Wrapper("""
        -C|--physcpubind= -N|--cpunodebind= -m|--membind= -i|--interleave= -l -p=
    """),
    ),
    ("stdbuf gstdbuf", Wrapper("-i|--input= -o|--output= -e|--error=")),
    ("linux32 linux64 i386 x86_64", Wrapper("-R -3 -B -v")),
    ("setarch", Wrapper("-R -3 -B -v", skip=1)),
    ("prlimit", Wrapper("-n= -p= --nofile= --nproc= --as= --cpu=")),
    ("cpulimit", Wrapper("-l= -p= -e= -i -z -f")),
    (
        "strace ltrace",
        Wrapper("""
        -f -ff -e= -o=w -s= -p= -c -t -tt -T -y -v -x -q -i -r -S= -u=x -E=x -O= -P= -I=
    """),
    ),
    ("chroot", Wrapper("--userspec= --groups= --skip-chdir", skip=1, privileged=True)),
    (
        "unshare",
        Wrapper(
            """
        -m -u -i -n -p -U -C -T -r -f --mount-proc? -R=x -w= -S= -G= --fork --pid --mount --user
    """,
            privileged=True,
        ),
    ),
    (
        "nsenter",
        Wrapper(
            """
        -t|--target= -m -u -i -n -p -U -C -T -a -r? -w? -F -S= -G= --mount? --uts? --ipc? --net?
        --pid?
    """,
            privileged=True,
        ),
    ),
    (
        "setpriv",
        Wrapper(
            """
        --reuid= --regid= --groups= --clear-groups --init-groups --keep-groups --bounding-set=
        --inh-caps= --no-new-privs
    """,
            privileged=True,
        ),
    ),
    (
        """
        capsh bwrap firejail systemd-nspawn ld.so ld-linux-x86-64.so.2 run-parts start-stop-daemon
        daemonize entr inotifywait incron nodemon watchexec onchange systemd-cat sem
        hyperfine perf valgrind dtach abduco logrotate ssh-agent gpg gpg2 gpgsm age sops
        pass op ansible-vault git-shell openvt choom vlock debugger multitime direnv chpst
        setuidgid softlimit envdir runsv s6-setuidgid lxc-attach jexec mosh autossh sshpass
        newgrp sg
    """,
        _opaque,
    ),
    (
        "systemd-run",
        Wrapper(
            """
        -p|--property= -u|--unit= --slice= --description= -t|--pty -P|--pipe -q --user --scope
        --wait -G|--collect --uid= --gid= --nice= --working-directory= -E|--setenv=x
        --on-active=x --on-calendar=x --on-boot=x
    """,
            privileged=True,
        ),
    ),
    ("systemd-inhibit", Wrapper("--what= --who= --why= --mode=")),
    (
        "flock",
        Wrapper(
            """
        -s -x -e -n|--nonblock -w|--timeout= -E= -o -u -v -F -c|--command=
    """,
            skip=1,
            shell="command",
        ),
    ),
    (
        "script",
        Wrapper("-c|--command= -q -a -e -f -O=w -I=w -B=w -T=w -t?", skip=99, shell="command"),
    ),
    ("aws-vault", Wrapper("--duration= --backend= -d=", skip=2)),
    ("dotenv doppler infisical chamber teller envconsul berglas", _opaque),
    ("watch", _watch),
    ("busybox toybox", _busybox),
    ("renice", _renice),
)
