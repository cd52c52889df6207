"""A permit: exactly what was judged, once, in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from enforcers.contract.action import (
    Action,
    Principal,
    PrincipalKind,
    Proposal,
    ShellPayload,
    SqlPayload,
    Target,
    ToolPayload,
)
from enforcers.contract.digest import sha256_hex
from enforcers.contract.verdict import Obligation, Rewrite, Verdict
from enforcers.errors import PermitError
from enforcers.permit import Permit, text_of


@pytest.fixture
def permit(action: Callable[..., Action], verdict: Callable[..., Verdict]) -> Callable[..., Permit]:
    """A permit whose action was sent at second 0 and is valid for one second; `at` is now."""

    def build(of: Action | None = None, at: float = 0.5, **changes: Any) -> Permit:
        sent = of or action()
        return Permit(sent, verdict(sent, **changes), deadline=1.0, clock=lambda: at)

    return build


def test_a_permit_gives_exactly_what_was_judged(permit: Callable[..., Permit]) -> None:
    """Law 4: it runs exactly what was judged."""
    one = permit()
    assert one.take() == SqlPayload(statement="SELECT 1")
    assert one.used
    assert one.executed_digest == sha256_hex(b"SELECT 1")


def test_a_permit_is_used_once(permit: Callable[..., Permit]) -> None:
    """Law 4: once."""
    one = permit()
    one.take()
    with pytest.raises(PermitError, match="used already"):
        one.take()


@pytest.mark.parametrize("at", [1.0, 1.5, 1e9])
def test_a_permit_runs_out(permit: Callable[..., Permit], at: float) -> None:
    """Law 1: a late verdict."""
    one = permit(at=at)
    with pytest.raises(PermitError, match="run out"):
        one.take()
    assert not one.used
    assert one.executed_digest is None


@pytest.mark.parametrize(("at", "in_time"), [(0.19, True), (0.2, False), (0.9, False)])
def test_a_permit_runs_out_when_the_judge_said_and_not_when_the_proposal_asked(
    permit: Callable[..., Permit], at: float, in_time: bool
) -> None:
    """Law 4: the verdict is signed over the time that it is valid for."""
    one = permit(at=at, valid_for_ms=200)
    if in_time:
        assert one.take()
    else:
        with pytest.raises(PermitError, match="run out"):
            one.take()


def test_a_rewrite_runs_instead_of_the_proposal(permit: Callable[..., Permit]) -> None:
    one = permit(rewrite=Rewrite(text="SELECT 2", digest=sha256_hex(b"SELECT 2")))
    assert one.take() == SqlPayload(statement="SELECT 2")
    assert one.executed_digest == sha256_hex(b"SELECT 2")


def test_a_rewrite_of_another_digest_is_refused(permit: Callable[..., Permit]) -> None:
    """Law 4: or exactly the rewrite whose digest is in the verdict."""
    one = permit(rewrite=Rewrite(text="DROP TABLE t", digest=sha256_hex(b"SELECT 2")))
    with pytest.raises(PermitError, match="does not match its digest"):
        one.take()
    with pytest.raises(PermitError, match="used already"):
        one.take()


def test_only_sql_has_rewrites(
    permit: Callable[..., Permit], action: Callable[..., Action]
) -> None:
    proposal = Proposal(
        principal=Principal(id="a", kind=PrincipalKind.AGENT),
        target=Target(system="host", environment="production"),
        payload=ShellPayload(argv=("ls",)),
    )
    one = permit(action(proposal=proposal), rewrite=Rewrite(text="rm", digest=sha256_hex(b"rm")))
    with pytest.raises(PermitError):
        one.take()


@pytest.mark.parametrize(
    ("reported", "kept"),
    [(0, 0), (7, 7), (None, None), (-1, None), (2**53 - 1, 2**53 - 1), (2**70, 2**53 - 1)],
)
def test_what_a_driver_cannot_count_is_not_reported_and_too_much_is_the_most_that_can_be_said(
    permit: Callable[..., Permit], reported: int | None, kept: int | None
) -> None:
    one = permit()
    one.report_rows(reported)
    one.report_bytes(reported)
    assert (one.rows, one.bytes) == (kept, kept)


def test_obligations_are_the_verdicts(permit: Callable[..., Permit]) -> None:
    must = Obligation(kind="limit_rows", value=5)
    assert permit(obligations=(must,)).obligations == (must,)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (SqlPayload(statement="SELECT 1"), "SELECT 1"),
        (ShellPayload(line="ls | wc"), "ls | wc"),
        (ShellPayload(line=""), ""),
        (
            ShellPayload(argv=("ls",)),
            '{"kind":"shell","argv":["ls"],"line":null,"program":null,"cwd":null,"workspace":null}',
        ),
        (ToolPayload(tool="t"), '{"kind":"tool","tool":"t","arguments":{}}'),
    ],
)
def test_the_digest_of_what_ran_is_over_this_text(payload: Any, text: str) -> None:
    assert text_of(payload) == text
