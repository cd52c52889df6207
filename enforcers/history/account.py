"""
The account of one principal: its windows, the uses of its grants, and what it asked people for.

INVARIANT: what is left out to keep the account small makes it stricter. Sessions that find no place share one
window; a request that is forgotten has to be asked again; a use is never forgotten before its grant has ended for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from enforcers.contract.approval import ApprovalRequest
from enforcers.contract.base import Record, rfc3339
from enforcers.contract.grant import Grant
from enforcers.contract.history import OTHERS, WHOLE, Asked, History, Use
from enforcers.history.touched import Touched
from enforcers.history.window import SlidingWindow, slice_of
from enforcers.past import Past
from enforcers.policy.engine import NOTHING_YET, WindowFacts

SESSIONS = 64
"""Sessions with a window of their own."""
MARKS = 512
SESSION_MARKS = 64
"""Different tables, and as many different resources, that a window tells apart."""
ASKED = 64
"""Requests for approval that are remembered."""
LATE = timedelta(days=1)
"""How much later a judge may read that a grant was prolonged before its end."""
SESSIONS_BYTES = 96 * 1024
"""Sessions whose windows take more together share one."""


class Account:
    """What one principal has done. Changed by its ledger only."""

    def __init__(self, principal: str) -> None:
        self.principal = principal
        self.actions = 0
        """Offset after the last action that is counted."""
        self.outcomes = 0
        self.forgiven: datetime | None = None
        """The last lifting of a quarantine that was looked at."""
        self.start = 0
        """The slice that is counted in now."""
        self._kept_in = 0
        """The slice in which uses and requests were looked through last."""
        self._whole = SlidingWindow(WHOLE, MARKS)
        self._others = SlidingWindow(OTHERS, SESSION_MARKS)
        self._sessions: dict[str, SlidingWindow] = {}
        self._uses: dict[UUID, Use] = {}
        self._asked: dict[str, Asked] = {}
        self._counts: dict[UUID, int] = {}
        """Uses as a judge looks at them; replaced, never changed."""
        self._uses_text = self._asked_text = ""
        """Their JSON; empty where it has to be made anew."""

    def move(self, start: int, now: datetime, grants: Sequence[Grant]) -> None:
        """Forget what no longer counts; `grants` are its principal's, some of them prolonged."""
        self.slide(start)
        if start > self._kept_in:
            self._kept_in = start
            self._forget(now, grants)

    def slide(self, start: int) -> None:
        """Forget what was done too long ago."""
        if start <= self.start:
            return
        self.start = start
        for window in self._windows():
            window.slide(start)
        self._sessions = {name: one for name, one in self._sessions.items() if not one.empty}

    def forgive(self, lifted: datetime) -> None:
        """Count no denial any more from before a quarantine was lifted; once for each lifting."""
        if self.forgiven is not None and lifted <= self.forgiven:
            return
        self.forgiven = lifted
        for window in self._windows():
            window.forgive(slice_of(lifted))

    def past(self, session: str | None) -> Past:
        """What counts against an action in this session."""
        return Past(self._whole.facts(), self._session_facts(session), self._counts, self._asked)

    def count(self, session: str | None, seen: Touched, *, denied: bool, asked: bool) -> None:
        """Count one action."""
        for window in self._counting(session):
            window.count(self.start, seen, denied=denied, asked=asked)

    def count_returned(self, session: str | None, rows: int, size: int) -> None:
        """Count rows and bytes that an executor reported."""
        for window in self._counting(session):
            window.count_returned(self.start, rows, size)

    def use(self, grant: UUID, expires_at: datetime) -> None:
        """Count one use of a grant."""
        known = self._uses.get(grant)
        count = known.count + 1 if known else 1
        self._uses[grant] = Use.model_construct(grant=grant, count=count, expires_at=expires_at)
        self._counts = {**self._counts, grant: count}
        self._uses_text = ""

    def ask(self, request: ApprovalRequest) -> None:
        """Remember a request for approval; the newest for a proposal counts."""
        asked = Asked.model_construct(
            request=request.id,
            proposal_digest=request.proposal_digest,
            policy=request.policy,
            expires_at=request.expires_at,
            used=False,
        )
        others = [
            one for one in self._asked.values() if one.proposal_digest != asked.proposal_digest
        ]
        self._remember_asked([*others[-ASKED + 1 :], asked])

    def use_up(self, request: UUID) -> None:
        """The approval that was asked for with this request is used."""
        self._remember_asked(
            one.model_copy(update={"used": True}) if one.request == request else one
            for one in self._asked.values()
        )

    def text(self, head: str) -> bytes:
        """Its JSON after `head`, which ends within the object. Sessions that take too much are put together."""
        texts = [one.text() for one in self._sessions.values()]
        if sum(map(len, texts)) > SESSIONS_BYTES:
            self._put_together()
            texts = []
        shared = [] if self._others.empty else [self._others.text()]
        windows = ",".join((self._whole.text(), *shared, *texts))
        forgiven = f'"{rfc3339(self.forgiven)}"' if self.forgiven else "null"
        self._uses_text = self._uses_text or _text(self._uses.values())
        self._asked_text = self._asked_text or _text(self._asked.values())
        lists = f'"uses":{self._uses_text},"asked":{self._asked_text}'
        return f'{head}"windows":[{windows}],"forgiven":{forgiven},{lists}}}'.encode()

    def restore(self, stored: History) -> None:
        """Become what a stored history says."""
        self.actions, self.outcomes = stored.actions, stored.outcomes
        for one in stored.windows:
            self._restored(one.session).restore(one)
        self.start = self._kept_in = max((one.newest for one in self._windows()), default=0)
        self.forgiven = stored.forgiven
        self._remember_uses(stored.uses)
        self._remember_asked(stored.asked)

    def _windows(self) -> Iterator[SlidingWindow]:
        yield self._whole
        yield self._others
        yield from self._sessions.values()

    def _session_facts(self, session: str | None) -> WindowFacts:
        """Those of its window. Who names no session is held against all that was done."""
        if session is None:
            return self._whole.facts()
        own = self._sessions.get(session)
        if own is not None:
            return own.facts()
        return self._others.facts() if self._is_shared() else NOTHING_YET

    def _counting(self, session: str | None) -> tuple[SlidingWindow, ...]:
        return (self._whole,) if session is None else (self._whole, self._window_of(session))

    def _window_of(self, session: str) -> SlidingWindow:
        own = self._sessions.get(session)
        if own is not None:
            return own
        if self._is_shared():
            return self._others
        made = self._sessions[session] = SlidingWindow(session, SESSION_MARKS)
        return made

    def _is_shared(self) -> bool:
        """Whether a session without a window shares one. It must not get one of its own while that counts."""
        return not self._others.empty or len(self._sessions) >= SESSIONS

    def _restored(self, session: str) -> SlidingWindow:
        if session == WHOLE:
            return self._whole
        if session == OTHERS:
            return self._others
        return self._sessions.setdefault(session, SlidingWindow(session, SESSION_MARKS))

    def _put_together(self) -> None:
        for one in self._sessions.values():
            self._others.absorb(one)
        self._sessions = {}

    def _forget(self, now: datetime, grants: Sequence[Grant]) -> None:
        ends = {one.grant: one.expires_at for one in grants}
        kept = (
            use.model_copy(
                update={"expires_at": max(use.expires_at, ends.get(grant, use.expires_at))}
            )
            for grant, use in self._uses.items()
        )
        self._remember_uses(one for one in kept if one.expires_at + LATE > now)
        self._remember_asked(one for one in self._asked.values() if one.expires_at > now)

    def _remember_uses(self, uses: Iterable[Use]) -> None:
        self._uses = {one.grant: one for one in uses}
        self._counts = {grant: one.count for grant, one in self._uses.items()}
        self._uses_text = ""

    def _remember_asked(self, asked: Iterable[Asked]) -> None:
        self._asked = {one.proposal_digest: one for one in asked}
        self._asked_text = ""


def _text(records: Iterable[Record]) -> str:
    return f"[{','.join([one.model_dump_json() for one in records])}]"
