"""Services, processes and schedules of the machine."""

from __future__ import annotations

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    Call,
    Reading,
    thing,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.programs.machine import change
from enforcers.intent.shell.tables import Table, Tool


def _kill(call: Call) -> Reading:
    """`kill`: one process by number, or many by 0, -1, a group or a name."""
    if call.args[:1] in (("-l",), ("-L",), ("--list",)):
        return Reading(tags=(READ_ONLY,))
    signalled = call.args[0:1] and call.args[0].startswith("-")
    targets = call.args[1:] if signalled else call.args
    one = call.name == "kill" and all(t.isdigit() and int(t) > 1 for t in targets)
    extent = Extent.KEY_BOUND if one and targets else Extent.WHOLE
    return thing(Verb.DELETE, "process " + " ".join(targets), extent).tagged(DESCRIBED)


def _crontab(call: Call) -> Reading:
    """`crontab -l` shows; anything else changes what runs later."""
    if "-l" in call.args and not {"-e", "-r"} & set(call.args):
        return Reading(tags=(READ_ONLY,))
    return change(call) + Reading(opaque=(Code.UNREAD_INPUT,), tags=(INTERPRETER,))


def _later(call: Call) -> Reading:
    """A command that runs later, out of sight."""
    if call.name == "atq" or call.args == ("-l",):
        return Reading(tags=(READ_ONLY,))
    return Reading(opaque=(Code.UNREAD_INPUT,), tags=(INTERPRETER,))


def _service(call: Call) -> Reading:
    """`service NAME status` looks."""
    return (
        Reading(tags=(READ_ONLY,))
        if call.args[1:] in (("status",),) or call.args == ("--status-all",)
        else change(call)
    )


_SYSTEMCTL = Tool(
    """
        -H|--host=h -M|--machine= -t|--type= -p|--property= -n|--lines= -o|--output= --state=
        -s|--signal= --root= --kill-whom=
    """,
    read="""
        status; show; list-units; list-unit-files; list-timers; list-sockets; list-dependencies;
        list-jobs; list-machines; is-active; is-enabled; is-failed; is-system-running;
        get-default; help; list-automounts
    """,
    secret="cat; show-environment",
    delete="""
        mask; disable; stop; kill; reset-failed; revert; clean; halt; poweroff; reboot; kexec;
        isolate; emergency; rescue; cancel
    """,
    configure="""
        start; restart; reload; enable; unmask; daemon-reload; daemon-reexec; set-default;
        try-restart; reload-or-restart; set-property; preset; preset-all; add-wants;
        add-requires; suspend; hibernate; switch-root; default; freeze; thaw
    """,
    run="edit; link; set-environment; import-environment; bind; mount-image",
    bare="read",
)


PROGRAMS: Table = (
    ("kill pkill killall killall5 skill snice xkill", _kill),
    ("crontab", _crontab),
    ("at batch atq atrm", _later),
    ("systemctl", _SYSTEMCTL),
    ("service rc-service", _service),
    (
        "launchctl",
        Tool(
            read="list; print; blame; help; version",
            delete="unload; remove; bootout; disable; stop; kill",
            run="""
        submit; load; bootstrap; enable; kickstart; start; setenv; asuser; bsexec
    """,
        ),
    ),
)
