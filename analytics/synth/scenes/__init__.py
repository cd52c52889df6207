"""Everything that happens besides ordinary work: one function for each, registered here."""

from __future__ import annotations

import random
from typing import Protocol

from analytics.synth.incidents import VARIANTS, Kind
from analytics.synth.scenes import acting, approving, noise, reach
from analytics.synth.scenes.setting import Draw, Incident, Noise, Scene, Setting, labelled

INCIDENTS: dict[tuple[Kind, str], tuple[Incident, float]] = {
    (Kind.DENIAL_SPIKE, "loud"): (reach.denials_loud, 0.0),
    (Kind.DENIAL_SPIKE, "slow"): (reach.denials_slow, 0.7),
    (Kind.NEW_RESOURCE, "one"): (reach.resource_one, 0.6),
    (Kind.NEW_RESOURCE, "several"): (reach.resource_several, 0.2),
    (Kind.NEW_CAPABILITY, "delete"): (reach.capability_delete, 0.5),
    (Kind.NEW_CAPABILITY, "ddl"): (reach.capability_ddl, 0.3),
    (Kind.NEW_CAPABILITY, "grant"): (reach.capability_grant, 0.2),
    (Kind.NEW_CAPABILITY, "shell_write"): (reach.capability_shell, 0.5),
    (Kind.VOLUME_OUTLIER, "actions"): (reach.volume_actions, 0.1),
    (Kind.VOLUME_OUTLIER, "rows"): (reach.volume_rows, 0.4),
    (Kind.VOLUME_OUTLIER, "slow"): (reach.volume_slow, 0.8),
    (Kind.BREADTH_BURST, "loud"): (reach.breadth_loud, 0.1),
    (Kind.BREADTH_BURST, "slow"): (reach.breadth_slow, 0.6),
    (Kind.DENY_THEN_SUCCESS, "probing"): (acting.probing, 0.2),
    (Kind.DENY_THEN_SUCCESS, "quiet"): (acting.probing_quiet, 0.7),
    (Kind.APPROVAL_ANOMALY, "self"): (approving.by_oneself, 0.3),
    (Kind.APPROVAL_ANOMALY, "instant"): (approving.instant, 0.3),
    (Kind.APPROVAL_ANOMALY, "fatigue"): (approving.fatigue, 0.2),
    (Kind.APPROVAL_ANOMALY, "stranger"): (approving.stranger, 0.4),
    (Kind.EXEC_WITHOUT_VERDICT, "no_verdict"): (acting.ran_unanswered, 0.2),
    (Kind.EXEC_WITHOUT_VERDICT, "denied"): (acting.ran_denied, 0.2),
    (Kind.EXEC_WITHOUT_VERDICT, "other_text"): (acting.ran_other, 0.5),
    (Kind.EXEC_WITHOUT_VERDICT, "late"): (acting.ran_late, 0.5),
    (Kind.VERDICT_WITHOUT_OUTCOME, "many"): (acting.unreported_executor, 0.1),
    (Kind.VERDICT_WITHOUT_OUTCOME, "session"): (acting.unreported_session, 0.5),
    (Kind.DESTRUCTIVE_SEQUENCE, "backup_off"): (acting.backup_off, 0.2),
    (Kind.DESTRUCTIVE_SEQUENCE, "exfiltrate"): (acting.exfiltrate, 0.5),
    (Kind.OFF_BASELINE_CONTEXT, "environment"): (acting.other_environment, 0.2),
    (Kind.OFF_BASELINE_CONTEXT, "system"): (acting.other_system, 0.2),
    (Kind.OFF_BASELINE_CONTEXT, "executor"): (acting.other_executor, 0.3),
    (Kind.OFF_BASELINE_CONTEXT, "person"): (acting.other_person, 0.5),
    (Kind.OFF_BASELINE_CONTEXT, "dormant"): (acting.dormant, 0.4),
    (Kind.PIPELINE_INTEGRITY, "gap"): (acting.gap, 0.3),
    (Kind.PIPELINE_INTEGRITY, "silence"): (acting.silence, 0.4),
}
"""How each variant is drawn, and how quiet it is."""
DORMANT_DAYS = 34
"""With fewer days nobody can have been silent for thirty."""

__all__ = ["INCIDENTS", "Scene", "Setting", "draw_scenes"]


class Wanted(Protocol):
    """What the plan says of scenes."""

    @property
    def seed(self) -> int:
        """The seed."""
        ...

    @property
    def days(self) -> int:
        """How long the traffic is."""
        ...

    @property
    def incidents(self) -> bool:
        """Whether there are any."""
        ...


def draw_scenes(setting: Setting, wanted: Wanted) -> list[Scene]:
    """All scenes, what matters most first: where there is little room, the last are left out."""
    chance = random.Random(f"{wanted.seed}/scenes")
    span = setting.span
    warm = span[0] + max(1, wanted.days * 2 // 5) * 24
    draw = Draw(setting, chance, min(warm, span[-1]), span[-1])
    odd = _incidents(draw, wanted) if wanted.incidents else []
    usual = [scene for turn in zip(*_turns(draw), strict=True) for scene in turn if scene]
    return [*_noise(draw, noise.beginning), *odd, *usual]


def _incidents(draw: Draw, wanted: Wanted) -> list[Scene]:
    pairs = [(kind, variant) for kind, named in VARIANTS.items() for variant in named]
    draw.chance.shuffle(pairs)
    return [
        labelled(*pair, INCIDENTS[pair][1], INCIDENTS[pair][0](draw), f"{pair[0]}/{pair[1]}")
        for pair in pairs
        if pair[1] != "dormant" or wanted.days >= DORMANT_DAYS
    ]


def _turns(draw: Draw) -> list[list[Scene | None]]:
    """Each sort of noise as one row, all of one length, so that every sort gets its turn."""
    rows: list[list[Scene | None]] = [list(_noise(draw, one)) for one in noise.NOISE]
    longest = max(map(len, rows))
    return [[*row, *([None] * (longest - len(row)))] for row in rows]


def _noise(draw: Draw, sort: Noise) -> list[Scene]:
    return [
        Scene(hour, f"{sort.__name__}/{number}", play)
        for number, (hour, play) in enumerate(sort(draw))
    ]
