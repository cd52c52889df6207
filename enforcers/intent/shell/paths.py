"""
What a path is: secret, of the system, outside the workspace, run at start-up.

Only the written path counts; nothing is looked up, so a link is not seen.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from enforcers.intent.shell.names import names

SECRET = "secret"
SYSTEM = "system"
OUTSIDE = "outside_workspace"
WORKSPACE = "workspace_root"
TEMPORARY = "temporary"
STARTUP = "startup"
METADATA = "metadata"

NOWHERE = names(
    "/dev/null /dev/stdin /dev/stdout /dev/stderr /dev/tty /dev/zero /dev/random /dev/urandom "
    "/dev/full - /dev/fd/0 /dev/fd/1 /dev/fd/2"
)
_SYSTEM = tuple(
    sorted(
        names(
            "/bin /boot /dev /etc /lib /lib32 /lib64 /opt /proc /run /sbin /sys /usr /var /root /srv "
            "/snap "
            "/system /library /applications"
        )
    )
)
_TEMPORARY = ("/tmp", "/var/tmp", "/private/tmp", "/dev/shm")
_SECRET = re.compile(
    r"""(?:^|/)(?:
    \.ssh(?:$|/(?!known_hosts(?:$|/)|config$|[^/]*\.pub$))  # keys, but not what is public
    | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$ | [^/]*_rsa$
    | \.aws(?:$|/(?!config$)) | \.gnupg(?:$|/) | \.kube(?:$|/(?!cache)) | \.azure(?:$|/)
    | \.docker/config\.json$ | \.netrc$ | _netrc$ | \.pgpass$ | \.my\.cnf$ | \.mylogin\.cnf$
    | \.git-credentials$ | \.npmrc$ | \.pypirc$ | \.vault-token$ | \.htpasswd$ | \.envrc$
    | \.config/(?:gcloud|gh|hub|doctl|op|sops|rclone|composer)(?:$|/) | \.password-store(?:$|/)
    | \.cargo/credentials(?:\.toml)?$ | \.gem/credentials$ | \.terraform\.d/credentials[^/]*$
    | \.terraformrc$ | \.(?:bash|zsh|psql|mysql|python|sh|node_repl|rediscli)_history$
    | \.env(?!\.(?:example|sample|template|dist|test)$|\.[^/]*\.example$)(?:[._-][^/]*)?$
    | [^/]*\.(?:env|pem|key|p12|pfx|jks|keystore|kdbx|ppk|ovpn|tfstate(?:\.backup)?|asc|gpg)$
    | (?:[^/]*[._-])?(?:credentials?|secrets?)(?:[._-][^/]*)?
      \.(?:json|ya?ml|txt|ini|cfg|toml|xml|csv)$
    | credentials?$ | secrets?(?:$|/) | service-?account[^/]*\.json$ | shadow-?$ | gshadow-?$
    | sudoers(?:$|/|\.d) | master\.passwd$ | wallet\.dat$ | keychains?(?:$|/) | login\ data$
    | cookies(?:\.sqlite)?$ | key[34]\.db$ | logins\.json$ | etc/ssl/private(?:$|/)
    | etc/kubernetes(?:$|/) | passwords?(?:\.[^/]*)?$ | tokens?(?:\.(?:json|txt))?$
    | proc/[^/]+/(?:environ|mem|maps|fd|root|cmdline)(?:$|/) | dev/(?:mem|kmem|port)$
    | etc/krb5\.keytab$ | [^/]*\.keytab$ | ntuser\.dat$
    )""",
    re.VERBOSE,
)
_STARTUP = re.compile(
    r"""(?:^|/)(?:
    \.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|kshrc
       |cshrc|tcshrc|xinitrc|xsession|inputrc|vimrc|exrc|emacs|gdbinit|lldbinit|pythonrc|gitconfig|gitmodules
       |netrc|npmrc|yarnrc(?:\.ml)?|pypirc|envrc|curlrc|wgetrc|screenrc|tmux\.conf|psqlrc|sqliterc|lesskey)$
    | \.git/(?:hooks|config|info)(?:$|/|\.)
    | \.ssh/(?:rc|config|environment|authorized_keys2?)$ | \.githooks(?:$|/)
    | \.husky(?:$|/) | \.github/workflows(?:$|/) | \.gitlab-ci\.yml$
    | \.config/(?:autostart|systemd|fish)(?:$|/)
    | \.vscode(?:$|/) | \.claude(?:$|/) | \.cursor(?:$|/) | \.mcp\.json$ | agents\.md$ | claude\.md$
    | library/launch(?:agents|daemons)(?:$|/) | cron(?:\.[a-z]+|tab|tabs)?(?:$|/)
    | sitecustomize\.py$
    | usercustomize\.py$ | [^/]*\.pth$ | ld\.so\.preload$ | rc\.local$
    | init\.d(?:$|/) | systemd(?:$|/)
    | pam\.d(?:$|/) | profile\.d(?:$|/) | sudoers(?:$|\.d)
    )""",
    re.VERBOSE,
)


_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command runs: what a relative path is relative to."""

    cwd: str = ""
    workspace: str = ""
    lost: bool = False
    """Nobody knows the directory any more: after `cd` to somewhere that is not written."""

    def resolve(self, path: str) -> str:
        """`path` in its shortest form, absolute where the directory is known."""
        joined = posixpath.join(self.cwd, path) if not self.lost else path
        return re.sub(r"^//+", "/", posixpath.normpath(joined or "."))

    def moved(self, path: str, *, sure: bool) -> Place:
        """The place after `cd path`; not `sure` when the change may have failed."""
        home = path in ("", "-") or path.startswith("~")
        if home or not sure or (self.lost and not path.startswith("/")):
            return Place(self.cwd, self.workspace, lost=True)
        return Place(self.resolve(path), self.workspace)


def tags(path: str, place: Place) -> tuple[str, ...]:
    """What is known of `path` by its name."""
    if max(map(len, path.split("/"))) > _LONGEST_NAME:
        return (OUTSIDE, SECRET)  # no file has such a name: nothing is known of what it is for
    full = place.resolve(path)
    low = full.lower()
    found = [OUTSIDE] if _outside(full, place) else []
    if place.workspace and _under(posixpath.normpath(place.workspace), full):
        found.append(WORKSPACE)
    if any(_under(low, top) for top in _TEMPORARY):
        found.append(TEMPORARY)
    elif OUTSIDE in found and (low == "/" or any(_under(low, top) for top in _SYSTEM)):
        found.append(SYSTEM)
    # The written form counts as well: `x/../.env` and a trailing slash hide nothing.
    if _SECRET.search(low) or _SECRET.search(path.lower()):
        found.append(SECRET)
    if _STARTUP.search(low):
        found.append(STARTUP)
    return tuple(sorted(found))


def _outside(full: str, place: Place) -> bool:
    """Whether `full` is not proved to lie in the workspace."""
    if full.startswith("~"):
        return True
    if full.startswith("/"):
        return not place.workspace or not _under(full, posixpath.normpath(place.workspace))
    return place.lost or full == ".." or full.startswith("../")


def _under(path: str, top: str) -> bool:
    """Whether `path` is `top` or lies in it."""
    return path == top or top == "/" or path.startswith(top + "/")
