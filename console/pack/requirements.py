"""What auditors are asked for, where the pack shows it, and what it does not show."""

from __future__ import annotations

COLUMNS = ("requirement", "asks for", "shown here", "not shown here")

REQUIREMENTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "SOC 2 CC8.1",
        "changes are authorised, documented, tested, approved and implemented",
        "the complete population of changes that were proposed through the gates, a sample of them from"
        " proposal to outcome, who approved each, and exceptions such as self-approval or broken glass",
        "changes that went round the gates: hold the population against the audit logs of the systems"
        " themselves; and that a change was tested, unless its ticket says so",
    ),
    (
        "SOC 2 CC7.2, CC7.3",
        "anomalies are noticed and looked at",
        "exceptions with their records; reviews of emergencies",
        "what was done about other findings: that lies in your alerting and ticket systems",
    ),
    (
        "SOC 2 CC6.1 to CC6.3",
        "access is granted, changed and removed by those who may",
        "enrolments and grants of the period with who said so, why and from when to when, and what held when it"
        " began (enrolments.csv, grants.csv); keys of the trust file with roles and validity, as they are now",
        "who holds a private key, and access that is managed in the target systems",
    ),
    (
        "ISO/IEC 27001:2022 A.8.15",
        "activities are logged with who, what, when and where; logs are protected, also from privileged users",
        "each action with principal, session, system, broker's time and result; a signed log in which a"
        " changed, removed or reordered record shows, relative to a checkpoint that was kept elsewhere",
        "network addresses; and anything before the first checkpoint that somebody else kept",
    ),
    (
        "ISO/IEC 27001:2022 A.8.17",
        "clocks agree",
        "the broker's time beside the executor's and the judge's on every action; judges refuse times that"
        " lie far apart",
        "how the broker's own clock is kept right",
    ),
    (
        "ISO/IEC 42001 A.6.2.8",
        "events of AI systems are logged",
        "every proposal of an agent that reached a gate, with the agent's identity and whom it acted for",
        "what the agent did without proposing it",
    ),
)
"""This is our reading of these texts, no opinion of an auditor and no certificate."""
