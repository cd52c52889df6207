"""One of each record: each says what it is about, and its signer is the one that it names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enforcers.contract import samples
from enforcers.contract.record import Travelling
from enforcers.contract.wire import TYPES, decode, encode


def everything() -> Iterator[tuple[Travelling, str]]:
    """Records, and what stands in their header `ce_subject`."""
    action = samples.action(1, samples.payloads()[0])
    request, history, wish = (
        samples.approval_request(action),
        samples.history(),
        samples.grant_request(),
    )
    enrolment, grant, revoked, vote, control, publication = samples.controls(action)
    yield from (
        (action, str(action.id)),
        (samples.allow(action), str(action.id)),
        (samples.outcome(action), str(action.id)),
        (wish, str(wish.id)),
        (request, str(request.id)),
        (history, "agent-1"),
        (samples.finding(), "agent-1"),
        (enrolment, "agent-1"),
        (vote, str(request.id)),
        (publication, "policy"),
        (grant, revoked.subject),
        (control, control.model_dump(mode="json")["control"]),
    )


ALL = list(everything())


def test_there_is_one_of_each_type() -> None:
    assert {type(model) for model, _ in ALL} == set(TYPES)


@pytest.mark.parametrize(("model", "subject"), ALL, ids=lambda one: type(one).__name__)
def test_it_says_what_it_is_about_and_can_be_read_again(model: Travelling, subject: str) -> None:
    assert model.subject == subject
    assert decode(type(model), encode(model)) == model


def test_a_revocation_is_about_the_same_grant_and_a_record_of_its_own() -> None:
    action = samples.action(1, samples.payloads()[0])
    _, grant, revoked, *_ = samples.controls(action)
    assert isinstance(grant, samples.Grant)
    assert isinstance(revoked, samples.Grant)
    assert (grant.id, grant.issue.version) < (revoked.id, revoked.issue.version)
    assert (grant.status.value, revoked.status.value) == ("active", "revoked")
