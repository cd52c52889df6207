"""
The ledger of one partition: the accounts of the principals whose actions lie there.

    past(action) ──▶ judge ──▶ count(judgement) ──▶ encoded(principal) ──▶ topic `history`

INVARIANT: pure. An action and an outcome count once, whatever is delivered again: offsets only rise.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from json.encoder import encode_basestring_ascii as quoted
from uuid import UUID

from enforcers.contract.action import Action
from enforcers.contract.base import MAX_BYTES, rfc3339
from enforcers.contract.grant import MAX_GRANT_DAYS, Grant
from enforcers.contract.history import History
from enforcers.contract.outcome import Outcome
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import decode
from enforcers.errors import OversizedError
from enforcers.history.account import Account
from enforcers.history.touched import NOTHING, touched
from enforcers.history.window import WINDOW_MINUTES, slice_of
from enforcers.judge import Judgement
from enforcers.past import NO_PAST, Past

NO_OFFENCE = frozenset({"quarantined", "stale", "expired"})
"""Denials that only time made, and those that follow from others: to count them would make a quarantine endless."""
UNCOUNTED = frozenset(
    {"canary", "not_enrolled", "wrong_kind", "wrong_executor", "principal_not_signed"}
)
"""What gates ask themselves, names that anybody can invent, and what others say in a principal's name."""
OUTCOMES = 4_096
"""Outcomes that are known again when somebody publishes them a second time."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who says when what was counted, under which id."""

    id: UUID
    judge: str
    at: datetime


class Ledger:
    """Counts for one partition, and answers what a principal did before."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._outcomes: OrderedDict[UUID, None] = OrderedDict()

    def past(self, action: Action, now: datetime, grants: Sequence[Grant] = ()) -> Past:
        """What counts against an action; `grants` are its principal's."""
        principal = action.proposal.principal
        account = self._accounts.get(principal.id)
        if account is None:
            return NO_PAST
        account.move(slice_of(now), now, grants)
        return account.past(principal.session)

    def forgive(self, principal: str, lifted: datetime) -> None:
        """An administrator has lifted a quarantine: what was denied before counts no more."""
        account = self._accounts.get(principal)
        if account is not None:
            account.forgive(lifted)

    def knows(self, action: Action, offset: int) -> bool:
        """Whether the action at this offset was counted already."""
        account = self._accounts.get(action.proposal.principal.id)
        return account is not None and offset < account.actions

    def count(
        self,
        judgement: Judgement,
        action: Action,
        offset: int,
        now: datetime,
        grants: Sequence[Grant] = (),
        presumed: Judgement | None = None,
    ) -> bool:
        """
        Count a judged action; False where it was counted before, or never counts.

        `presumed` is what a former owner of the partition may have allowed before it died: that counts as allowed.
        """
        codes = {_code(one.verdict) for one in (judgement, presumed) if one is not None}
        if codes & UNCOUNTED or self.knows(action, offset):
            return False
        account = self._account(action.proposal.principal.id)
        account.move(slice_of(now), now, grants)
        account.actions = offset + 1
        verdict = judgement.verdict
        denied = verdict.decision is Decision.DENY and _code(verdict) not in NO_OFFENCE
        done = judgement if verdict.decision is Decision.ALLOW else presumed
        seen = touched(done.intent, done.masked) if done and done.intent else NOTHING
        asked = judgement.request is not None
        account.count(action.proposal.principal.session, seen, denied=denied, asked=asked)
        if judgement.request is not None:
            account.ask(judgement.request)
        if done is not None:
            _spend(account, done.verdict, now, grants)
        return True

    def count_outcome(self, outcome: Outcome, offset: int, now: datetime) -> bool:
        """Count what an executor reported; False where that changes nothing."""
        if not (outcome.rows or outcome.bytes):
            return False
        if outcome.finished_at < now - timedelta(minutes=WINDOW_MINUTES):
            return False
        account = self._account(outcome.principal)
        # Nobody says here which grants were prolonged, so no use is forgotten.
        account.slide(slice_of(now))
        known = outcome.id in self._outcomes
        # Also what a former owner counted: a copy of it would have a new offset.
        self._outcomes[outcome.id] = None
        if len(self._outcomes) > OUTCOMES:
            self._outcomes.popitem(last=False)
        if known or offset < account.outcomes:
            return False
        account.outcomes = offset + 1
        account.count_returned(outcome.session, outcome.rows or 0, outcome.bytes or 0)
        return True

    def encoded(self, principal: str, stamp: Stamp) -> bytes:
        """The principal's history as it is stored. Raises OversizedError."""
        account = self._accounts[principal]
        value = account.text(
            f'{{"id":"{stamp.id}","principal":{quoted(principal)},"judge":{quoted(stamp.judge)},'
            f'"at":"{rfc3339(stamp.at)}","actions":{account.actions},"outcomes":{account.outcomes},'
        )
        if len(value) > MAX_BYTES:
            raise OversizedError(
                f"history of `{principal}` takes {len(value)} bytes; let some of its grants end"
            )
        return value

    def snapshot(self, principal: str, stamp: Stamp) -> History:
        """The principal's history as it would be read back. Raises OversizedError."""
        return decode(History, self.encoded(principal, stamp))

    def restore(self, stored: History) -> bool:
        """Take a stored history over; False where what is known counted further."""
        known = self._accounts.get(stored.principal)
        far = (stored.actions, stored.outcomes)
        if known is not None and self.claim(stored.principal) >= far:
            return False
        account = self._accounts[stored.principal] = Account(stored.principal)
        account.restore(stored)
        return True

    def claim(self, principal: str) -> tuple[int, int]:
        """How far a principal's actions and outcomes are counted."""
        account = self._accounts[principal]
        return account.actions, account.outcomes

    @property
    def principals(self) -> frozenset[str]:
        """Everybody who has an account."""
        return frozenset(self._accounts)

    def _account(self, principal: str) -> Account:
        found = self._accounts.get(principal)
        if found is None:
            found = self._accounts[principal] = Account(principal)
        return found


def _spend(account: Account, verdict: Verdict, now: datetime, grants: Sequence[Grant]) -> None:
    """Count the uses of what a verdict needed."""
    if verdict.grants:
        ends = {one.grant: one.expires_at for one in grants}
        for grant in verdict.grants:
            # One that is not known here is kept as long as any can live.
            account.use(grant, ends.get(grant, now + timedelta(days=MAX_GRANT_DAYS)))
    if verdict.approval is not None:
        account.use_up(verdict.approval)


def _code(verdict: Verdict) -> str:
    return verdict.reasons[0].code if verdict.reasons else ""
