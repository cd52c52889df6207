"""
Every detection, in one table: its file, what it looks for, and the thresholds that may be set.

    NAME.sql (a macro of that name, thresholds as arguments) ──▶ DETECTIONS ──▶ runner, page, command line

INVARIANT: a threshold stands here as it stands in the file; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from enforcers.contract.finding import Severity
from enforcers.errors import ArchiveError

Value = int | float | str | tuple[str, ...]
"""What a threshold may be."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One argument of a detection."""

    name: str
    default: Value
    meaning: str


@dataclass(frozen=True, slots=True)
class Detection:
    """One question."""

    name: str
    purpose: str
    severity: Severity
    """The highest that it gives."""
    remedy: str
    """What to do about a finding."""
    thresholds: tuple[Threshold, ...]
    warms: bool = True
    """Whether it compares with the past, and so needs the hours before its window."""

    @property
    def sql(self) -> str:
        """Its file."""
        return read_sql(self.name)

    def threshold(self, name: str) -> Threshold:
        """One of its thresholds. Raises ArchiveError."""
        for one in self.thresholds:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.thresholds)
        raise ArchiveError(f"`{self.name}` has no threshold `{name[:80]}`; it has {known}")


def read_sql(name: str) -> str:
    """The text of `NAME.sql`."""
    return resources.files(__package__).joinpath(f"{name}.sql").read_text("utf-8")


T = Threshold

DETECTIONS: tuple[Detection, ...] = (
    Detection(
        "denial_spike",
        "an agent is denied by one rule far more often than it ever is",
        Severity.ALERT,
        "look at what it tried; quarantine it if nobody knows why",
        (
            T("minutes", 5, "length of a burst"),
            T("denials", 8, "fewest denials of a burst"),
            T("statements", 4, "fewest different statements: retries of one are one"),
            T("share", 0.3, "least share of denials in what the agent did then"),
            T("burst", 12, "times its usual rate: in five minutes as much as in an hour"),
            T("slow_minutes", 60, "length of a steady rise"),
            T("slow_denials", 16, "fewest denials of a steady rise"),
            T("slow_statements", 8, "fewest different statements of it"),
            T("slow_share", 0.1, "least share of it"),
            T("rollout_minutes", 60, "how long a new policy is young"),
            T("rollout_agents", 3, "so many agents denied by one young rule are a roll-out"),
        ),
    ),
    Detection(
        "new_resource",
        "an agent touches what it never touched, although it keeps to what it knows",
        Severity.WARNING,
        "ask its owner what it looks for there",
        (
            T("history_days", 14, "how far back it looks"),
            T("warm_days", 3, "how long an agent must be known"),
            T("new_a_day", 0.2, "agents that find more new places a day are left out"),
            T("release_days", 3, "how long after an enrolment new work is a release"),
            T("at_most", 5, "most findings for one agent"),
        ),
    ),
    Detection(
        "new_capability",
        "an agent does for the first time what takes another right",
        Severity.ALERT,
        "check that its rights are meant; take back those that are not",
        (
            T("warm_days", 3, "how long an agent must be known"),
            T("warm_actions", 50, "how many actions it must have to its name"),
            T("release_days", 7, "how long after an enrolment new work is a release"),
            T(
                "classes",
                (
                    *("delete", "ddl", "grant", "export", "import", "configure"),
                    *("file-write", "write"),
                ),
                "what takes a right of its own",
            ),
        ),
    ),
    Detection(
        "volume_outlier",
        "within an hour, an agent does or moves far more than at that time of day",
        Severity.WARNING,
        "ask its owner; set a budget in the policy",
        (
            T("k", 6.0, "how many deviations (1.4826 MAD of the logarithm) above the median"),
            T("slow_k", 4.0, "likewise, for three hours together"),
            T("floor_mad", 0.18, "least MAD: a steady agent's is nearly nothing"),
            T(
                "hours_known",
                8,
                "hours near that time, on such days, that must be known; else any are asked",
            ),
            T("at_least_actions", 60, "smaller hours are never told"),
            T("at_least_rows", 20_000, "likewise, rows"),
            T("at_least_bytes", 20_000_000, "likewise, bytes"),
            T("growth", 2.0, "what goes on is told again when it is so many times as much"),
        ),
    ),
    Detection(
        "breadth_burst",
        "within minutes, an agent touches more resources than it ever did in an hour",
        Severity.WARNING,
        "look whether it searches; narrow its scope",
        (
            T("minutes", 10, "length of the burst"),
            T("resources", 15, "fewest different resources"),
            T("factor", 1.5, "times its widest usual hour"),
            T("warm_hours", 24, "hours of it that must be known"),
        ),
    ),
    Detection(
        "deny_then_success",
        "denied on a resource, and soon allowed on it with another statement",
        Severity.ALERT,
        "compare the statements; mend the rule that one of them went round",
        (
            T("minutes", 15, "how soon"),
            T("attempts", 3, "different denied statements that are no correction"),
            T("severe_attempts", 2, "likewise, where what was denied is severe"),
            T("alike", 0.6, "likeness of a severe denied statement and its success"),
            T(
                "severe",
                ("drop", "truncate", "delete", "grant", "alter", "export", "configure"),
                "verbs that are severe",
            ),
            T(
                "severe_rules",
                "(secret|schema|transfer|outside|personal|upload|privilege|persist|destr|system"
                "|configure|interpreter|grant)",
                "names of rules that are severe, as a regular expression",
            ),
            T("above_usual", 3, "times as many as the agent is denied in that time anyway"),
            T("rollout_minutes", 60, "how long a new policy is young"),
            T("rollout_agents", 3, "so many agents denied by one young rule are a roll-out"),
        ),
    ),
    Detection(
        "approval_anomaly",
        "somebody approves their own, without looking, for the first time, or too many",
        Severity.ALERT,
        "ask the approver; revoke the approval",
        (
            T("seconds", 5, "nobody reads a request faster"),
            T("an_hour", 20, "fewest approvals in an hour that tire"),
            T("factor", 3.0, "times the approver's busiest hour before"),
            T("history_days", 30, "how far back it looks"),
            T("settled_votes", 20, "approvals before which nobody is a stranger"),
        ),
    ),
    Detection(
        "exec_without_verdict",
        "something ran that no verdict allows",
        Severity.ALERT,
        "stop the executor; it acts without asking, or its records are forged",
        (
            T("late_seconds", 60, "how long late records are waited for"),
            T("skew_seconds", 60, "how far clocks may differ"),
        ),
        warms=False,
    ),
    Detection(
        "verdict_without_outcome",
        "many allowed actions of which nobody says what became of them",
        Severity.WARNING,
        "look at the executor: it crashes, or it hides what it does",
        (
            T("minutes", 10, "how long an outcome is waited for"),
            T("missing", 8, "fewest outcomes that are missing"),
            T("share", 0.5, "least share of the allowed"),
            T("above_usual", 0.3, "least share above the agent's usual one"),
        ),
    ),
    Detection(
        "destructive_sequence",
        "in one session: recovery off, then destroyed; or much read, then sent away",
        Severity.ALERT,
        "quarantine the agent; check backups and what left",
        (
            T("minutes", 120, "longest time between the steps"),
            T("reads", 6, "fewest reads of tables that are much"),
            T("usual_days", 2, "a step taken on so many days is the agent's work"),
            T(
                "recovery",
                "(backup|snapshot|archiv|audit|pgaudit|wal[-_.]|replica|slot|retention|binlog|barman"
                "|restic|velero|syslog|auditd|logging)",
                "names of what brings things back, as a regular expression",
            ),
        ),
    ),
    Detection(
        "off_baseline_context",
        "a known agent comes from where it never came, or after a long silence",
        Severity.WARNING,
        "ask its owner; renew its key",
        (
            T("warm_days", 3, "how long an agent must be known"),
            T("warm_actions", 30, "how many actions it must have to its name"),
            T("dormant_days", 30, "how long a silence is long"),
        ),
    ),
    Detection(
        "pipeline_integrity",
        "missing offsets, a silent executor, two answers, no checkpoints, unreadable records",
        Severity.ALERT,
        "run `sluicegate audit verify`, and look at the broker and the executor",
        (
            T("gap_offsets", 2, "fewest missing offsets: a transaction leaves one behind"),
            T("surprise", 3.0, "how unlikely a silence must be: 3 is one in a thousand"),
            T("silent_actions", 10, "fewest actions that there would have been"),
            T(
                "others_quiet",
                0.3,
                "largest share of other executors that are as quiet then: a holiday",
            ),
            T("days_known", 4, "days of an hour that must be known"),
            T("history_days", 28, "how far back it looks"),
            T("checkpoint_minutes", 10, "longest time without a checkpoint"),
            T("unreadable", 20, "fewest records of a topic in an hour that nobody can read"),
            T("compacted", ("history",), "topics that lose offsets by their nature"),
        ),
    ),
)

BY_NAME: Mapping[str, Detection] = {one.name: one for one in DETECTIONS}


def detections(names: tuple[str, ...] = ()) -> tuple[Detection, ...]:
    """Those of these names, or all. Raises ArchiveError."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        known = ", ".join(BY_NAME)
        raise ArchiveError(f"there is no detection `{unknown[0][:80]}`; choose among {known}")
    return tuple(one for one in DETECTIONS if not names or one.name in names)
