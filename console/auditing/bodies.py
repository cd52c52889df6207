"""What auditors asked, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from analytics.audit.contradictions import contradictions

if TYPE_CHECKING:
    from analytics.audit.population import Population
    from analytics.audit.unusual import Exceptions
    from analytics.seen import ActionSeen
    from console.auditing.as_of import AsOf, Laid

JSON = dict[str, Any]


def action_body(seen: ActionSeen) -> JSON:
    """One action: everything that was found, and the verdict that counts."""
    verdict, outcome = seen.verdict, seen.outcome
    return {
        "alarms": list(contradictions(seen)),
        **asdict(seen),
        "decision": verdict.decision if verdict else "none",
        "status": outcome.status if outcome else "none",
        "latency_ms": seen.latency_ms,
    }


def population_body(found: Population) -> JSON:
    """The figures of a period."""
    body = asdict(found)
    return {**body, "doubted": body["doubted"][:1_000], "doubted_count": len(found.doubted)}


def exceptions_body(found: Exceptions) -> JSON:
    """Every unusual case."""
    return asdict(found)


def as_of_body(found: AsOf) -> JSON:
    """What held at a moment."""
    return {
        "at": found.at,
        "policy": _laid(found.policy),
        "loads": found.loads,
        "why_not": found.why_not,
        "rules_not_enforced": dict(found.trials),
        "next": _laid(found.next),
        "judges": [asdict(one) for one in found.named],
        "grants": [one.model_dump(mode="json") for one in found.grants],
        "stops": [one.model_dump(mode="json") for one in found.stops],
        "principals": [one.model_dump(mode="json") for one in found.principals],
        "ignored": found.ignored,
    }


def _laid(one: Laid | None) -> JSON | None:
    # Imported here, for a command waits for nothing that only another one needs.
    from console.publishing import entry

    return {**entry(one.publication), "evidence": asdict(one.evidence)} if one else None
