"""Proposals and outcomes: whose word they are, and what a judge understood."""

from __future__ import annotations

from pathlib import Path

from enforcers.contract.action import SqlPayload
from enforcers.contract.outcome import Status
from enforcers.contract.verdict import Decision, EffectSummary, Obligation
from tests.analytics.records import action, outcome
from tests.analytics.test_reconstruct_words import Scene


def test_a_forged_outcome_is_not_the_outcome(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    scene.answer(asked, Decision.ALLOW)
    scene.put("outcomes", outcome(asked, Status.FAILED), "executor-1", "agent-7", "judge-1")
    other = outcome(asked, Status.BLOCKED).model_copy(update={"executor": "executor-2"})
    scene.put("outcomes", other, "executor-2", "agent-7", "executor-1")
    scene.put("outcomes", outcome(asked), "executor-1", "agent-7")
    seen = scene.seen(tmp_path, asked)
    forged, foreign, true = seen.outcomes
    assert "not trusted as executor" in forged.signature
    assert foreign.signature == "key of `executor-1` signed for `executor-2`"
    assert (true.signature, seen.outcome) == ("valid", true)


def test_the_record_of_an_action_is_the_one_that_its_executor_signed(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    for signer in ("stranger", "executor-1", "judge-1"):
        scene.put("actions", asked, "executor-1", "agent-7", signer)
    seen = scene.seen(tmp_path, asked)
    assert (seen.signature, seen.evidence.offset) == ("valid", 1)
    assert [one.offset for one in seen.replays] == [0, 2]


def test_an_action_that_nobody_signed_says_so(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    scene.put("actions", asked, "executor-1", "agent-7", "stranger")
    assert "not trusted as executor" in scene.seen(tmp_path / "one", asked).signature
    assert scene.seen(tmp_path / "two", asked, trusting=False).signature == "not checked"


def test_intent_and_obligations_are_told(tmp_path: Path) -> None:
    scene, asked = Scene(), action(payload=SqlPayload(statement="DELETE FROM orders"))
    effect = EffectSummary(
        verb="delete", type="table", name="orders", namespace="billing", extent="none"
    )
    duties = (Obligation(kind="limit_rows", value=5), Obligation(kind="mask", columns=("a", "b")))
    scene.answer(asked, Decision.ALLOW, intent=(effect,), obligations=duties)
    verdict = scene.seen(tmp_path, asked).verdict
    assert verdict is not None
    assert [(one.verb, one.resource) for one in verdict.intent] == [("delete", "billing.orders")]
    assert verdict.obligations == ("limit_rows 5", "mask of a, b")
