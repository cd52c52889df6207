"""An archive of signed records in this test's home, for the `audit` commands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from analytics.archive import Archive, RawRecord
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from console.administering import load_voice
from console.identity import init_home, key_path, load_executor, load_judge
from console.settings import Settings
from enforcers.contract.action import Action, Principal, PrincipalKind, Proposal, SqlPayload, Target
from enforcers.contract.approval import ApprovalRequest, Choice, Vote
from enforcers.contract.base import Record, utc_now, uuid7
from enforcers.contract.digest import action_digest, sha256_hex
from enforcers.contract.issue import Issue
from enforcers.contract.keys import load_key
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.contract.record import Draft, seal
from enforcers.contract.trust import Role
from enforcers.contract.verdict import Decision, EffectSummary, Reason, Verdict
from enforcers.contract.wire import encode

POLICY = "cd" * 32
PROPOSAL = "ab" * 32
ADMINISTRATOR = "administrator-1"


class Scene:
    """Records in the order in which they were stored, a second apart; the last is stored now."""

    def __init__(self) -> None:
        self.settings = Settings.load()
        init_home(self.settings)
        self.signers = {
            "executor-1": load_executor(self.settings).signer,
            "judge-1": load_judge(self.settings)[0],
            ADMINISTRATOR: load_voice(self.settings)[0],
        }
        self.raw: list[tuple[str, bytes, Any, bytes]] = []

    def put(self, topic: str, model: Record, by: str, key: str = "", signer: str = "") -> None:
        """Store what `by` says; somebody else may sign it."""
        draft: Any = Draft(model, encode(model))  # type: ignore[arg-type]
        (sealed,) = seal([draft], self.signers[signer or by], by)
        self.raw.append((topic, key.encode(), sealed.headers, sealed.value))

    def action(self, statement: str = "DELETE FROM users WHERE id = 1", **more: Any) -> Action:
        """A proposal of the local agent; `principal` and `target` change theirs, all else the proposal."""
        who = {"id": "agent:local", "kind": PrincipalKind.AGENT, "session": "s-1"}
        where = {"system": "postgres", "environment": "production"}
        principal = Principal(**(who | more.pop("principal", {})))
        target = Target(**(where | more.pop("target", {})))
        payload = more.pop("payload", None) or SqlPayload(statement=statement)
        asked = Action(
            id=uuid7(),
            proposal=Proposal(principal=principal, target=target, payload=payload, **more),
            executor="executor-1",
            reply_partition=0,
            issued_at=utc_now(),
            nonce="0" * 32,
        )
        self.put("actions", asked, "executor-1", principal.id)
        return asked

    def verdict(
        self, on: Action, decision: Decision = Decision.ALLOW, signer: str = "", **more: Any
    ) -> Verdict:
        """A judge's answer; by default the deletion of some rows of `public.users` is allowed."""
        fields: dict[str, Any] = {
            "id": uuid7(),
            "action_id": on.id,
            "action_digest": action_digest(encode(on)),
            "executor": on.executor,
            "decision": decision,
            "reasons": (Reason(code="said", rule="a-rule", message="because", remedy="nothing"),),
            "intent": (touching("delete", "users", namespace="public"),),
            "policy": POLICY,
            "judge": "judge-1",
            "issued_at": utc_now(),
            "valid_for_ms": 1_000,
            **more,
        }
        said = Verdict(**fields)
        self.put("verdicts", said, "judge-1", on.executor, signer)
        return said

    def outcome(self, on: Action, signer: str = "", **more: Any) -> None:
        """What the executor says became of it: it ran as it was proposed."""
        payload: Any = on.proposal.payload
        fields: dict[str, Any] = {
            "id": uuid7(),
            "action_id": on.id,
            "action_digest": action_digest(encode(on)),
            "executor": on.executor,
            "principal": on.proposal.principal.id,
            "status": Status.SUCCEEDED,
            "rows": 1,
            "executed_digest": sha256_hex(payload.statement.encode()),
            "finished_at": utc_now(),
            **more,
        }
        self.put("outcomes", Outcome(**fields), "executor-1", on.proposal.principal.id, signer)

    def done(self, statement: str = "DELETE FROM users WHERE id = 1", **more: Any) -> Action:
        """Proposed, allowed, executed."""
        asked = self.action(statement, **more)
        self.verdict(asked)
        self.outcome(asked)
        return asked

    def request(self, on: Action, name: UUID, **more: Any) -> None:
        """What a judge asks people about it."""
        fields: dict[str, Any] = {
            "id": name,
            "judge": "judge-1",
            "action_id": on.id,
            "action_digest": action_digest(encode(on)),
            "proposal_digest": PROPOSAL,
            "policy": POLICY,
            "principal": on.proposal.principal,
            "executor": on.executor,
            "target": on.proposal.target,
            "payload": on.proposal.payload,
            "asks": (),
            "at": utc_now(),
            "expires_at": utc_now() + timedelta(hours=1),
            **more,
        }
        self.put("requests", ApprovalRequest(**fields), "judge-1", on.proposal.principal.id)

    def vote(self, name: UUID, signer: str = "", version: int = 1, **more: Any) -> None:
        """The administrator's word on a request."""
        fields: dict[str, Any] = {
            "id": uuid7(),
            "issue": issue(version, more.pop("reason", "looks right")),
            "request": name,
            "proposal_digest": PROPOSAL,
            "policy": POLICY,
            "requester": "agent:local",
            "choice": Choice.APPROVE,
            "expires_at": utc_now() + timedelta(hours=1),
            **more,
        }
        self.put("approvals", Vote(**fields), ADMINISTRATOR, str(name), signer)

    def publish(self, version: int = 1, digest: str = POLICY, reason: str = "first one") -> None:
        """A policy that an administrator hands out; it does not load."""
        files = (PolicyFile(name="policy.yaml", text="none"),)
        said = Publication(
            id=uuid7(), issue=issue(version, reason), bundle="shop", digest=digest, files=files
        )
        self.put("policies", said, ADMINISTRATOR, "policy")

    def store(self, now: datetime | None = None, *, signed: bool = False) -> None:
        """Write the archive; nothing can be added afterwards."""
        key = load_key(key_path(self.settings, Role.ARCHIVER)).key
        signing = NoteSigner(origin_of_archive("c"), key) if signed else None
        last = int((now or utc_now()).timestamp() * 1_000)
        batch, ends = [], dict[tuple[str, int], int]()
        for number, (topic, key, headers, value) in enumerate(self.raw):
            offset = ends.get((topic, 0), 0)
            ends[topic, 0] = offset + 1
            at = last - 1_000 * (len(self.raw) - 1 - number)
            batch.append(RawRecord(topic, 0, offset, at, 1, key, headers, value))
        with Archive.open(self.settings.archive, cluster_id="c", signing=signing) as archive:
            archive.append(batch, dict.fromkeys(ends, 0))


def touching(verb: str, name: str, **more: str) -> EffectSummary:
    fields = {"type": "table", "extent": "filtered", "namespace": "", **more}
    return EffectSummary(verb=verb, name=name, **fields)


def issue(version: int = 1, reason: str = "", by: str = ADMINISTRATOR) -> Issue:
    return Issue(version=version, by=by, at=utc_now(), reason=reason)
