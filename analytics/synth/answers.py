"""What judges say and how actions end: few forms of each, made once."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.synth.texts import reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge answers."""

    decision: str
    reasons: str = "[]"
    rule: str = ""
    message: str = ""


ALLOW = Answer("allow")

_DENY = {
    "deny-unbounded-write": (
        "the rows that would change are not bounded by a unique key",
        "name the rows by a unique key that the catalog declares",
    ),
    "deny-schema-change": (
        "structure and rights of a production database are not changed by hand",
        "put the change into a reviewed migration",
    ),
    "deny-secret-read": ("a secret would be read", "leave the secret columns out"),
    "deny-transfer": (
        "SQL must not move data out of the database or into it",
        "use the declared transfer job",
    ),
    "deny-sql-outside-database": (
        "SQL must not touch files, hosts or programs",
        "use the declared transfer job",
    ),
    "deny-write-without-permission": (
        "the principal may not write here",
        "ask an administrator for the permission",
    ),
    "deny-file-destruction": (
        "files of the system, or the workspace as a whole, would be removed",
        "name the files in the workspace that are to be removed",
    ),
    "deny-upload": (
        "data would be sent from production to another machine",
        "use the declared transfer job",
    ),
    "deny-personal-data-out": ("personal data would leave", "leave the personal columns out"),
    "deny-new-site-filter": ("the site is not named by its key", "name the site by its key"),
}
_ASK = {
    "ask-filtered-write": (
        "the filter is on a column that is no unique key, so many rows may change",
        "name the rows by a unique key, or have a person approve it",
    ),
    "ask-pii-read": (
        "the action reads personal data in production",
        "leave out the columns that are tagged `pii`, or have a person approve it",
    ),
    "ask-service-change": (
        "the action changes something that is not read in detail",
        "have a person approve it",
    ),
    "ask-schema-change": ("the structure would change", "have a person approve it"),
}
SEVERE = ("deny-secret-read", "deny-schema-change", "deny-transfer", "deny-sql-outside-database")
"""Rules that nobody runs into by an oversight."""


def _answers(decision: str, code: str, rules: dict[str, tuple[str, str]]) -> dict[str, Answer]:
    return {
        rule: Answer(decision, f"[{reason(code, message, rule, remedy)}]", rule, message)
        for rule, (message, remedy) in rules.items()
    }


DENY = _answers("deny", "denied", _DENY)
"""A no by each rule."""
ASK = _answers("require_approval", "approval_required", _ASK)
"""A person has to approve, by each rule."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an action that was answered ends."""

    status: str
    ran: bool = True
    error: str | None = None
    slow: float = 1.0
    """How many times as long as usual it takes."""
    rows: float = 1.0
    """How many times as many rows and bytes as usual come back."""
    late_us: int = 0
    """How much later than it ended it is reported."""
    begins_us: int = 0
    """How long after the verdict it begins."""
    twice: bool = False
    """Whether it is reported twice, as clients do that saw no answer."""
    digest: str = ""
    """Of what ran, where it is not what was allowed."""


DONE = Ending("succeeded")
BLOCKED = Ending("blocked", ran=False)
FAILED = Ending("failed", error="relation is locked by another session")
TIMED_OUT = Ending("failed", error="statement timed out", slow=40.0)
UNANSWERED = Ending("no_verdict", ran=False, error="no verdict within 1 s")
LATE_REPORT = Ending("succeeded", late_us=240_000_000)
TWICE = Ending("succeeded", twice=True)
