"""
Who may propose, as an administrator says it; the same functions for every surface.

    enrol ──▶ change, rotate ──▶ disable ⇄ enable      each a full record with the next version

INVARIANT: a record says everything that holds of a principal, so that no judge has to put records together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from console.administering import Consulted, Desk
from console.contracted import held_to_contract
from console.durations import shown
from enforcers.contract.base import uuid7
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment, Scope
from enforcers.contract.keys import create_key
from enforcers.contract.signing import key_id
from enforcers.errors import ContractError

TOPIC = "principals"
MOST_KEYS = 10


@dataclass(frozen=True)
class Changed:
    """A principal before and after a record about it."""

    before: EnrolledPrincipal | None
    after: EnrolledPrincipal


def enroll(
    desk: Desk,
    fields: Mapping[str, Any],
    reason: str,
    *,
    key_out: Path | None = None,
    replace: bool = False,
) -> Changed:
    """Enrol a principal, with a new key of its own at `key_out`. Raises ContractError, TrustError, BrokerError."""
    with held_to_contract():
        wanted = EnrolledPrincipal.model_validate(dict(fields))
    before = desk.state.principals.get(wanted.id)
    if before is not None and not replace:
        raise ContractError(
            f"`{wanted.id}` is enrolled already; change it with `sluicegate agents scope`, or give"
            " --replace"
        )
    if before is not None:
        # What protects is not lost on the way: keys by `rotate` or `scope --clear`, the rest by `enable`.
        kept = () if key_out else before.public_keys
        wanted = _with(wanted, {"public_keys": kept, "disabled": before.disabled})
    return _with_new_key(desk, before, wanted, key_out, reason)


def change(desk: Desk, identity: str, fields: Mapping[str, Any], reason: str) -> Changed:
    """Change some fields of a principal. Raises ContractError, BrokerError."""
    before = one_of(desk, identity)
    return _say(desk, before, _with(before, fields), reason)


def rescope(
    desk: Desk, identity: str, fields: Mapping[str, Any], cleared: Sequence[str], reason: str
) -> Changed:
    """
    Change what a principal may do and where: fields of its enrolment and of its scope, by name.

    Raises ContractError, BrokerError.
    """
    for name in cleared:
        if name not in CLEARED:
            raise ContractError(f"`{name[:50]}` cannot be cleared; clear {', '.join(CLEARED)}")
        if name in fields:
            raise ContractError(f"`{name}` is given and cleared; do one of the two")
    if not fields and not cleared:
        raise ContractError("nothing is to change; give what shall, such as --scope-system")
    wanted = {**fields, **{name: CLEARED[name] for name in cleared}}
    scope = {name: wanted.pop(name) for name in Scope.model_fields if name in wanted}
    before = one_of(desk, identity)
    return change(desk, identity, {**wanted, "scope": {**dict(before.scope), **scope}}, reason)


CLEARED: dict[str, Any] = {
    "owner": None,
    "not_after": None,
    "groups": (),
    "permissions": (),
    "executors": (),
    "kinds": (),
    "systems": (),
    "catalogs": (),
    "environments": (),
    "public_keys": (),
}
"""What can be emptied, and with what. An empty list of executors, or of a scope, means every one."""


def rotate(
    desk: Desk, identity: str, key_out: Path, reason: str, *, keep_old: bool = False
) -> Changed:
    """
    Give a principal a new key at `key_out`, in the place of the old ones or beside them.

    Raises ContractError, TrustError, BrokerError.
    """
    before = one_of(desk, identity)
    kept = before.public_keys if keep_old else ()
    if len(kept) >= MOST_KEYS:
        raise ContractError(f"`{identity}` has {MOST_KEYS} keys; rotate it without --keep-old")
    return _with_new_key(desk, before, _with(before, {"public_keys": kept}), key_out, reason)


def one_of(desk: Consulted, identity: str) -> EnrolledPrincipal:
    """A principal that is enrolled. Raises ContractError."""
    found = desk.state.principals.get(identity)
    if found is None:
        raise ContractError(
            f"`{identity[:200]}` is not enrolled; see `sluicegate agents list` for who is"
        )
    return found


def state_of(principal: EnrolledPrincipal, now: datetime) -> str:
    """Whether it may propose now, in one word."""
    if principal.disabled:
        return "disabled"
    over = principal.not_after is not None and principal.not_after <= now
    return "ended" if over else "enabled"


def described(scope: Scope) -> str:
    """Where a principal may propose, in words."""
    parts = [f"{what} {' '.join(names)}" for what, names in dict(scope).items() if names]
    return "; ".join(parts) or "everywhere"


def keys_of(principal: EnrolledPrincipal) -> str:
    """Names of its keys."""
    return " ".join(key_id(bytes.fromhex(one)) for one in principal.public_keys)


def _with_new_key(
    desk: Desk,
    before: EnrolledPrincipal | None,
    wanted: EnrolledPrincipal,
    key_out: Path | None,
    reason: str,
) -> Changed:
    if key_out is None:
        return _say(desk, before, wanted, reason)
    signer = create_key(key_out)
    public = bytes(signer.key.verify_key).hex()
    try:
        return _say(
            desk, before, _with(wanted, {"public_keys": (*wanted.public_keys, public)}), reason
        )
    except BaseException:
        # Nobody was told of it, or nobody can be sure: it would be in the way of the next try.
        key_out.unlink(missing_ok=True)
        raise


def _with(before: EnrolledPrincipal, fields: Mapping[str, Any]) -> EnrolledPrincipal:
    # Validated anew: a copy would take whatever it is given.
    with held_to_contract():
        return EnrolledPrincipal.model_validate({**dict(before), **fields})


def _say(
    desk: Desk, before: EnrolledPrincipal | None, after: EnrolledPrincipal, reason: str
) -> Changed:
    ends, ended = after.not_after, before.not_after if before else None
    if ends is not None and ends != ended and ends <= desk.now:
        raise ContractError(
            f"`{after.id}` would have ended at {shown(ends)} already; give a time to come, or"
            " disable it"
        )
    issue = desk.issue(TOPIC, after.id, reason)
    desk.publish(Enrolment(id=uuid7(), issue=issue, principal=after))
    return Changed(before, after)
