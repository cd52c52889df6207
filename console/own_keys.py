"""
The private keys of people and of this machine: what is wrong with one is said with whose it is, and how one is made.

    voice_key   a person's, for commands that lay something down       own_key   each that lies here, for `doctor`
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from console.durations import shown, until
from console.files import is_there
from console.identity import ROLES, key_path, load_trust_of
from console.plain import counted
from console.settings import Settings
from enforcers.contract.base import utc_now
from enforcers.contract.keys import load_key
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, TrustedKey
from enforcers.errors import TrustError


def roles_here(settings: Settings) -> tuple[Role, ...]:
    """Of which roles a key lies here. Raises SettingsError where that cannot be seen."""
    every = (*ROLES, Role.APPROVER)
    return tuple(role for role in every if is_there(key_path(settings, role)))


def voice_key(path: Path, zone: str, roles: tuple[Role, ...], *, given: bool) -> Signer:
    """A person's key, which may be of any of these roles; `given`: with --key. Raises TrustError."""
    whose = " or ".join(f"{role.value}'s" for role in roles)
    made = " or ".join(f"`{MAKERS[role]}`" for role in roles)
    way = "correct --key, or leave it out for one of" if given else "name yours with --key, or run"
    return load_key(path, zone, what=f"{whose} key", make=f"{way} {made}")


MAKERS = {
    Role.ADMINISTRATOR: "sluicegate keys init",
    Role.APPROVER: "sluicegate keys approver ID",
}
"""What makes the key of a person."""


def own_key(settings: Settings, *, role: Role) -> str:
    """Whose the key of a role is and how long it holds. Raises TrustError where it does not do."""
    path = key_path(settings, role)
    known = load_trust_of(settings).keys.get(load_key(path).kid)
    if known is None:
        raise TrustError(f"key `{path}` is not in `{settings.trust}`; {_UNKNOWN.get(role, _LOST)}")
    if known.role is not role:
        raise TrustError(
            f"key `{path}` stands in `{settings.trust}` as {known.role.value}, not as"
            f" {role.value}; restore the pair"
        )
    if role is Role.EXECUTOR and known.id != settings.executor:
        raise TrustError(
            f"key `{path}` belongs to `{known.id}`, and this executor is `{settings.executor}`;"
            " correct the setting `executor`"
        )
    return f"{known.id}, {_validity(known, settings, utc_now())}"


_LOST = "restore the pair"
_UNKNOWN = {
    Role.APPROVER: ("add its entry, as `sluicegate keys approver` printed it, or move the key away")
}
"""What to do about a key that the trust file does not name; an approver's is added by hand."""


def _validity(known: TrustedKey, settings: Settings, now: datetime) -> str:
    dates = (
        f"correct its dates in `{settings.trust}`, or replace the key, and start the judges again"
    )
    if known.not_before is not None and now < known.not_before:
        raise TrustError(f"`{known.id}` is not valid before {shown(known.not_before)}; {dates}")
    if known.not_after is None:
        return "valid without end"
    if known.not_after <= now:
        raise TrustError(f"`{known.id}` ran out at {shown(known.not_after)}; {dates}")
    left = (known.not_after - now).days
    return f"valid {until(known.not_after)}, {counted(left, 'day') if left else 'less than a day'} left"
