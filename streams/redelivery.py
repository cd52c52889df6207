"""
Actions that come a second time: after a judge died, or when a partition changed its owner.

    counted already ──▶ never allowed again          allowed by a former owner, not counted ──▶ counted now
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from enforcers.admission import Refusal
from enforcers.contract.verdict import Decision, Verdict
from enforcers.judge import Judgement, judge, refuse
from enforcers.world import World
from streams.verdicts import Judged

REDELIVERED = Refusal(
    "redelivered",
    "the action was counted already, and may have been allowed then",
    "propose it again",
)


def once(verdict: Verdict, judged: Judged, now: datetime) -> Verdict:
    """The verdict on what was counted already: no allow, for nobody would count it a second time."""
    if verdict.decision is not Decision.ALLOW:
        return verdict
    return refuse(REDELIVERED, judged.action, judged.digest, judged.world, now)


def presume(judged: Judged, now: datetime) -> Judgement:
    """What a former owner allowed, before whatever is quarantined now was: for what it would do and use up."""
    world: World = replace(judged.world, quarantines=())
    return judge(judged.action, judged.digest, world, now, judged.past)
