"""The judge: a function of its arguments that answers everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from enforcers.admission import Refusal, ReplyAddress
from enforcers.catalog import Catalog
from enforcers.catalog.model import Column, Table
from enforcers.contract.action import (
    Action,
    CanaryPayload,
    PrincipalKind,
    Proposal,
    ShellPayload,
    SqlPayload,
    TextPayload,
    ToolPayload,
)
from enforcers.contract.digest import sha256_hex
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.verdict import Assumption, Decision, Obligation, Reason, Verdict
from enforcers.contract.wire import decode, encode
from enforcers.intent import read
from enforcers.judge import expire, judge, refuse
from enforcers.policy.engine import Decision as Ruling
from enforcers.world import World

DIGEST = "cd" * 32


@pytest.fixture
def world(policy: Any) -> World:
    """One enrolled agent that may read."""
    agent = EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT, permissions=("read",))
    return World(policy=policy, principals={agent.id: agent}, judge="judge-1")


def verdict_on(action: Action, digest: str, world: World, now: datetime) -> Verdict:
    return judge(action, digest, world, now).verdict


def of_kind(action: Action, payload: Any) -> Action:
    proposal: Proposal = action.proposal.model_copy(update={"payload": payload})
    return action.model_copy(update={"proposal": proposal})


def of_target(action: Action, **changes: Any) -> Action:
    target = action.proposal.target.model_copy(update=changes)
    proposal = action.proposal.model_copy(update={"target": target})
    return action.model_copy(update={"proposal": proposal})


def test_a_verdict_repeats_what_it_binds(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    """Law 4: the action's digest, its id, the executor, the time it is valid for and the policy version."""
    verdict = verdict_on(action(valid_for_ms=700), DIGEST, world, now)
    assert verdict.decision is Decision.ALLOW
    assert (verdict.action_id, verdict.action_digest, verdict.executor) == (
        action().id,
        DIGEST,
        "executor-1",
    )
    assert (verdict.valid_for_ms, verdict.policy, verdict.judge) == (
        700,
        world.policy.hash,
        "judge-1",
    )
    assert decode(Verdict, encode(verdict)) == verdict


def test_the_same_arguments_give_the_same_verdict(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    assert verdict_on(action(), DIGEST, world, now) == verdict_on(action(), DIGEST, world, now)
    later = verdict_on(action(), DIGEST, world, now + timedelta(seconds=1))
    other = verdict_on(action(), "ef" * 32, world, now)
    assert len({later.id, other.id, verdict_on(action(), DIGEST, world, now).id}) == 3
    assert later.id.version == 7


def test_a_canary_is_answered_and_never_admitted(
    action: Callable[..., Action], world: World, policy: Any, now: datetime
) -> None:
    verdict = verdict_on(of_kind(action(), CanaryPayload()), DIGEST, world, now)
    assert (verdict.decision, verdict.reasons[0].code) == (Decision.DENY, "canary")
    assert policy.asked == []


@pytest.mark.parametrize(
    "answers",
    [None, {"select": None}, {"select": "allow"}, {"select": Ruling(Decision.ALLOW, "no hash")}],
    ids=["raises", "answers nothing", "answers a text", "has no version"],
)
def test_a_policy_that_fails_denies(
    action: Callable[..., Action], world: World, policy: Any, now: datetime, answers: Any
) -> None:
    """Law 2: a look-up that fails makes the verdict a denial that names the failure."""
    policy.answers = answers
    verdict = verdict_on(action(), DIGEST, world, now)
    assert (verdict.decision, verdict.reasons[0].code) == (Decision.DENY, "judge_failed")
    assert "judge failed with" in verdict.reasons[0].message


def test_a_catalog_that_the_judge_does_not_have_denies(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    """Law 2: read without it, what it tags would pass."""
    named = of_target(action(), catalog="shop")
    verdict = verdict_on(named, DIGEST, world, now)
    assert (verdict.decision, verdict.reasons[0].code) == (Decision.DENY, "unknown_catalog")
    knowing = replace(world, catalogs={"shop": Catalog()})
    assert verdict_on(named, DIGEST, knowing, now).decision is Decision.ALLOW


def test_a_reader_that_fails_gives_an_opaque_intent(
    action: Callable[..., Action],
    world: World,
    policy: Any,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Law 2: a parser that fails."""

    def fails(*_: object) -> Any:
        raise RecursionError

    monkeypatch.setitem(read.READERS, "sql", fails)
    assert verdict_on(action(), DIGEST, world, now).decision is Decision.DENY
    (facts,) = policy.asked
    assert [one.code for one in facts.intent.opaque] == ["reader_failed"]


@pytest.mark.parametrize(
    "payload", [ToolPayload(tool="t"), *(TextPayload(kind=kind, text="x") for kind in ("http", "file", "kubernetes", "terraform"))]
)  # fmt: skip
def test_a_kind_that_is_not_read_is_opaque(
    action: Callable[..., Action], world: World, policy: Any, now: datetime, payload: Any
) -> None:
    verdict_on(of_kind(action(), payload), DIGEST, world, now)
    (facts,) = policy.asked
    assert [one.code for one in facts.intent.opaque] == ["kind_not_read"]


def test_the_policy_sees_who_is_enrolled_as_the_world_says(
    action: Callable[..., Action], world: World, policy: Any, now: datetime
) -> None:
    verdict_on(action(), DIGEST, world, now)
    (facts,) = policy.asked
    assert (facts.principal.enrolled, facts.principal.permissions) == (True, ("read",))


def test_whoever_has_no_standing_is_refused_before_the_policy_is_asked(
    action: Callable[..., Action], policy: Any, now: datetime
) -> None:
    verdict = verdict_on(action(), DIGEST, World(policy, {}, "judge-1"), now)
    assert (verdict.decision, verdict.reasons[0].code) == (Decision.DENY, "not_enrolled")
    assert policy.asked == []


def test_an_approval_is_bound_to_the_proposal_and_to_how_it_was_read(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    asked = of_kind(action(), SqlPayload(statement="UPDATE t SET a = 1"))
    bound = verdict_on(asked, DIGEST, world, now).proposal_digest
    assert bound is not None
    retried = asked.model_copy(update={"nonce": "e" * 32})
    assert verdict_on(retried, "ef" * 32, world, now + timedelta(hours=1)).proposal_digest == bound
    declared = of_target(asked, catalog="main")
    catalogs = {"main": Catalog({"t": Table({"a": Column(tags=("pii",))})})}
    unread = verdict_on(declared, DIGEST, world, now).proposal_digest
    assert verdict_on(
        declared, DIGEST, replace(world, catalogs=catalogs), now
    ).proposal_digest not in (
        unread,
        bound,
        None,
    )
    assert verdict_on(action(), DIGEST, world, now).proposal_digest is None


def test_an_allow_that_is_ready_too_late_becomes_a_denial(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    """Law 1: a judge that slept cannot allow."""
    allow = verdict_on(action(), DIGEST, world, now)
    denial = expire(allow)
    assert (denial.decision, denial.valid_for_ms, denial.reasons[0].code) == (
        Decision.DENY,
        0,
        "expired",
    )
    assert (denial.id, denial.action_id, denial.action_digest) == (
        allow.id,
        allow.action_id,
        DIGEST,
    )


def test_a_refusal_can_be_sent_however_long_its_message_is(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    refusal = Refusal("malformed", "x" * 100_000)
    for to in (action(), ReplyAddress(action().id, "executor-1", 3)):
        verdict = refuse(refusal, to, DIGEST, world, now)
        assert verdict.decision is Decision.DENY
        assert (verdict.action_id, verdict.executor, verdict.valid_for_ms) == (
            action().id,
            "executor-1",
            0,
        )
        assert decode(Verdict, encode(verdict)) == verdict


def test_reasons_and_obligations_of_the_policy_are_passed_on(
    action: Callable[..., Action], world: World, policy: Any, now: datetime
) -> None:
    reason = Reason(code="c", message="m", rule="r", span=(0, 6))
    policy.answers["select"] = Ruling(Decision.ALLOW, policy.hash, (reason,), would_deny=True)
    verdict = verdict_on(action(), DIGEST, world, now)
    assert (verdict.reasons, verdict.would_deny) == ((reason,), True)


def test_a_verdict_says_what_its_reading_assumed(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    declared = of_target(
        of_kind(action(), SqlPayload(statement="SELECT a FROM t")),
        catalog="main",
        dialect="postgres",
    )
    scanned = Catalog({"t": Table({"a": Column("text")})}, structure="ab" * 32)
    verdict = verdict_on(declared, DIGEST, replace(world, catalogs={"main": scanned}), now)
    assert verdict.assumed == (
        Assumption(name="search_path", value="public"),
        Assumption(name="catalog_structure", value="ab" * 32),
    )
    assert decode(Verdict, encode(verdict)) == verdict
    by_hand = replace(scanned, structure="")
    verdict = verdict_on(declared, DIGEST, replace(world, catalogs={"main": by_hand}), now)
    assert [one.name for one in verdict.assumed] == ["search_path"]


MASKED = {"main": Catalog({"t": Table({"a": Column("int"), "b": Column("text", ("pii",))})})}
DUTIES = (
    Obligation(kind="limit_rows", value=5),
    Obligation(kind="mask", columns=("tag:pii",)),
)


def test_an_allowed_statement_is_rewritten_as_its_obligations_ask(
    action: Callable[..., Action], world: World, policy: Any, now: datetime
) -> None:
    """Law 4: the digest of the rewrite is in the verdict."""
    policy.answers["select"] = Ruling(Decision.ALLOW, policy.hash, obligations=DUTIES)
    asked = of_target(action("SELECT b FROM t"), catalog="main")
    verdict = verdict_on(asked, DIGEST, replace(world, catalogs=MASKED), now)
    limit, mask = DUTIES
    named = mask.model_copy(update={"columns": ("t.b",)})
    assert (verdict.decision, verdict.obligations) == (Decision.ALLOW, (limit, named))
    assert verdict.rewrite is not None
    assert "CAST(NULL AS text)" in verdict.rewrite.text
    assert verdict.rewrite.text.endswith("LIMIT 5")
    assert verdict.rewrite.digest == sha256_hex(verdict.rewrite.text.encode())


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (SqlPayload(statement="SELECT b FROM other"), "unknown_table"),
        (SqlPayload(statement="SELECT t FROM t"), "not_maskable"),
        (ShellPayload(line="ls"), "not_rewritable"),
    ],
)
def test_what_cannot_be_rewritten_is_denied(
    action: Callable[..., Action], world: World, policy: Any, now: datetime, payload: Any, code: str
) -> None:
    allow = Ruling(Decision.ALLOW, policy.hash, obligations=DUTIES, would_deny=True)
    policy.answers = {"select": allow, "shell": allow}
    asked = of_target(of_kind(action(), payload), catalog="main")
    verdict = verdict_on(asked, DIGEST, replace(world, catalogs=MASKED), now)
    assert (verdict.decision, verdict.reasons[0].code) == (Decision.DENY, code)
    assert verdict.reasons[0].remedy
    assert (verdict.rewrite, verdict.obligations, verdict.would_deny) == (None, (), False)


def test_only_what_is_allowed_is_rewritten(
    action: Callable[..., Action], world: World, policy: Any, now: datetime
) -> None:
    for answer in (Decision.DENY, Decision.REQUIRE_APPROVAL):
        policy.answers["select"] = Ruling(answer, policy.hash, obligations=DUTIES)
        verdict = verdict_on(action("SELECT b FROM other"), DIGEST, world, now)
        assert (verdict.decision, verdict.rewrite) == (answer, None)


def test_a_write_behind_many_reads_is_in_the_verdict(
    action: Callable[..., Action], world: World, now: datetime
) -> None:
    tables = ", ".join(f"t{number}" for number in range(1, 30))
    asked = of_kind(action(), SqlPayload(statement=f"INSERT INTO t0 SELECT 1 FROM {tables}"))
    verdict = verdict_on(asked, DIGEST, world, now)
    assert (verdict.intent[0].verb, verdict.intent[0].name) == ("write", "t0")
    assert len(verdict.intent) == 20
