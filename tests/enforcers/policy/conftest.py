"""Facts from short notation, and policies from rules alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from enforcers.intent.model import (
    Effect,
    Extent,
    Finding,
    Flow,
    Intent,
    Resource,
    ResourceType,
    Verb,
)
from enforcers.policy.bundle import Bundle
from enforcers.policy.engine import Facts, PrincipalFacts, TargetFacts
from enforcers.policy.policy import Policy

NON_PRODUCTION = ("development", "staging")


def _read_effect(text: str) -> Effect:
    words = text.split()
    tags = tuple(word[1:] for word in words if word.startswith("#"))
    verb, kind, name, *extent = [word for word in words if not word.startswith("#")]
    resource = Resource(ResourceType(kind), name, tags=tags)
    return Effect(Verb(verb), resource, Extent(extent[0]) if extent else Extent.NONE)


def _read_flow(text: str) -> Flow:
    source, sink = (_read_effect(f"read {part}").resource for part in text.split("->"))
    return Flow(source, sink)


def _read_intent(text: str) -> Intent:
    text, _, inner = text.partition("; >")
    kind, _, rest = text.partition(":")
    parts = [part.strip() for part in rest.split(";") if part.strip()]
    flows = [part for part in parts if "->" in part]
    effects = [part for part in parts if " " in part and part not in flows]
    return Intent(
        kind=kind.strip(),
        effects=tuple(map(_read_effect, effects)),
        flows=tuple(map(_read_flow, flows)),
        opaque=(Finding("unparsable", "cannot be read"),) if "opaque" in parts else (),
        inadmissible=(Finding("nul_byte", "holds a NUL"),) if "inadmissible" in parts else (),
        nested=(_read_intent(inner),) if inner else (),
    )


@pytest.fixture(scope="session")
def intent() -> Callable[[str], Intent]:
    """`sql: read table users #pii; opaque` as an Intent; what follows `; >` is nested in it."""
    return _read_intent


@pytest.fixture(scope="session")
def facts() -> Callable[..., Facts]:
    """Facts about a notation; an enrolled agent in production unless said otherwise."""

    def build(
        text: str | Intent,
        environment: str = "production",
        permissions: tuple[str, ...] = ("read", "bounded_write"),
        enrolled: bool = True,
        capabilities: tuple[str, ...] = (),
        kind: str = "agent",
    ) -> Facts:
        principal = PrincipalFacts("agent-1", kind, enrolled, permissions)
        found = _read_intent(text) if isinstance(text, str) else text
        target = TargetFacts("db", environment)
        return Facts(principal, target, found, capabilities=frozenset(capabilities))

    return build


@pytest.fixture(scope="session")
def policy_of() -> Callable[..., Policy]:
    """A policy of these rules, compiled but neither linted nor tested."""

    def build(
        *rules: dict[str, Any], default: str = "deny", variables: dict[str, str] | None = None
    ) -> Policy:
        written = {
            "apiVersion": "sluicegate.io/v1",
            "name": "under-test",
            "default": default,
            "non_production": NON_PRODUCTION,
            "variables": variables or {},
            "rules": [{"id": f"rule-{n}", "message": "m", **rule} for n, rule in enumerate(rules)],
        }
        return Policy(Bundle.model_validate(written), "0" * 64)

    return build
