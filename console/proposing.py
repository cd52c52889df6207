"""What `run` and `sql` have in common: who proposes, and an open gate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from console.identity import load_executor
from console.settings import LONGEST_WAIT_S, Settings
from console.stack import bootstrap_of
from enforcers.asking import Sign
from enforcers.contract.action import Capability, Payload, Principal, Proposal, Target
from enforcers.contract.base import utc_now
from enforcers.contract.keys import load_key
from enforcers.contract.proof import sign_proposal
from enforcers.errors import ContractError
from enforcers.gate import Gate
from enforcers.sync_gate import SyncGate
from streams.replies import KafkaVerdictChannel


@contextlib.contextmanager
def open_gate(
    settings: Settings, carries_out: frozenset[Capability] = frozenset(), patience_s: float = 10.0
) -> Iterator[SyncGate]:
    """
    A gate of this machine's executor, for code that carries out these obligations.

    Raises NoVerdictError, BrokerError, TrustError.
    """
    executor = load_executor(settings, carries_out)
    bootstrap = bootstrap_of(settings)
    channel = KafkaVerdictChannel(bootstrap, executor.id, settings.zone)
    sign = signature_of(settings)
    gate = SyncGate(lambda: Gate(executor, channel, sign=sign))
    gate.open(patience_s)
    try:
        yield gate
    finally:
        gate.close()


def proposal_of(
    settings: Settings, target: Target, payload: Payload, reason: str, ticket: str
) -> Proposal:
    """A proposal of the configured principal."""
    principal = Principal(
        id=settings.principal, kind=settings.principal_kind, session=settings.session or None
    )
    return Proposal(
        principal=principal,
        target=target,
        payload=payload,
        reason=reason or None,
        ticket=ticket or None,
    )


def signature_of(settings: Settings) -> Sign | None:
    """How the configured principal signs what it proposes; None where it has no key. Raises TrustError."""
    if settings.principal_key is None:
        return None
    who = settings.principal
    signer = load_key(
        settings.principal_key,
        settings.zone,
        what=f"key of `{who}`",
        make=f"correct `principal_key`, or run `sluicegate agents rotate {who} --key-out FILE`",
    )
    return lambda proposal, executor: sign_proposal(proposal, executor, utc_now(), signer)


def wait_of(settings: Settings, wait_s: float | None) -> float:
    """How long to wait for people, as the caller says or else the settings. Raises ContractError."""
    wanted = settings.approval_wait_s if wait_s is None else wait_s
    if not 0 <= wanted <= LONGEST_WAIT_S:
        raise ContractError(
            f"cannot wait {wanted:.0f} s for people; wait a day at most, and propose it again then"
        )
    return wanted
