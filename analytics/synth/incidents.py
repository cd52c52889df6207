"""
What is injected, and the labels that say where: `incidents.json` lies beside the archive, never in a record.

    Kind (one for each detection) ──▶ its variants, loud and quiet ──▶ Label (agent, time, actions, places)
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from enforcers.errors import ArchiveError

LABELS_NAME = "incidents.json"


class Kind(StrEnum):
    """The detection that is to find it."""

    DENIAL_SPIKE = "denial_spike"
    NEW_RESOURCE = "new_resource"
    NEW_CAPABILITY = "new_capability"
    VOLUME_OUTLIER = "volume_outlier"
    BREADTH_BURST = "breadth_burst"
    DENY_THEN_SUCCESS = "deny_then_success"
    APPROVAL_ANOMALY = "approval_anomaly"
    EXEC_WITHOUT_VERDICT = "exec_without_verdict"
    VERDICT_WITHOUT_OUTCOME = "verdict_without_outcome"
    DESTRUCTIVE_SEQUENCE = "destructive_sequence"
    OFF_BASELINE_CONTEXT = "off_baseline_context"
    PIPELINE_INTEGRITY = "pipeline_integrity"


VARIANTS: dict[Kind, dict[str, str]] = {
    Kind.DENIAL_SPIKE: {
        "loud": "60 to 240 denials of many different statements within 10 minutes",
        "slow": "25 to 45 denials of different statements spread over 40 minutes",
    },
    Kind.NEW_RESOURCE: {
        "one": "1 to 3 reads of a table in a namespace that the agent never touched",
        "several": "5 to 9 such tables in one session",
    },
    Kind.NEW_CAPABILITY: {
        "delete": "a reader deletes rows",
        "ddl": "a reader or writer alters or creates a table",
        "grant": "it grants rights",
        "shell_write": "an agent that only reads files writes some",
    },
    Kind.VOLUME_OUTLIER: {
        "actions": "six to ten times the agent's busiest usual hour, within one hour",
        "rows": "few statements that return hundreds of times the usual rows and bytes",
        "slow": "four times the agent's usual hour, for three hours",
    },
    Kind.BREADTH_BURST: {
        "loud": "60 to 140 different tables within 10 minutes",
        "slow": "24 to 36 different tables within 10 minutes",
    },
    Kind.DENY_THEN_SUCCESS: {
        "probing": "three to seven denied attempts on one resource, then an allowed one of other shape",
        "quiet": "two denied attempts by a severe rule, minutes apart, then an allowed one",
    },
    Kind.APPROVAL_ANOMALY: {
        "self": "the agent's owner approves what the agent asked for",
        "instant": "two to four approvals within 4 seconds of the question, by a person",
        "fatigue": "one person approves 30 to 60 requests within an hour",
        "stranger": "somebody approves who never approved anything before",
    },
    Kind.EXEC_WITHOUT_VERDICT: {
        "no_verdict": "it succeeded, and no judge ever answered",
        "denied": "it was denied and succeeded all the same",
        "other_text": "another text ran than the one that was allowed",
        "late": "it began long after its verdict had expired",
    },
    Kind.VERDICT_WITHOUT_OUTCOME: {
        "many": "most allowed actions of one executor have no outcome for an hour",
        "session": "all 12 to 30 allowed actions of one session have no outcome",
    },
    Kind.DESTRUCTIVE_SEQUENCE: {
        "backup_off": "backups are switched off, then tables are dropped or emptied, in one session",
        "exfiltrate": "many tables are read, then something is sent to a host outside, in one session",
    },
    Kind.OFF_BASELINE_CONTEXT: {
        "environment": "an agent of staging acts in production",
        "system": "it acts on a system that it never used",
        "executor": "its name comes through an executor that never spoke for it",
        "person": "it acts on behalf of somebody it never acted for",
        "dormant": "an agent returns that was silent for more than 30 days",
    },
    Kind.PIPELINE_INTEGRITY: {
        "gap": "60 to 400 offsets of one partition are missing",
        "silence": "nothing comes from a busy executor for hours, and then it goes on",
    },
}
"""Every variant and what it is. `dormant` needs 34 days or more."""


@dataclass(slots=True)
class Label:
    """One injected incident. Its fields are filled while its records are written."""

    kind: Kind
    variant: str
    agent: str
    """The principal; for `silence` the executor, for `gap` the partition as `topic/partition`."""
    start: str = ""
    end: str = ""
    about: str = ""
    """What it turns on: a rule, a resource, an approver, an executor."""
    stealth: float = 0.0
    """0 is loud, 1 is as quiet as it gets."""
    actions: list[str] = field(default_factory=list)
    """Ids of the actions that it consists of."""
    places: list[str] = field(default_factory=list)
    """Of other records that it consists of: `topic/partition/offset`. A gap's are the records around it."""

    def saw(self, moment: str) -> None:
        """Stretch its time to a moment, as records write it."""
        self.start = min(self.start or moment, moment)
        self.end = max(self.end, moment)


def write_labels(directory: Path, labels: Iterable[Label], plan: dict[str, Any]) -> Path:
    """Write the labels beside an archive. Raises ArchiveError."""
    path = directory / LABELS_NAME
    body = {"plan": plan, "incidents": [asdict(label) for label in labels]}
    try:
        path.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise ArchiveError(
            f"labels `{path}` cannot be written: {error.strerror}; choose another directory"
        ) from error
    return path


def read_labels(directory: Path) -> list[Label]:
    """The labels of a directory that the generator filled. Raises ArchiveError."""
    path = directory / LABELS_NAME
    try:
        body = json.loads(path.read_text("utf-8"))
        return [Label(**{**one, "kind": Kind(one["kind"])}) for one in body["incidents"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(
            f"labels `{path}` cannot be read; make them anew with `sluicegate archive synth`"
        ) from error
