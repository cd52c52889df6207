"""
Who this machine is: its keys, whom it trusts, and who is enrolled.

    keys/judge.key executor.key archiver.key administrator.key   0600    (approver.key where one was made)
    trust.json        their public halves, with roles
    principals.yaml   who may propose

INVARIANT: nothing that exists is overwritten, and a key is never made for a trust file that does
not name it.
"""

from __future__ import annotations

import getpass
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from console.contracted import held_to_contract
from console.files import is_there
from console.settings import Settings
from enforcers.contract.action import Capability, PrincipalKind
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.keys import create_key, load_key
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, Trust, TrustedKey, TrustFile, build_trust, load_trust
from enforcers.errors import SettingsError, TrustError
from enforcers.executors.duty import CAPABILITIES
from enforcers.gate import Executor

ROLES = (Role.JUDGE, Role.EXECUTOR, Role.ARCHIVER, Role.ADMINISTRATOR)
PERMISSIONS = ("read", "bounded_write")
"""What the first two principals may do."""
GRANTED = tuple(one for one in Capability if one in CAPABILITIES)
"""What this machine's executor is trusted to carry out: what the executors that are shipped do."""


@dataclass(frozen=True)
class Made:
    """What `init_home` made; empty where everything was there."""

    files: tuple[Path, ...]


def init_home(settings: Settings, *, force_missing: bool = False) -> Made:
    """
    Make keys, trust file and principals where there are none.

    Raises TrustError where only some of them exist, unless `force_missing`, and always where the
    trust file names other keys than those that are there; SettingsError where that cannot be seen.
    """
    keys = {role: key_path(settings, role) for role in ROLES}
    wanted = [*keys.values(), settings.trust, settings.principals]
    missing = [path for path in wanted if not is_there(path)]
    begun = any(map(is_there, (*keys.values(), settings.trust)))
    if missing and begun and not force_missing:
        raise TrustError(
            f"`{settings.home}` is half made, `{missing[0]}` is missing: restore it, or run"
            " `sluicegate keys init --force-missing`"
        )
    _refuse_orphans(settings, missing)
    # The home first: a parent that is made on the way would be open to others.
    for directory in (
        settings.home,
        settings.keys,
        settings.trust.parent,
        settings.principals.parent,
    ):
        _make_directory(directory)
    for path in keys.values():
        if path in missing:
            create_key(path)
    if settings.trust in missing:
        _write_new(settings.trust, _trust_of(settings).model_dump_json(indent=2) + "\n")
    if settings.principals in missing:
        _write_new(settings.principals, _first_principals(settings))
    _check_trusted(settings)
    return Made(tuple(missing))


def key_path(settings: Settings, role: Role) -> Path:
    """Where the private key of a role lies."""
    return settings.keys / f"{role.value}.key"


def load_trust_of(settings: Settings) -> Trust:
    """The trust file that the settings name, for their zone. Raises TrustError."""
    return load_trust(settings.trust, settings.zone)


def load_executor(settings: Settings, carries_out: frozenset[Capability] = frozenset()) -> Executor:
    """
    What a gate on this machine needs, for code that carries out these obligations and no others.

    It claims those of them that the trust file grants. Raises TrustError.
    """
    trust = load_trust_of(settings)
    signer, known = _own_key(settings, trust, Role.EXECUTOR)
    if known.id != settings.executor:
        raise TrustError(
            f"executor is `{settings.executor}`, but its key belongs to `{known.id}`; correct the"
            " setting `executor`"
        )
    claimed = tuple(one for one in known.capabilities if one in carries_out)
    return Executor(known.id, signer, trust, claimed)


def load_judge(settings: Settings) -> tuple[Signer, str]:
    """The judge's key and its id in the trust file. Raises TrustError."""
    signer, known = _own_key(settings, load_trust_of(settings), Role.JUDGE)
    return signer, known.id


def load_archiver(settings: Settings) -> Signer:
    """The archiver's key, which signs the heads of its log and its findings. Raises TrustError."""
    return _own_key(settings, load_trust_of(settings), Role.ARCHIVER)[0]


def make_approver(
    settings: Settings, identity: str, groups: Sequence[str], person: str, out: Path | None
) -> tuple[Path, TrustedKey]:
    """
    Make the key of somebody who may vote, and nothing else; returns where it lies, and its trust-file entry.

    Raises TrustError where the id is taken or a file stands there already, ContractError where it is none.
    """
    entry = _approver(identity, groups, person, _NOBODY)
    taken = next((one for one in _trusted(settings) if one.id == identity), None)
    if taken is not None:
        raise TrustError(
            f"`{identity}` is in `{settings.trust}` already, as {taken.role.value}; give another id"
        )
    path = out or key_path(settings, Role.APPROVER)
    if out is None:
        _make_directory(settings.keys)
    public = bytes(create_key(path).key.verify_key).hex()
    return path, entry.model_copy(update={"public_key": public})


def trust_key(settings: Settings, entry: TrustedKey) -> None:
    """Add one key to the trust file, which is replaced at once and keeps its mode. Raises TrustError."""
    file = TrustFile(keys=(*_trusted(settings), entry))
    build_trust(file)
    _replace(settings.trust, file.model_dump_json(indent=2) + "\n")


_NOBODY = "0" * 64
"""Stands for a public key until there is one."""


def _approver(identity: str, groups: Sequence[str], person: str, public: str) -> TrustedKey:
    with held_to_contract():
        return TrustedKey(
            id=identity,
            role=Role.APPROVER,
            public_key=public,
            groups=tuple(dict.fromkeys(groups)),
            person=person or None,
        )


def _trusted(settings: Settings) -> tuple[TrustedKey, ...]:
    return tuple(load_trust_of(settings).keys.values())


def _own_key(settings: Settings, trust: Trust, role: Role) -> tuple[Signer, TrustedKey]:
    signer = load_key(key_path(settings, role), settings.zone, what=f"{role.value}'s key")
    known = trust.keys.get(signer.kid)
    if known is None or known.role is not role:
        raise TrustError(
            f"key `{key_path(settings, role)}` is not in `{settings.trust}` as {role.value};"
            " restore the pair"
        )
    return signer, known


def _refuse_orphans(settings: Settings, missing: list[Path]) -> None:
    """A key made anew would not be the one that the trust file names."""
    lost = next((path for path in missing if path.suffix == ".key"), None)
    if lost is not None and settings.trust not in missing:
        raise TrustError(
            f"`{settings.trust}` names keys, but `{lost}` is gone; restore it, or move the trust"
            " file away and run `sluicegate keys init --force-missing`"
        )


def _check_trusted(settings: Settings) -> None:
    trust = load_trust_of(settings)
    for role in ROLES:
        _own_key(settings, trust, role)


def _trust_of(settings: Settings) -> TrustFile:
    entries = tuple(
        TrustedKey(
            id=_id_of(settings, role),
            role=role,
            public_key=_public(settings, role),
            capabilities=GRANTED if role is Role.EXECUTOR else (),
        )
        for role in ROLES
    )
    build_trust(TrustFile(keys=entries))
    return TrustFile(keys=entries)


def _id_of(settings: Settings, role: Role) -> str:
    return settings.executor if role is Role.EXECUTOR else f"{role.value}-1"


def _public(settings: Settings, role: Role) -> str:
    return bytes(load_key(key_path(settings, role)).key.verify_key).hex()


def _first_principals(settings: Settings) -> str:
    agent = EnrolledPrincipal(
        id=settings.principal, kind=settings.principal_kind, permissions=PERMISSIONS
    )
    human = EnrolledPrincipal(
        id=f"human:{_user()}", kind=PrincipalKind.HUMAN, permissions=PERMISSIONS
    )
    entries = [one.model_dump(mode="json", exclude_defaults=True) for one in (agent, human)]
    return yaml.safe_dump({"principals": entries}, sort_keys=False)


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container's user need not have a name.
        name = f"uid-{os.getuid()}"
    return re.sub(r"[^!-~]", "-", name)[:100]


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"directory `{path}` cannot be made: {error.strerror}; set SLUICEGATE_HOME to another"
        ) from error


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise TrustError(f"`{path}` cannot be written: {error.strerror}; choose another") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _replace(path: Path, text: str) -> None:
    try:
        # What a link names is replaced, not the link.
        real = path.resolve(strict=True)
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}-")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), real.stat().st_mode & 0o7777)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, real)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise TrustError(f"`{path}` cannot be written: {error.strerror}; mend it") from error
