"""The two digests: over exact bytes, and over what is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcers.contract.action import (
    Action,
    Capability,
    Principal,
    PrincipalKind,
    Proposal,
    SqlPayload,
    Target,
    TextPayload,
)
from enforcers.contract.digest import action_digest, proposal_digest
from enforcers.contract.wire import encode

OTHER_ID = UUID(int=5)


def test_the_action_digest_is_sha256_of_the_bytes_and_every_bit_counts(
    action: Callable[..., Action],
) -> None:
    """Law 4: the verdict binds the bytes."""
    value = encode(action())
    assert action_digest(value) == hashlib.sha256(value).hexdigest()
    flipped = {
        action_digest(value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :])
        for at in range(len(value))
        for bit in range(8)
    }
    assert len(flipped) == 8 * len(value)
    assert action_digest(value) not in flipped


INTENT = {"kind": "sql"}


def test_another_reading_of_the_same_text_changes_the_proposal_digest(
    action: Callable[..., Action],
) -> None:
    assert proposal_digest(action(), {"kind": "shell"}) != proposal_digest(action(), INTENT)


def test_the_proposal_digest_is_sha256_of_sorted_json_without_spaces(
    action: Callable[..., Action],
) -> None:
    canonical = (
        '{"executor":"executor-1","intent":{"kind":"sql"},"on_behalf_of":null,"payload":{"kind":"sql","statement":"SELECT \'ä\'"},'
        '"principal":"agent-1",'
        '"target":{"catalog":null,"dialect":"sqlite","environment":"production","system":"crm"}}'
    )
    assert (
        proposal_digest(action("SELECT 'ä'"), INTENT)
        == hashlib.sha256(canonical.encode()).hexdigest()
    )


def changed(action: Action, where: str, **changes: Any) -> Action:
    """The action with fields changed in itself, its proposal, its principal or its target."""
    if where == "action":
        return action.model_copy(update=changes)
    proposal = action.proposal
    if where != "proposal":
        inner = getattr(proposal, where).model_copy(update=changes)
        changes = {where: inner}
    return action.model_copy(update={"proposal": proposal.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        ("principal", {"session": "s-2"}),
        ("principal", {"session": None}),
        ("action", {"id": OTHER_ID}),
        ("action", {"nonce": "f" * 32}),
        ("action", {"reply_partition": 9}),
        ("action", {"valid_for_ms": 5}),
        ("action", {"capabilities": (Capability.MASK,)}),
        ("proposal", {"reason": "because"}),
        ("proposal", {"ticket": "T-1"}),
    ],
)
def test_a_retry_has_the_same_proposal_digest(
    action: Callable[..., Action], where: str, changes: dict[str, Any]
) -> None:
    assert proposal_digest(changed(action(), where, **changes), INTENT) == proposal_digest(
        action(), INTENT
    )


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        ("principal", {"id": "agent-2"}),
        ("principal", {"on_behalf_of": "alice"}),
        ("action", {"executor": "executor-2"}),
        ("target", {"system": "billing"}),
        ("target", {"environment": "staging"}),
        ("target", {"catalog": "main"}),
        ("target", {"dialect": "duckdb"}),
        ("proposal", {"payload": SqlPayload(statement="SELECT 1 ")}),
        ("proposal", {"payload": TextPayload(kind="http", text="SELECT 1")}),
    ],
)
def test_whatever_changes_what_is_asked_changes_the_proposal_digest(
    action: Callable[..., Action], where: str, changes: dict[str, Any]
) -> None:
    assert proposal_digest(changed(action(), where, **changes), INTENT) != proposal_digest(
        action(), INTENT
    )


def test_fields_cannot_be_shifted_between_each_other(action: Callable[..., Action]) -> None:
    def of(system: str, environment: str) -> str:
        proposal = Proposal(
            principal=Principal(id="a", kind=PrincipalKind.AGENT),
            target=Target(system=system, environment=environment),
            payload=SqlPayload(statement="SELECT 1"),
        )
        return proposal_digest(action(proposal=proposal), INTENT)

    assert of("ab", "c") != of("a", "bc")


statements = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.sampled_from(["a", "b", None])


@given(st.tuples(statements, names, names), st.tuples(statements, names, names), names, names)
def test_two_proposals_have_one_digest_only_where_they_ask_for_the_same(
    action: Callable[..., Action],
    one: tuple[str, str | None, str | None],
    other: tuple[str, str | None, str | None],
    session: str | None,
    reason: str | None,
) -> None:
    def of(asked: tuple[str, str | None, str | None], **more: Any) -> str:
        statement, catalog, behalf = asked
        sent = changed(action(statement), "target", catalog=catalog)
        sent = changed(sent, "principal", on_behalf_of=behalf, session=more.get("session"))
        return proposal_digest(changed(sent, "proposal", reason=more.get("reason")), INTENT)

    assert (of(one) == of(other, session=session, reason=reason)) == (one == other)
