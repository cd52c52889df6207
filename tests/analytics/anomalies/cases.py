"""For each detection what must be found, loud and quiet, and what looks alike and must not."""

from __future__ import annotations

from dataclasses import dataclass

from tests.analytics.anomalies.plays import (
    BACKUP_OFF,
    DROP,
    DROPS,
    PROBES,
    READ,
    READS,
    SEND,
    Play,
    bot,
    breadth,
    bursty,
    context,
    crawler,
    dormant,
    explorer,
    left_open,
    newcomer,
    odd_run,
    one_table,
    probe,
    resource,
    roll_out_probe,
    sequence,
    settings_only,
    spike_every_day,
    spike_few,
    spike_loud,
    spike_quiet,
    spike_retries,
    spike_roll_out,
    spike_single_after_roll_out,
    volume,
    votes,
    weekly,
)


@dataclass(frozen=True)
class Case:
    """What one agent does; the agent is called like the case."""

    detection: str
    title: str
    found: bool
    play: Play
    about: str = ""
    """Whom the finding is about, where it is not the agent."""

    @property
    def agent(self) -> str:
        return self.title.replace(" ", "-")


CASES = (
    Case("denial_spike", "forty denials in minutes", True, spike_loud),
    Case("denial_spike", "twenty denials over an hour", True, spike_quiet),
    Case("denial_spike", "alone after a roll-out", True, spike_single_after_roll_out),
    Case("denial_spike", "one statement two hundred times", False, spike_retries),
    Case("denial_spike", "a new rule meets everybody", False, spike_roll_out),
    Case("denial_spike", "denied like this every day", False, spike_every_day),
    Case("denial_spike", "five denials", False, spike_few),
    Case(
        "new_resource",
        "reads payroll for the first time",
        True,
        resource("read table payroll.salaries"),
    ),
    Case(
        "new_resource",
        "tries payroll and is denied",
        True,
        resource("read table payroll.salaries", decision="deny"),
    ),
    Case(
        "new_resource",
        "another table of a known schema",
        False,
        resource("read table sales.items"),
    ),
    Case(
        "new_resource",
        "a new partition",
        False,
        resource(
            "read table raw_2026.events_2026_11_19", past=("read table raw_2025.events_2025_01_01",)
        ),
    ),
    Case("new_resource", "finds something new every day", False, explorer),
    Case("new_resource", "is itself new", False, newcomer),
    Case(
        "new_resource",
        "was enrolled anew before",
        False,
        resource("read table payroll.salaries", first=lambda w, a: w.enrol(a, -400)),
    ),
    Case(
        "new_resource",
        "made it itself",
        False,
        lambda w, a: (
            (
                w.usual(a),
                w.act(a, -310, "CREATE", "create table lab.x", approval=w.id()),
                w.act(a, -300, "SELECT 1", "read table lab.x"),
            )
        ),
    ),
    Case(
        "new_capability", "a reader deletes", True, resource("delete table sales.orders key_bound")
    ),
    Case(
        "new_capability",
        "a reader tries to grant",
        True,
        resource("grant table sales.orders", decision="deny"),
    ),
    Case(
        "new_capability",
        "it wrote before",
        False,
        resource("write table sales.items", past=("write table sales.orders",)),
    ),
    Case("new_capability", "new to deleting and to everything", False, newcomer),
    Case(
        "new_capability",
        "deletes after a release",
        False,
        resource("delete table sales.orders", first=lambda w, a: w.enrol(a, -400)),
    ),
    Case(
        "new_capability",
        "deletes with an approval",
        False,
        lambda w, a: (
            (w.usual(a), w.act(a, -300, "DELETE", "delete table sales.orders", approval=w.id()))
        ),
    ),
    Case("new_capability", "sets its own session", False, resource("configure session timezone")),
    Case("volume_outlier", "a thousand actions in an hour", True, volume(1000)),
    Case("volume_outlier", "a million rows", True, volume(2, rows=600_000)),
    Case("volume_outlier", "gigabytes", True, volume(2, size=600_000_000)),
    Case("volume_outlier", "thirty an hour for three hours", True, volume(90, over=170)),
    Case("volume_outlier", "a few more than usual", False, volume(12)),
    Case("volume_outlier", "a blocked retry loop", False, volume(300, decision="deny")),
    Case("volume_outlier", "the weekly job", False, weekly),
    Case("volume_outlier", "steady with no spread at all", False, bursty),
    Case("breadth_burst", "sixty tables", True, breadth(60)),
    Case("breadth_burst", "twenty tables", True, breadth(20)),
    Case("breadth_burst", "a crawler", False, crawler),
    Case("breadth_burst", "one table eighty times", False, one_table),
    Case("breadth_burst", "reads settings only", False, settings_only),
    Case("breadth_burst", "six tables", False, breadth(6)),
    Case("deny_then_success", "three attempts and a way round", True, probe(*PROBES)),
    Case(
        "deny_then_success",
        "two attempts at a secret",
        True,
        probe(*PROBES[1:], rule="deny-secret-read"),
    ),
    Case(
        "deny_then_success",
        "a drop that is written differently",
        True,
        probe(
            ("deny", "DROP TABLE people", DROP, "0"),
            ("allow", "DROP TABLE IF EXISTS people", DROP, "1"),
        ),
    ),
    Case(
        "deny_then_success",
        "one correction",
        False,
        probe(
            ("deny", "SELECT * FROM people", READ, "0"),
            ("allow", "SELECT id FROM people WHERE id = 1", "read table crm.people key_bound", "1"),
        ),
    ),
    Case(
        "deny_then_success",
        "a bounded delete after an unbounded one",
        False,
        probe(
            ("deny", "DELETE FROM people", "delete table crm.people whole", "0"),
            ("allow", "DELETE FROM people WHERE id = 1", "delete table crm.people key_bound", "1"),
        ),
    ),
    Case(
        "deny_then_success",
        "the same statement with other constants",
        False,
        probe(
            ("deny", "SELECT 1 FROM people", READ, "0"),
            ("deny", "SELECT 2 FROM people", READ, "1"),
            ("deny", "SELECT 3 FROM people", READ, "2"),
            ("allow", "SELECT 4 FROM people", READ, "3"),
        ),
    ),
    Case(
        "deny_then_success",
        "hours later",
        False,
        probe(*PROBES[:3], ("allow", "SELECT md5(p::text) FROM people p", READ, "200")),
    ),
    Case("deny_then_success", "everybody meets a new rule", False, roll_out_probe),
    Case("approval_anomaly", "the owner approves", True, votes("Olga", before=3), "Olga"),
    Case(
        "approval_anomaly",
        "for whom it acts approves",
        True,
        votes("bea", behalf="Bea", before=3),
        "bea",
    ),
    Case("approval_anomaly", "within two seconds", True, votes("ines", after=2, before=3), "ines"),
    Case(
        "approval_anomaly",
        "forty in an hour",
        True,
        votes("fay", count=40, gap=1, before=3),
        "fay",
    ),
    Case("approval_anomaly", "never voted before", True, votes("nora"), "nora"),
    Case("approval_anomaly", "reads and approves", False, votes("rita", before=3), "rita"),
    Case(
        "approval_anomaly",
        "the owner says no at once",
        False,
        votes("otto", owner="otto", after=1, choice="deny"),
        "otto",
    ),
    Case(
        "approval_anomaly",
        "busy as ever",
        False,
        votes("bert", count=15, gap=3, before=30),
        "bert",
    ),
    Case(
        "exec_without_verdict",
        "no verdict at all",
        True,
        odd_run(decision=None, ran="UPDATE t SET a = 0"),
    ),
    Case(
        "exec_without_verdict",
        "denied and done",
        True,
        odd_run(decision="deny", ran="UPDATE t SET a = 0"),
    ),
    Case("approval_anomaly", "a release bot", False, bot, "release-bot"),
    Case("exec_without_verdict", "another text", True, odd_run(ran="DROP TABLE t")),
    Case("exec_without_verdict", "ten minutes late", True, odd_run(began_late_s=600)),
    Case("exec_without_verdict", "allowed and done", False, odd_run(count=5)),
    Case("exec_without_verdict", "denied and blocked", False, odd_run(count=5, decision="deny")),
    Case("exec_without_verdict", "clocks differ by seconds", False, odd_run(began_late_s=20)),
    Case(
        "exec_without_verdict",
        "its verdict may still come",
        False,
        odd_run(minute=-0.3, decision=None, ran="UPDATE t SET a = 0"),
    ),
    Case("verdict_without_outcome", "thirty of thirty", True, left_open(30, 30)),
    Case("verdict_without_outcome", "ten of twelve", True, left_open(10, 12)),
    Case("verdict_without_outcome", "a whole session", True, left_open(9, 9, session="lost")),
    Case("verdict_without_outcome", "one crash", False, left_open(1, 30)),
    Case("verdict_without_outcome", "never reports", False, left_open(30, 30, usual=None)),
    Case("verdict_without_outcome", "still at work", False, left_open(20, 20, minute=-9.9)),
    Case(
        "destructive_sequence",
        "backups off and tables dropped",
        True,
        sequence(BACKUP_OFF, *DROPS),
    ),
    Case(
        "destructive_sequence",
        "auditing off and one table emptied",
        True,
        sequence(
            ("ALTER SYSTEM SET pgaudit.log = none", "configure setting pgaudit.log"),
            ("TRUNCATE t", "truncate table sales.t whole"),
        ),
    ),
    Case("destructive_sequence", "reads much and sends it out", True, sequence(*READS, SEND)),
    Case("destructive_sequence", "drops first", False, sequence(*DROPS, BACKUP_OFF)),
    Case(
        "destructive_sequence",
        "in sessions of their own",
        False,
        sequence(BACKUP_OFF, *DROPS, session=False),
    ),
    Case(
        "destructive_sequence", "the nightly job", False, sequence(BACKUP_OFF, *DROPS, habit=True)
    ),
    Case(
        "destructive_sequence",
        "maintenance with approvals",
        False,
        sequence(BACKUP_OFF, *DROPS, approval="0190c0de-0000-7000-8000-000000000001"),
    ),
    Case(
        "destructive_sequence",
        "reads and sends every day",
        False,
        sequence(*READS, SEND, habit=True),
    ),
    Case(
        "destructive_sequence",
        "sends to itself",
        False,
        sequence(*READS, ("curl localhost", "connect host localhost")),
    ),
    Case("off_baseline_context", "for somebody else", True, context(behalf="mallory")),
    Case("off_baseline_context", "in another environment", True, context(environment="staging")),
    Case("off_baseline_context", "through another executor", True, context(executor="gate-9")),
    Case("off_baseline_context", "back after forty days", True, dormant(32)),
    Case("off_baseline_context", "as always", False, context()),
    Case("off_baseline_context", "back after a holiday", False, dormant(14)),
    Case("off_baseline_context", "never seen before", False, newcomer),
)
