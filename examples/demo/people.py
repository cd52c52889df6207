"""What people do in the demo, by the functions behind the commands that are printed: enrol, approve, lift."""

from __future__ import annotations

import time

from console import agents, approvals, quarantines
from console.administering import administered
from console.settings import Settings
from enforcers.contract.approval import Choice
from enforcers.contract.verdict import Verdict

READ_WITHIN_S = 0.5
"""Every judge has read what people say long before this."""


def approve(settings: Settings, verdict: Verdict, reason: str) -> None:
    """Approve what a verdict wants approved."""
    print(f"  $ sluicegate approve {verdict.request} --reason '{reason}'")
    with administered(settings) as desk:
        found = approvals.find(approvals.standings(desk), str(verdict.request))
        approvals.cast(desk, found, approvals.Ballot(Choice.APPROVE, reason))
    time.sleep(READ_WITHIN_S)


def enroll(settings: Settings, principal: str, reason: str) -> None:
    """Enrol an agent that may read."""
    print(f"  $ sluicegate agents enroll {principal} --kind agent --permission read")
    fields = {"id": principal, "kind": "agent", "permissions": ("read",)}
    with administered(settings) as desk:
        agents.enroll(desk, fields, reason)
    time.sleep(READ_WITHIN_S)


def lift(settings: Settings, principal: str, reason: str) -> None:
    """Lift the quarantine that a judge laid on a principal."""
    with administered(settings) as desk:
        found = next(one for one in quarantines.holding(desk) if one.stops.principal == principal)
        print(f"  $ sluicegate quarantine lift {found.control} --reason '{reason}'")
        quarantines.lift(desk, str(found.control), reason)
    time.sleep(READ_WITHIN_S)
