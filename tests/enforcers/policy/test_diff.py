"""Which way an answer moves from one policy to another."""

from __future__ import annotations

import pytest

from enforcers.contract.approval import Ask
from enforcers.contract.verdict import Decision, Obligation, Reason
from enforcers.policy.diff import MAX_EXAMPLES, Answered, Comparison, Step, step_of, told

ALLOW = Answered(Decision.ALLOW)
DENY = Answered(Decision.DENY, (Reason(code="denied", message="no", rule="deny-x"),))
ASKED = Answered(
    Decision.REQUIRE_APPROVAL, (Reason(code="approval_required", message="?", rule="ask-x"),)
)
WARNED = Answered(
    Decision.ALLOW, (Reason(code="would_deny", message="no", rule="warn-x"),), would_deny=True
)


def masking(*columns: str) -> Answered:
    return Answered(Decision.ALLOW, obligations=(Obligation(kind="mask", columns=columns),))


def limited(value: int) -> Answered:
    return Answered(Decision.ALLOW, obligations=(Obligation(kind="limit_rows", value=value),))


def asked(*groups: str, count: int = 1, all_groups: bool = False) -> Answered:
    ask = Ask(rule="ask-x", groups=groups, count=count, all_groups=all_groups)
    return Answered(Decision.REQUIRE_APPROVAL, ASKED.reasons, asks=(ask,))


SAME, STRICTER, LOOSER = Step.SAME, Step.STRICTER, Step.LOOSER
STEPS = [
    ("allow, allow", ALLOW, ALLOW, SAME),
    ("deny, deny", DENY, DENY, SAME),
    ("allow, deny", ALLOW, DENY, STRICTER),
    ("allow, ask", ALLOW, ASKED, STRICTER),
    ("allow, warn", ALLOW, WARNED, STRICTER),
    ("warn, deny", WARNED, DENY, STRICTER),
    ("ask, deny", ASKED, DENY, STRICTER),
    ("deny, allow", DENY, ALLOW, LOOSER),
    ("deny, warn", DENY, WARNED, LOOSER),
    ("deny, ask", DENY, ASKED, LOOSER),
    ("ask, allow", ASKED, ALLOW, LOOSER),
    ("ask, warn", ASKED, WARNED, LOOSER),
    ("warn, allow", WARNED, ALLOW, LOOSER),
    ("another rule denies", DENY, Answered(Decision.DENY, WARNED.reasons), SAME),
    ("a mask is new", ALLOW, masking("email"), STRICTER),
    ("a mask is gone", masking("email"), ALLOW, LOOSER),
    ("a column less", masking("email", "ssn"), masking("email"), LOOSER),
    ("a column more", masking("email"), masking("email", "ssn"), STRICTER),
    ("columns in another order", masking("a", "b"), masking("b", "a"), SAME),
    ("another column", masking("email"), masking("ssn"), LOOSER),
    ("a constant in place of NULL", masking("email"), masking("email='***'"), LOOSER),
    ("more rows", limited(10), limited(100), LOOSER),
    ("fewer rows", limited(100), limited(10), STRICTER),
    ("one obligation for another", limited(10), masking("email"), LOOSER),
    ("fewer votes", asked(count=2), asked(count=1), LOOSER),
    ("more votes", asked(count=1), asked(count=2), STRICTER),
    ("another group may vote", asked("dba"), asked("dba", "dev"), LOOSER),
    ("anybody may vote", asked("dba"), asked(), LOOSER),
    ("fewer may vote", asked("dba", "dev"), asked("dba"), STRICTER),
    ("not all groups any more", asked("dba", "dev", count=2, all_groups=True), asked("dba", "dev", count=2), LOOSER),
    ("a group less of all", asked("dba", "dev", all_groups=True), asked("dba", all_groups=True), LOOSER),
    ("a group more of all", asked("dba", all_groups=True), asked("dba", "dev", all_groups=True), STRICTER),
    ("the groups are the same", asked("a", "b"), asked("b", "a"), SAME),
    ("stricter in one way, looser in another", asked("dba", count=2), asked("sre", count=3), LOOSER),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "step"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS]
)
def test_which_way_an_answer_moves(old: Answered, new: Answered, step: Step) -> None:
    assert step_of(old, new) is step


@pytest.mark.parametrize(
    ("old", "new", "step"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS]
)
def test_the_way_back_is_never_unseen(old: Answered, new: Answered, step: Step) -> None:
    back = step_of(new, old)
    assert (back is SAME) == (step is SAME)
    assert back is not STRICTER or step is LOOSER


def test_changes_are_grouped_by_who_and_which_rule() -> None:
    found = Comparison()
    for n in range(5):
        found.add("agent:a", f"SELECT {n}", ALLOW, DENY)
    found.add("agent:b", "SELECT 1", ALLOW, DENY)
    found.add("agent:a", "SELECT 1", DENY, ALLOW)
    found.add("agent:a", "SELECT 1", ALLOW, ALLOW)
    found.set_apart("unreadable")
    told = [(one.step, one.principal, one.rule, one.count) for one in found.ordered]
    assert told == [
        (LOOSER, "agent:a", "deny-x", 1),
        (STRICTER, "agent:a", "deny-x", 5),
        (STRICTER, "agent:b", "deny-x", 1),
    ]
    assert [len(one.examples) for one in found.ordered] == [1, MAX_EXAMPLES, 1]
    assert (found.compared, found.counted(STRICTER), found.apart) == (8, 6, {"unreadable": 1})


def test_the_rule_is_the_one_that_only_the_stricter_names() -> None:
    both = Answered(Decision.DENY, (*ASKED.reasons, *DENY.reasons))
    found = Comparison()
    found.add("agent:a", "x", ASKED, both)
    found.add("agent:a", "x", ALLOW, masking("email"))
    assert [one.rule for one in found.ordered] == ["deny-x", "obligations"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (DENY, "deny"),
        (WARNED, "allow (would_deny)"),
        (masking("a", "b"), "allow with mask a,b"),
        (limited(10), "allow with limit_rows 10"),
        (asked("dba", "sre", count=2, all_groups=True), "require_approval by 2 of dba and sre"),
        (asked(), "require_approval by 1 of anybody"),
    ],
)
def test_an_answer_in_short(answer: Answered, said: str) -> None:
    assert told(answer) == said
