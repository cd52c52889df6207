"""Commands and functions carry out nothing besides themselves: what a verdict asks for more withholds the permit."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from console.guard import Guard
from console.settings import Settings
from enforcers.contract.action import Action
from enforcers.contract.verdict import Assumption, Obligation, Verdict
from enforcers.ending import ending_of
from enforcers.errors import PermitError
from enforcers.executors.command import CommandExecutor
from enforcers.permit import Permit

ASKED: list[dict[str, Any]] = [
    {"obligations": (Obligation(kind="transaction"),)},
    {"assumed": (Assumption(name="search_path", value="public"),)},
]


def permit_of(
    executor: CommandExecutor, path: Path, action: Any, verdict: Any, **more: Any
) -> Permit:
    text = f"open({str(path)!r}, 'w')"
    sent: Action = action("SELECT 1")
    given: Verdict = verdict(sent, **more)
    payload = executor.payload([sys.executable, "-c", text])
    proposal = sent.proposal.model_copy(update={"payload": payload})
    sent = sent.model_copy(update={"proposal": proposal})
    return Permit(sent, given, deadline=1.0, clock=lambda: 0.5)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_a_command_that_must_do_more_is_not_run(
    tmp_path: Path, action: Any, verdict: Any, asked: dict[str, Any]
) -> None:
    executor = CommandExecutor(tmp_path)
    one = permit_of(executor, tmp_path / "ran", action, verdict, **asked)
    with pytest.raises(PermitError, match="sluicegate sql"):
        executor.run(one)
    assert not (tmp_path / "ran").exists()
    assert ending_of(one, 0, None).status == "blocked"


def test_a_command_of_which_nothing_is_asked_runs(
    tmp_path: Path, action: Any, verdict: Any
) -> None:
    executor = CommandExecutor(tmp_path)
    one = permit_of(executor, tmp_path / "ran", action, verdict)
    assert executor.run(one) == 0
    assert (tmp_path / "ran").exists()
    # What it writes goes past us: nobody counts it, and nobody says that it was nothing.
    assert (ending_of(one, 0, None).rows, ending_of(one, 0, None).bytes) == (None, None)


@pytest.mark.parametrize("asked", [{}, *ASKED], ids=str)
def test_a_function_runs_only_where_nothing_more_is_asked(
    action: Any, verdict: Any, asked: dict[str, Any]
) -> None:
    sent = action("SELECT 1")
    permit = Permit(sent, verdict(sent, **asked), deadline=1.0, clock=lambda: 0.5)
    gate, ran = MagicMock(), MagicMock(__qualname__="refund", return_value=7)
    gate.admitted.return_value.__enter__.return_value = permit
    gate.admitted.return_value.__exit__.return_value = False

    def refund() -> object:
        return ran()

    guarded = Guard(Settings(), gate).function("production")(refund)
    with pytest.raises(PermitError) if asked else contextlib.nullcontext():
        assert guarded() == 7
    assert (ran.called, permit.withheld) == (not asked, bool(asked))
