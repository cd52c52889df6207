"""What `run` and `sql` have in common: who proposes, and an open gate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from console.identity import load_executor
from console.settings import Settings
from console.stack import bootstrap_of
from enforcers.contract.action import Payload, Principal, Proposal, Target
from enforcers.gate import Gate
from enforcers.sync_gate import SyncGate
from streams.replies import KafkaVerdictChannel


@contextlib.contextmanager
def open_gate(settings: Settings) -> Iterator[SyncGate]:
    """A gate of this machine's executor. Raises NoVerdictError, BrokerError, TrustError."""
    executor = load_executor(settings)
    bootstrap = bootstrap_of(settings)
    channel = KafkaVerdictChannel(bootstrap, executor.id, settings.zone)
    with SyncGate(lambda: Gate(executor, channel)) as gate:
        yield gate


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
