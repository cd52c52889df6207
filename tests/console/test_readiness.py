"""`sluicegate up` says when a judge answers, and what is in the way when none does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from console.processes import Child
from console.readiness import tell_when_ready
from console.settings import Settings
from console.stack import Stack
from enforcers.errors import NoVerdictError, SluicegateError, TrustError

JUDGE = Child("judge", [], Path("/logs/judge.log"))
ENDINGS = [
    pytest.param(None, False, "ready\n", "", id="ready"),
    pytest.param(NoVerdictError("silence"), False, "", "not ready: no judge answered within 60 s; see /logs/judge.log\n", id="silence"),
    pytest.param(TrustError("no key; make one"), False, "", "not ready: no key; make one\n", id="no-key"),
    pytest.param(NoVerdictError("silence"), True, "", "", id="silence-because-it-ends"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "ending", "printed", "warned"), ENDINGS)
def test_it_says_what_happened(
    error: SluicegateError | None,
    ending: bool,
    printed: str,
    warned: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextlib.contextmanager
    def open_gate(settings: Settings, patience_s: float) -> Iterator[None]:
        if error is not None:
            raise error
        yield

    monkeypatch.setattr("console.proposing.open_gate", open_gate)
    stop = threading.Event()
    if ending:
        stop.set()
    stack = Stack("kafka:9092", JUDGE, JUDGE, cast(None, None))
    tell_when_ready(Settings(), stack, stop)
    for thread in threading.enumerate():
        if thread.name == "readiness":
            thread.join()
    assert capsys.readouterr() == (printed, warned)
