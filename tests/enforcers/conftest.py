"""One executor, one judge, and records that they signed, with keys that are the same in every run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from nacl.signing import SigningKey

from enforcers.contract.action import (
    Action,
    Capability,
    Principal,
    PrincipalKind,
    Proposal,
    SqlPayload,
    Target,
)
from enforcers.contract.digest import action_digest
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, Trust, TrustedKey, TrustFile, build_trust
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import encode
from enforcers.gate import Gate
from enforcers.policy.engine import Decision as Ruling
from enforcers.policy.engine import Facts
from enforcers.testing import Keys
from enforcers.world import World
from tests.enforcers.wire import Wire, opened

CASES = Path(__file__).parents[1] / "cases"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
ZONE = "pay"


class Cast:
    """Everybody who may sign, and somebody who may not."""

    executor = Signer(SigningKey(bytes([1]) * 32), ZONE)
    judge = Signer(SigningKey(bytes([2]) * 32), ZONE)
    other_executor = Signer(SigningKey(bytes([3]) * 32), ZONE)
    stranger = Signer(SigningKey(bytes([9]) * 32), ZONE)

    @property
    def trust(self) -> Trust:
        """The three trusted keys; only the executor may mask."""
        return build_trust(TrustFile(keys=(
            entry("executor-1", Role.EXECUTOR, self.executor, capabilities=(Capability.MASK,)),
            entry("judge-1", Role.JUDGE, self.judge),
            entry("executor-2", Role.EXECUTOR, self.other_executor),
        )), ZONE)  # fmt: skip

    def sign(self, model: Travelling, signer: Signer, source: str) -> SignedRecord:
        """A record of its own, signed by whoever."""
        (record,) = seal([Draft(model, encode(model))], signer, source)
        return record


def entry(identity: str, role: Role, signer: Signer, **more: Any) -> TrustedKey:
    """One key as it stands in the trust file."""
    public_key = bytes(signer.key.verify_key).hex()
    return TrustedKey(id=identity, role=role, public_key=public_key, **more)


def with_header(record: SignedRecord, name: str, value: bytes | None) -> SignedRecord:
    """The record with one header changed, or left out."""
    kept = [(key, value if key == name else old) for key, old in record.headers]
    return replace(record, headers=tuple((key, one) for key, one in kept if one is not None))


@dataclass
class StubPolicy:
    """Answers by the first word of the statement; keeps what it was asked."""

    answers: dict[str, Ruling] = field(default_factory=dict)
    asked: list[Facts] = field(default_factory=list)
    hash: str = "ab" * 32

    def decide(self, facts: Facts) -> Ruling:
        """The ruling of the statement's kind; an exception where it is one."""
        self.asked.append(facts)
        kind = facts.intent.sql.statement if facts.intent.sql else facts.intent.kind
        return self.answers.get(kind, Ruling(Decision.DENY, self.hash))


@pytest.fixture(scope="session")
def now() -> datetime:
    """The moment at which everything was signed."""
    return NOW


@pytest.fixture(scope="session")
def cast() -> Cast:
    """Everybody who may sign, and somebody who may not."""
    return Cast()


@pytest.fixture(scope="session")
def trust_entry() -> Callable[..., TrustedKey]:
    """One key as it stands in the trust file."""
    return entry


@pytest.fixture(scope="session")
def with_changed_header() -> Callable[[SignedRecord, str, bytes | None], SignedRecord]:
    """The record with one header changed, or left out."""
    return with_header


@pytest.fixture(scope="session")
def proposal() -> Callable[..., Proposal]:
    """A statement that an agent proposes."""

    def build(statement: str = "SELECT 1", session: str | None = "s-1", **more: Any) -> Proposal:
        return Proposal(
            principal=Principal(id="agent-1", kind=PrincipalKind.AGENT, session=session),
            target=Target(system="crm", environment="production", dialect="sqlite"),
            payload=SqlPayload(statement=statement),
            **more,
        )

    return build


@pytest.fixture(scope="session")
def action(proposal: Callable[..., Proposal]) -> Callable[..., Action]:
    """A statement as the gate of `executor-1` sends it."""

    def build(statement: str = "SELECT 1", number: int = 1, **changes: Any) -> Action:
        fields: dict[str, Any] = {
            "id": UUID(int=(7 << 76) | (2 << 62) | number),
            "proposal": proposal(statement),
            "executor": "executor-1",
            "reply_partition": 3,
            "issued_at": NOW,
            "nonce": f"{number:032x}",
        }
        return Action(**{**fields, **changes})

    return build


@pytest.fixture(scope="session")
def verdict() -> Callable[..., Verdict]:
    """The judge's allow for an action."""

    def build(of: Action, **changes: Any) -> Verdict:
        fields: dict[str, Any] = {
            "id": UUID(int=(7 << 76) | (2 << 62) | 99),
            "action_id": of.id,
            "action_digest": action_digest(encode(of)),
            "executor": of.executor,
            "decision": Decision.ALLOW,
            "policy": "ab" * 32,
            "judge": "judge-1",
            "issued_at": NOW,
            "valid_for_ms": of.valid_for_ms,
        }
        return Verdict(**{**fields, **changes})

    return build


@pytest.fixture
def policy() -> StubPolicy:
    """Allows SELECT, asks about UPDATE, denies the rest."""
    stub = StubPolicy()
    stub.answers = {
        "select": Ruling(Decision.ALLOW, stub.hash),
        "update": Ruling(Decision.REQUIRE_APPROVAL, stub.hash),
    }
    return stub


@pytest.fixture
def keys() -> Keys:
    """A judge and an executor."""
    return Keys()


@pytest.fixture
def wire(keys: Keys, policy: Any) -> Wire:
    """A judge that allows SELECT, asks about UPDATE and denies the rest."""
    agent = EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT)
    return Wire(World(policy=policy, principals={agent.id: agent}, judge=keys.judge_id), keys)


@pytest.fixture
async def gate(wire: Wire, keys: Keys) -> AsyncIterator[Gate]:
    """An open gate."""
    async with opened(wire, keys) as one:
        yield one
