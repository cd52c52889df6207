"""
What is known here of the policies under which judges asked people.

    topic `policies` ──the newest, where it loads here──▶ in force ──▶ Terms of each policy
    nothing published ──▶ the settings' own policy: judges elsewhere need not have the same

INVARIANT: what is not known stays unknown; nobody is refused because this machine knows less than a judge.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from enforcers.contract.publication import Publication
from enforcers.errors import PolicyError
from enforcers.policy.engine import Emergency

if TYPE_CHECKING:
    from enforcers.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known here of the policy that a request was asked under."""

    in_force: str | None = None
    """Hash of the policy that judges decide by now; None: not known here."""
    known: bool = False
    """Whether its text is known here; else only judges know who may break the glass."""
    emergency: Emergency | None = None
    """Who may break the glass, where that is known."""


UNKNOWN = Terms()


def terms_of(
    hashes: Collection[str], publications: Sequence[Publication], own: Path
) -> dict[str, Terms]:
    """The terms of each of these policies; `publications` oldest first, `own` is the settings' policy."""
    if not hashes:
        # To load a policy takes a third of a second.
        return {}
    newest = _published(publications[-1]) if publications else _own(own)
    if newest is None:
        # A judge of another release may have loaded it, and then it holds.
        return dict.fromkeys(hashes, UNKNOWN)
    # What was published holds for every judge. The settings' own holds for a judge that asked under it.
    others = Terms(newest.hash) if publications else UNKNOWN
    return {one: _terms(newest) if one == newest.hash else others for one in hashes}


def _terms(policy: Policy) -> Terms:
    named = policy.bundle.break_glass
    emergency = Emergency(named.groups, named.minutes) if named else None
    return Terms(policy.hash, True, emergency)


def _published(publication: Publication) -> Policy | None:
    from console.publishing import published_policy

    policy = published_policy(publication)
    return policy if policy and policy.hash == publication.digest else None


def _own(path: Path) -> Policy | None:
    from enforcers.policy.cases import run_case
    from enforcers.policy.loading import load_policy

    try:
        return load_policy(path, run_case)
    except PolicyError:
        return None
