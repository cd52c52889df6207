"""
The machine: what it tells about itself, and what changes it: services, users, disks, networks,
power, schedules.
"""

from __future__ import annotations

from collections.abc import Callable

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    PRIVILEGED,
    READ_ONLY,
    WRAPPER,
    Call,
    Reading,
    configure,
    environment,
    thing,
    union,
)
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Row, Table, Tool

_SECRET_NAMES = ("TOKEN", "SECRET", "KEY", "PASS", "CREDENTIAL", "AUTH", "DSN", "DATABASE_URL")
_RUNLEVELS = names("""
        reboot poweroff halt kexec emergency rescue exit suspend hibernate default isolate
    """)


def change(call: Call) -> Reading:
    """A program that changes the machine, whatever its options say."""
    return configure(" ".join((call.name, *call.args))[:200], "system").tagged(
        DESCRIBED, PRIVILEGED
    )


def _destroy(call: Call) -> Reading:
    """A program that wipes what its operands name."""
    operands = read_options(call.args, "").operands
    named = union([call.file("D", operand) for operand in operands])
    return named + thing(Verb.DELETE, call.name, Extent.WHOLE, ("system",)).tagged(DESCRIBED)


def _printenv(call: Call) -> Reading:
    """`printenv`: all of the environment, or the variables named."""
    names = [arg.upper() for arg in call.args if not arg.startswith("-")]
    secret = not names or any(part in name for name in names for part in _SECRET_NAMES)
    return environment(*(["secret"] if secret else [])).tagged(READ_ONLY)


def _hostname(call: Call) -> Reading:
    """`hostname` shows; with a name or a file it sets."""
    shows = all(
        arg in ("-f", "-s", "-i", "-I", "-d", "-A", "--fqdn", "--short") for arg in call.args
    )
    return Reading(tags=(READ_ONLY,)) if shows else change(call)


def _mount(call: Call) -> Reading:
    """`mount` without operands shows."""
    shows = all(arg in ("-l", "--show-labels", "-v", "-t") for arg in call.args)
    return Reading(tags=(READ_ONLY,)) if shows else change(call)


def _listing(words: str) -> Callable[[Call], Reading]:
    """A reader for a program that shows when all its arguments are in `words`."""
    allowed = frozenset(words.split())

    def read(call: Call) -> Reading:
        if all(arg in allowed for arg in call.args):
            return Reading(tags=(READ_ONLY,))
        return change(call)

    return read


_LOOKS = names("show list ls lst sh get")
_FILTER_LOOKS = names(
    "-L -S -n -v -nL -nvL -vnL -Ln -Lnv -Lvn --list --list-rules --line-numbers -x -t nat filter"
)
_ETHTOOL_SETS = names("-s -K -G -A -C -L -E -X -N -U -W -p -t -r -f -F -P --change --flash --reset")


def _addresses(call: Call) -> Reading:
    """
    `ip`, `bridge`, `tc`, `nmcli` …: any verb may be shortened, so only those that look are known.
    """
    words = [arg for arg in call.args if not arg.startswith("-")]
    batch = any(
        arg.startswith(("-b", "-f", "-n", "-c")) and arg[:6] != "-brief" for arg in call.args
    )
    colour = all(
        arg.startswith("-c") for arg in call.args if arg.startswith(("-b", "-f", "-n", "-c"))
    )
    looks = not words[1:] or words[1] in (*_LOOKS, "status", "info", "link", "scan")
    safe = words[:1] not in (["netns"], ["monitor"], ["vrf"]) or words[1:2] in ([], ["list"])
    if looks and safe and (colour or not batch):
        return Reading(tags=(READ_ONLY,))
    return change(call)


def _filters(call: Call) -> Reading:
    """`iptables` and its kin: lists, or rules that change."""
    if call.name == "nft":
        return Reading(tags=(READ_ONLY,)) if call.args[:1] == ("list",) else change(call)
    words = [arg for arg in call.args if arg not in _FILTER_LOOKS]
    chain = not words or (len(words) == 1 and words[0].isalpha())
    return Reading(tags=(READ_ONLY,)) if call.args and chain else change(call)


def _interfaces(call: Call) -> Reading:
    """`ifconfig`, `route`, `arp`, `ethtool`: with one word at most they show."""
    words = [arg for arg in call.args if not arg.startswith("-")]
    sets = _ETHTOOL_SETS & set(call.args) or {"-d", "--delete", "--set", "-s", "-f"} & set(
        call.args
    )
    limit = 0 if call.name == "route" else 1
    return change(call) if sets or len(words) > limit else Reading(tags=(READ_ONLY,))


def _arch(call: Call) -> Reading:
    """`arch` shows; on macOS it runs a command for another processor."""
    words = read_options(call.args, "-e= -d= -h", stop=True, single=True).operands
    return call.command(words).tagged(WRAPPER) if words else Reading(tags=(READ_ONLY,))


def _sysctl(call: Call) -> Reading:
    """`sysctl name` shows; with `=` or a file it sets."""
    sets = any("=" in arg or arg in ("-w", "-p", "--write", "--system", "-f") for arg in call.args)
    return (
        change(call)
        if sets or any(a.startswith("--load") for a in call.args)
        else Reading(tags=(READ_ONLY,))
    )


PROGRAMS: Table = (
    (
        """
        ps top htop uptime free vmstat iostat mpstat w who whoami id groups users last
        uname nproc lscpu lsmem lsblk lspci lsusb lsmod lsns lsipc lslocks hostid
        logname finger pstree pgrep pidof pmap tload iotop locale getent ss netstat
        whereis which whatis getconf lsb_release sw_vers system_profiler acpi
        sensors findmnt blkid runlevel lslogins quota ipcs lsinitramfs modinfo numastat
        slabtop nstat pwd tty
    """,
        Row(
            """
        -A= -D= -c= -h= -i= -k=k -K!k --kill!k -F -s= -p= -u= -n= -o= -t= -C= -G= -U= -d=
    """,
            operands="-",
        ),
    ),
    ("lsof fuser", Row("-k|--kill!D -p= -u= -c= -i? -t -n -P -v -m -d=", operands="m")),
    ("printenv", _printenv),
    ("hostname domainname nisdomainname", _hostname),
    (
        """
        hostnamectl timedatectl localectl loginctl networkctl resolvectl bootctl machinectl
    """,
        _listing(
            """
        status list show list-sessions list-users session-status query dns statistics --no-pager
        list-timezones timesync-status -a
    """
        ),
    ),
    (
        "date",
        Row(
            """
        -s|--set=k -d|--date= -f|--file=r -r|--reference=m -I|--iso-8601? --rfc-3339= -u -R
    """,
            operands="-",
        ),
    ),
    (
        "dmesg",
        Row(
            """
        -C|--clear!k -c|--read-clear!k -n|--console-level=k -D|--console-off!k -E|--console-on!k
        -F|--file=r -f= -l= -s= -T -w -H
    """,
            operands="-",
        ),
    ),
    (
        "journalctl",
        Row(
            """
        --rotate!k --vacuum-size=k --vacuum-time=k --vacuum-files=k --flush!k --sync!k
        --setup-keys!k --update-catalog!k -u|--unit= -n|--lines= -S|--since= -U|--until=
        -o|--output= -p|--priority= -t= -g|--grep= -D|--directory=r --file=r --cursor-file=w
        --relinquish-var!k -f -x -e -b? -k -r --no-pager
    """,
            operands="-",
        ),
    ),
    ("logger", Row("-f|--file=r -n|--server=h -p= -t= -i -s", operands="-", tag=DESCRIBED)),
    (
        "zfs zpool btrfs",
        Tool(
            "-t= -o= -r -H -p -d= -s= -S= -v",
            read="""
        list; get; status; iostat; history; diff; holds; version; subvolume list; subvolume show;
        filesystem df; filesystem show; filesystem usage; device stats; scrub status
    """,
            delete="""
        destroy; remove; detach; labelclear; rollback; release; subvolume delete; device delete;
        clear; offline; export; unmount; split
    """,
        ),
    ),
    (
        "diskutil csrutil",
        Tool(
            read="""
        list; info; status; activity; listFilesystems; apfs list; netboot list; report;
        authenticated-root status
    """,
            delete="""
        eraseDisk; eraseVolume; partitionDisk; apfs deleteContainer; apfs deleteVolume; reformat;
        zeroDisk; randomDisk; secureErase; disable; clear; unmountDisk; unmount; eject;
        partition
    """,
        ),
    ),
    ("arch", _arch),
    ("ip bridge tc iw nmcli brctl", _addresses),
    ("iptables ip6tables nft ebtables", _filters),
    ("ifconfig route arp ethtool iwconfig", _interfaces),
    ("sysctl", _sysctl),
    ("mount", _mount),
    ("fdisk parted sfdisk gdisk sgdisk cfdisk", _listing("-l --list print")),
    ("swapon", _listing("-s --show --summary")),
    ("ulimit umask", _listing("-a -S -H -n -u -p -c -v -s -m -l -f -d -t")),
    ("visudo", change),
    (
        """
        useradd userdel usermod adduser deluser groupadd groupdel groupmod addgroup delgroup gpasswd
        passwd chpasswd newusers chage vipw vigr chsh chfn pwconv grpconv dscl umount
        swapoff modprobe insmod rmmod depmod shutdown reboot halt poweroff init telinit
        hwclock ufw firewall-cmd setenforce semanage setsebool aa-disable aa-complain
        auditctl update-alternatives update-rc.d chkconfig insserv ldconfig losetup
        cryptsetup lvremove lvcreate vgremove pvremove pvcreate vgcreate lvextend lvreduce
        mdadm dmsetup resize2fs tune2fs e2label fsck e2fsck xfs_repair debugfs grub-install
        update-grub efibootmgr setcap setfattr nvram spctl pmset defaults tccutil hdiutil
        scutil networksetup systemsetup wall write mesg ntpdate chronyc rfkill kexec
        loadkeys setfont dpkg-reconfigure iptables-restore ip6tables-restore authconfig
        pam-auth-update sysdig bpftool tcpdump tshark wireshark dumpcap ettercap swaplabel
        chcon restorecon quotaon setquota edquota kextload kextunload bless asr security
        certutil update-ca-certificates trust fwupdmgr flashrom
    """,
        change,
    ),
    (
        """
        mkfs mke2fs mkswap mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.fat
        mkfs.ntfs newfs wipefs blkdiscard badblocks hdparm nvme sg_format srm wipe scrub
        secure-delete format
    """,
        _destroy,
    ),
)
