"""
Quarantines and the kill switch, as an administrator says them; the same functions for every surface.

    stop ──▶ a quarantine that judges obey from the moment they read it ──▶ lift, or its end
"""

from __future__ import annotations

from datetime import timedelta

from console.administering import Consulted, Desk, chosen
from console.contracted import held_to_contract
from enforcers.contract.base import uuid7
from enforcers.contract.control import Control, Quarantined

TOPIC = "controls"


def stop(desk: Desk, stops: Quarantined, lasts: timedelta | None, reason: str) -> Control:
    """Stop what `stops` names until somebody lifts it, or for a time. Raises ContractError, BrokerError."""
    identity = uuid7()
    with held_to_contract():
        control = Control(
            id=uuid7(),
            issue=desk.first_issue(reason),
            control=identity,
            stops=stops,
            expires_at=desk.now + lasts if lasts else None,
        )
    desk.publish(control)
    return control


def lift(desk: Desk, text: str, reason: str) -> Control:
    """Let what a quarantine stopped pass again. Raises ContractError where none of that id holds."""
    found = one_of(desk, text)
    lifted = found.model_copy(
        update={
            "id": uuid7(),
            "issue": desk.issue(TOPIC, found.subject, reason),
            "lifted": True,
        }
    )
    desk.publish(lifted)
    return lifted


def one_of(desk: Consulted, text: str) -> Control:
    """The quarantine that an id, or the beginning of one, names. Raises ContractError."""
    known = {one.control: one for one in desk.state.quarantines}
    return known[chosen(text, known, "quarantine in force")]


def holding(desk: Consulted, *, every: bool = False) -> tuple[Control, ...]:
    """Quarantines that hold now, the oldest first; with `every` also those whose time is over."""
    now = desk.now
    found = [
        one
        for one in desk.state.quarantines
        if every or one.expires_at is None or now < one.expires_at
    ]
    return tuple(sorted(found, key=lambda one: one.issue.at))


def described(stops: Quarantined) -> str:
    """What a quarantine stops, in words."""
    if stops.everything:
        return "everything"
    named = stops.model_dump(exclude_none=True, exclude={"everything"})
    return ", ".join(f"{what} {name}" for what, name in named.items())
