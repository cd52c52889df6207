"""A judge without Kafka, for tests of code that is guarded by a gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from nacl.signing import SigningKey

from enforcers.admission import Admission, Received
from enforcers.approving import CountedVote
from enforcers.asking import Hearsay
from enforcers.channel import Lost, Receive
from enforcers.contract.action import Action, Capability
from enforcers.contract.approval import ApprovalRequest
from enforcers.contract.base import utc_now
from enforcers.contract.digest import action_digest
from enforcers.contract.history import Asked
from enforcers.contract.outcome import Outcome
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, Trust, TrustedKey, TrustFile, build_trust
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import decode, encode
from enforcers.gate import Executor
from enforcers.judge import Judgement, judge, refuse
from enforcers.past import Past
from enforcers.world import World


class Keys:
    """Fresh keys of one judge and one executor, and the trust file that names them."""

    def __init__(
        self,
        judge_id: str = "judge-1",
        executor_id: str = "executor-1",
        capabilities: tuple[Capability, ...] = (),
        zone: str = "",
    ) -> None:
        self.judge = Signer(SigningKey.generate(), zone)
        self.judge_id = judge_id
        self.executor_id = executor_id
        self.executor_signer = Signer(SigningKey.generate(), zone)
        self._capabilities = capabilities

    @property
    def trust(self) -> Trust:
        """Both keys, in their roles."""
        return build_trust(
            TrustFile(
                keys=(
                    trusted(self.judge_id, Role.JUDGE, self.judge),
                    trusted(
                        self.executor_id, Role.EXECUTOR, self.executor_signer, self._capabilities
                    ),
                )
            ),
            self.judge.zone,
        )

    @property
    def executor(self) -> Executor:
        """What a gate needs."""
        return Executor(self.executor_id, self.executor_signer, self.trust, self._capabilities)


def trusted(
    identity: str, role: Role, signer: Signer, capabilities: tuple[Capability, ...] = ()
) -> TrustedKey:
    """The trust file's entry for a signer."""
    public_key = bytes(signer.key.verify_key).hex()
    return TrustedKey(id=identity, role=role, public_key=public_key, capabilities=capabilities)


class InProcessChannel:
    """
    Implements `VerdictChannel` with a judge in the same process: same admission, same judge, same signatures.

    `outcomes` holds what gates reported, `requests` what people were asked. `tamper` may change, drop or multiply
    the records on their way back; `world` and `clock` may be changed. The judge remembers approvals, and nothing
    else of what was before.
    """

    reply_partition = 0

    def __init__(
        self,
        world: World,
        keys: Keys,
        tamper: Callable[[SignedRecord], Sequence[SignedRecord]] = lambda record: [record],
    ) -> None:
        self.world = world
        self.clock: Callable[[], datetime] = utc_now
        self._keys = keys
        self._admission = Admission(keys.trust, lambda _: 0)
        self._tamper = tamper
        self._offset = 0
        self._receive: Receive = lambda _: None
        self._asked: dict[str, dict[str, Asked]] = {}
        self._hearsay = Hearsay()
        self.outcomes: list[Outcome] = []
        self.requests: list[ApprovalRequest] = []

    async def open(self, receive: Receive, lost: Lost) -> None:
        """Deliver verdicts to `receive` from now on."""
        self._receive = receive

    async def propose(self, key: bytes, records: Sequence[SignedRecord]) -> None:
        """Judge each record and answer in the next turn of the loop."""
        for record in records:
            answer = self._answer(key, record)
            for one in self._tamper(answer):
                asyncio.get_running_loop().call_soon(self._receive, one)

    async def report(self, key: bytes, record: SignedRecord) -> None:
        """Keep the outcome."""
        self.outcomes.append(decode(Outcome, record.value))

    async def listen(self) -> None:
        """Votes are always heard."""

    async def voted(self, request: UUID, timeout_s: float) -> bool:
        """Whether somebody said something of this request within the time."""
        return await self._hearsay.about(request, timeout_s)

    def cast(self, *votes: CountedVote) -> None:
        """Let the judge count these votes, and the gate hear of them."""
        self.count(*votes)
        for one in votes:
            self.rumour(one.vote.request)

    def count(self, *votes: CountedVote) -> None:
        """Let the judge count these votes, of which nobody hears."""
        known = dict(self.world.votes)
        for one in votes:
            known[one.vote.request] = (*known.get(one.vote.request, ()), one)
        self.world = replace(self.world, votes=known)

    def rumour(self, request: UUID) -> None:
        """Let the gate hear of a vote that there need not be."""
        self._hearsay.tell(str(request))

    async def close(self) -> None:
        """Deliver nothing any more."""
        self._receive = lambda _: None
        self._hearsay.end()

    def _answer(self, key: bytes, record: SignedRecord) -> SignedRecord:
        now = utc_now()
        now_ms = int(now.timestamp() * 1000)
        received = Received(record.value, record.headers, key, 0, self._offset, now_ms)
        self._offset += 1
        digest = action_digest(record.value)
        admitted = self._admission.check(received, now_ms)
        if isinstance(admitted, Action):
            verdict = self._judged(admitted, digest)
        else:
            verdict = refuse(
                admitted, admitted.action or decode(Action, record.value), digest, self.world, now
            )
        (answer,) = seal([Draft(verdict, encode(verdict))], self._keys.judge, self._keys.judge_id)
        return answer

    def _judged(self, action: Action, digest: str) -> Verdict:
        asked = self._asked.setdefault(action.proposal.principal.id, {})
        past = Past(asked=dict(asked))
        judgement = judge(action, digest, self.world, self.clock(), past)
        self._remember(asked, judgement)
        return judgement.verdict

    def _remember(self, asked: dict[str, Asked], judgement: Judgement) -> None:
        request, used = judgement.request, judgement.verdict.approval
        if request is not None:
            self.requests.append(request)
            asked[request.proposal_digest] = Asked(
                request=request.id,
                proposal_digest=request.proposal_digest,
                policy=request.policy,
                expires_at=request.expires_at,
            )
        for digest, known in asked.items():
            if known.request == used:
                asked[digest] = known.model_copy(update={"used": True})
