"""Programs that run commands or copy files on another host."""

from __future__ import annotations

from dataclasses import replace

from enforcers.intent.shell import hosts
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    WRAPPER,
    Call,
    Reading,
    connect,
    connect_login,
    transfer,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Table, act

_SSH = """
        -i=r -l= -p= -o=o -F=x -J=h -L=x -R=x -D=x -W=x -w=x -b= -B= -c= -e= -E=w -I=x -m= -O= -Q=
        -S= -S= -4 -6 -A!x -a -C -f -g -G -K -k -M -N -n -q -s -T -t -V -v -X -x -Y -y -P=
    """
HOME_KEYS = "~/.ssh"
_SAFE_SETTINGS = names("""
        batchmode connecttimeout serveraliveinterval serveralivecountmax loglevel port user
        compression identitiesonly requesttty connectionattempts tcpkeepalive addressfamily
    """)
_RSYNC = """
        -e|--rsh=x --rsync-path=x --files-from=r --exclude= --include= --exclude-from=r
        --include-from=r -f|--filter= --log-file=w --partial-dir= -T|--temp-dir=
        --compare-dest= --copy-dest= --link-dest= --backup-dir=w --suffix= --bwlimit=
        --timeout= --port= --password-file=r --chmod= --chown= -B= -M= --max-size=
        --min-size= --out-format= --write-batch=w --read-batch=x --only-write-batch=w
        --info= --debug= -a|--archive -v -r|--recursive -z -n|--dry-run -P -u -l -L -p -t -g
        -o -D -H -A -X -h -i -q -c -x -R -S -W -C -m -d -E -O -y -0 -b -I -k -K -J -U -N -8
        -4 -6 -F -s --delete --delete-before --delete-after --delete-during --delete-delay
        --delete-excluded --remove-source-files --del --progress --stats --partial --inplace
        --existing --ignore-existing --checksum --force
    """


def _settings(values: tuple[str, ...]) -> Reading:
    """`-o Name=value` of ssh: only names that change neither host nor command are plain."""
    names = [value.replace("=", " ").split(" ")[0].lower() for value in values]
    odd = any(name not in _SAFE_SETTINGS for name in names)
    return Reading(opaque=(Code.CONFIGURED_COMMAND,)) if odd else Reading()


def _ssh(call: Call) -> Reading:
    """`ssh host words…`: the words are joined to a line of the shell over there."""
    options = read_options(call.args, _SSH, stop=True)
    if options.has("V", "Q", "G") and not options.operands[1:]:
        return Reading(tags=(DESCRIBED,))
    found = [act(call, o.action, o.value) for o in options.given if o.action not in ("", "o")]
    found.append(_settings(options.values("o")))
    if not options.operands:
        return union(found) + unclear(Code.UNREAD_INPUT)
    target, *words = options.operands
    after = read_options(tuple(words), _SSH, stop=True)
    found += [act(call, o.action, o.value) for o in after.given if o.action not in ("", "o")]
    found += [_settings(after.values("o")), connect_login(target)]
    if not after.operands:
        found.append(Reading(opaque=(Code.UNREAD_INPUT,)))
        return union(found).tagged(WRAPPER)
    there = replace(call, scope=call.scope.elsewhere(target.rpartition("@")[2].lower()))
    found.append(there.script(" ".join(after.operands)))
    return union(found).tagged(WRAPPER)


def _scp(call: Call) -> Reading:
    """`scp`: some operands are on other hosts."""
    options = read_options(
        call.args,
        """
        -i=r -l= -P= -o=o -F=x -J=h -S=x -c= -D=x -X= -3 -4 -6 -A!x -B -C -O -p -q -R -r -s -T -v
    """,
    )
    found = [act(call, o.action, o.value) for o in options.given if o.action not in ("", "o")]
    return union([*found, _settings(options.values("o")), _copied(call, options.operands)]).tagged(
        DESCRIBED
    )


def _rsync(call: Call) -> Reading:
    """`rsync`: like `scp`; `--delete` removes what is only in the target."""
    options = read_options(call.args, _RSYNC)
    if (
        options.has("dry-run")
        and not options.unknown
        and not any(o.action == "x" for o in options.given)
    ):
        return _looked_at(call, options.operands)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    found.append(_copied(call, options.operands))
    deletes = any(o.name.startswith("del") for o in options.given)
    if options.operands and deletes and not hosts.remote_part(options.operands[-1]):
        found.append(call.file("D", options.operands[-1]))
    if options.has("remove-source-files"):
        found += [call.file("D", name) for name in options.operands[:-1]]
    if options.has("chmod", "chown"):
        found += [call.file("g", name) for name in options.operands[-1:]]
    tag = INTERPRETER if any(reading.opaque for reading in found) else DESCRIBED
    return union(found).tagged(tag)


def _looked_at(call: Call, operands: tuple[str, ...]) -> Reading:
    """Both ends of a copy that is only tried."""
    found = []
    for operand in operands:
        login = hosts.remote_part(operand)
        found.append(connect_login(login) if login else call.file("m", operand))
    return union(found).tagged(READ_ONLY)


def _copied(call: Call, operands: tuple[str, ...]) -> Reading:
    """Sources and target of a copy between hosts."""
    found = []
    for place, operand in enumerate(operands):
        login = hosts.remote_part(operand)
        last = place == len(operands) - 1
        if login:
            found.append(connect_login(login))
        else:
            found.append(call.file("w" if last else "R", operand))
    local = union([r for r in found if not _connects(r)])
    remote = union([r for r in found if _connects(r)])
    to_host = bool(operands) and bool(hosts.remote_part(operands[-1]))
    return transfer(local, remote, upload=to_host)


def _connects(reading: Reading) -> bool:
    return bool(reading.opaque) or any(effect.verb == "connect" for effect in reading.effects)


def _netcat(call: Call) -> Reading:
    """`nc`: a pipe to a host, or an open door."""
    options = read_options(
        call.args,
        """
        -e|--exec=x -c|--sh-exec=x --lua-exec=x -p|--source-port= -s= -w|--wait= -i= -q= -x=h -X=
        -l|--listen -k -u -v -n -z -4 -6 -N -U -C -d -D -t -r -I= -O= -T= -P= -o|--output=w
        --proxy=h
    """,
    )
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    if options.has("listen"):
        return union(found) + unclear(Code.UNREAD_INPUT)
    found += [connect(hosts.from_url(name)) for name in options.operands[:1]]
    return union(found).tagged(DESCRIBED)


def _opaque(call: Call) -> Reading:
    """A program that opens a session or joins two ends of any kind."""
    return unclear(Code.UNREAD_INPUT)


def _key(call: Call) -> Reading:
    """`ssh-keygen`, `ssh-copy-id` …: keys are made or shown."""
    options = read_options(
        call.args,
        """
        -f=w -t= -b= -C= -N= -P= -m= -l -q -y -R= -F= -H -E= -s= -D=x -I= -n= -V= -O= -Y= -i=
    """,
    )
    shows = options.has("l", "F")
    letter = "r" if shows else "w"
    default = () if shows else (f"{HOME_KEYS}/id",)
    found = [call.file(letter, name) for name in options.values("f") or default]
    if call.name == "ssh-add" and options.has("l"):
        return Reading(tags=(READ_ONLY,))
    odd = options.has("D") or call.name != "ssh-keygen"
    return union(found).tagged(DESCRIBED) + (unclear(Code.UNREAD_INPUT) if odd else Reading())


PROGRAMS: Table = (
    ("ssh slogin", _ssh),
    ("scp pscp", _scp),
    ("rsync", _rsync),
    ("nc ncat netcat nc.openbsd nc.traditional", _netcat),
    (
        """
        socat sftp rlogin rsh rexec pdsh pssh clush dsh psexec winrm plink teleport tsh boundary
    """,
        _opaque,
    ),
    ("ssh-keygen ssh-copy-id ssh-add", _key),
    ("ssh-keyscan", _opaque),
)
