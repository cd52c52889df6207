"""A permit: the right to run one judged payload, once, until the verdict's time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from enforcers.contract.action import Action, Payload, ShellPayload, SqlPayload
from enforcers.contract.base import MAX_SAFE_INTEGER
from enforcers.contract.digest import sha256_hex
from enforcers.contract.verdict import Obligation, Verdict
from enforcers.errors import PermitError


class Permit:
    """
    Held inside `async with gate.admitted(proposal)`.

    `take()` gives the payload that may run: exactly what was judged, or exactly the verdict's rewrite.
    """

    def __init__(
        self,
        action: Action,
        verdict: Verdict,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._action = action
        # `deadline` is when the proposal's time is over; the judge may have given less.
        self._deadline = deadline - max(0, action.valid_for_ms - verdict.valid_for_ms) / 1_000
        self._clock = clock
        # A thread may take the permit while the body that it works for is given up.
        self._lock = threading.Lock()
        self.verdict = verdict
        self.used = False
        self.over = False
        """The body that it was given to has ended."""
        self.executed_digest: str | None = None
        self.rows: int | None = None
        self.bytes: int | None = None
        self.rolled_back = False
        self.withheld = False
        self.in_doubt = False
        self.kept = False
        self.acting = False
        """An executor's transaction is open: if it is left alone now, nobody knows how that ends."""
        self.failure: str | None = None

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What the executor must do when it acts."""
        return self.verdict.obligations

    def take(self) -> Payload:
        """The payload to run. Raises PermitError on the second call and after the verdict's time."""
        with self._lock:
            if self.used:
                raise PermitError("permit was used already; propose the action again")
            self.check_time()
            self.used = True
        payload = self._payload()
        self.executed_digest = sha256_hex(text_of(payload).encode())
        return payload

    def check_time(self) -> None:
        """Raise PermitError once the verdict's time or the body is over, for executors that prepare before they act."""
        if self.over:
            raise PermitError("permit ended with its block; propose the action again")
        if self._clock() >= self._deadline:
            raise PermitError("permit has run out; propose the action again")

    def end(self) -> None:
        """The body is over and its outcome is told: a thread that still holds the permit cannot act on it."""
        with self._lock:
            self.over = True

    def withhold(self) -> None:
        """The executor will not run the payload: nothing of it took effect, and nothing will."""
        self.used = self.withheld = True
        self.executed_digest = None

    def report_doubt(self) -> None:
        """The target did not say whether it kept what ran, for the outcome."""
        self.in_doubt = True

    def report_kept(self, rows: int | None) -> None:
        """The target has kept what ran, for the outcome: nothing that fails from now on undoes it."""
        self.kept, self.in_doubt = True, False
        self.report_rows(rows)

    def report_rows(self, rows: int | None) -> None:
        """How many rows were returned or changed, for the outcome."""
        self.rows = _counted(rows)

    def report_bytes(self, size: int | None) -> None:
        """How many bytes come back to who proposed it, for the outcome: nothing does of what is undone."""
        self.bytes = _counted(size)

    def report_failure(self, why: str) -> None:
        """The payload ran and failed without an error being raised, for the outcome."""
        self.failure = why

    def _payload(self) -> Payload:
        payload, rewrite = self._action.proposal.payload, self.verdict.rewrite
        if rewrite is None:
            return payload
        if (
            not isinstance(payload, SqlPayload)
            or sha256_hex(rewrite.text.encode()) != rewrite.digest
        ):
            raise PermitError("rewrite does not match its digest; propose the action again")
        return SqlPayload(statement=rewrite.text)


def _counted(amount: int | None) -> int | None:
    """As an outcome can say it: one that cannot be sent would count for nothing."""
    return None if amount is None or amount < 0 else min(amount, MAX_SAFE_INTEGER)


def text_of(payload: Payload) -> str:
    """What a payload runs, as the text that the outcome's digest covers."""
    if isinstance(payload, SqlPayload):
        return payload.statement
    if isinstance(payload, ShellPayload) and payload.line is not None:
        return payload.line
    return payload.model_dump_json()
