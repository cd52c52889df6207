"""
A question about one action, put together from what a command was given.

    text + place + principal ──Question──▶ payload, facts ──explain──▶ Explanation

Nothing is proposed and nothing is executed. There is no past, no grant and no vote in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from console.contracted import held_to_contract
from console.databases import open_database
from console.files import is_there
from console.identity import PERMISSIONS
from console.settings import Settings, in_lower_case
from enforcers.catalog import EMPTY_CATALOG, Catalog, load_catalog
from enforcers.contract.action import (
    CanaryPayload,
    Capability,
    Payload,
    ShellPayload,
    SqlPayload,
    Target,
)
from enforcers.contract.base import utc_now
from enforcers.errors import ContractError
from enforcers.executors.duty import CAPABILITIES
from enforcers.intent.read import read_intent
from enforcers.policy.engine import Facts, PrincipalFacts, TargetFacts
from enforcers.policy.examining import ExaminedPolicy
from enforcers.policy.explain import Asked, Explanation, explain
from enforcers.principals import load_principals

_PAYLOAD: TypeAdapter[Payload] = TypeAdapter(Payload)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the action would run, and what its executor carries out."""

    target: Target
    catalog: Catalog = EMPTY_CATALOG
    capabilities: Sequence[Capability] = ()

    def changed(self, catalog: Path | None, capabilities: Sequence[Capability] | None) -> Place:
        """With what somebody gave by hand. Raises CatalogError."""
        return Place(
            self.target,
            load_catalog(catalog) if catalog else self.catalog,
            self.capabilities if capabilities is None else capabilities,
        )


@dataclass(frozen=True, slots=True)
class Proposed:
    """What would be proposed, and why."""

    payload: Payload
    reason: str = ""
    ticket: str = ""


def explain_it(
    policy: ExaminedPolicy, place: Place, principal: PrincipalFacts, proposed: Proposed
) -> Explanation:
    """Why the policy decides as it does. Raises ContractError for what cannot be read."""
    target = place.target
    facts = Facts(
        principal=principal,
        target=TargetFacts(
            target.system, target.environment, target.catalog or "", target.dialect or ""
        ),
        intent=read_intent(proposed.payload, target, place.catalog),
        reason=proposed.reason,
        ticket=proposed.ticket,
        capabilities=frozenset(one.value for one in place.capabilities),
        now=utc_now(),
    )
    return explain(policy, facts, Asked(proposed.payload, target, place.catalog))


def declared_place(settings: Settings, name: str) -> Place:
    """A declared target as `sluicegate sql` reaches it. Raises SettingsError, CatalogError."""
    declared = settings.target(name)
    target = Target(
        system=declared.system,
        environment=declared.environment,
        dialect=declared.dialect or open_database(name, declared).dialect,
        catalog=declared.catalog,
    )
    catalog = load_catalog(settings.catalogs[declared.catalog]) if declared.catalog else None
    return Place(target, catalog or EMPTY_CATALOG, tuple(sorted(CAPABILITIES)))


def made_up_place(kind: str, environment: str, dialect: str) -> Place:
    """A target that nobody declared. Raises ContractError."""
    with held_to_contract():
        return Place(Target(system=kind, environment=environment, dialect=dialect or None))


def configured_principal(settings: Settings, permissions: Sequence[str] | None) -> PrincipalFacts:
    """The settings' principal as it is enrolled here; these permissions instead of its own, if any are given."""
    enrolled = load_principals(settings.principals) if is_there(settings.principals) else {}
    known = enrolled.get(settings.principal)
    own = known.permissions if known else PERMISSIONS
    return PrincipalFacts(
        id=settings.principal,
        kind=settings.principal_kind.value,
        enrolled=True,
        permissions=own if permissions is None else tuple(permissions),
        session=settings.session,
        owner=(known and known.owner) or "",
        groups=known.groups if known else (),
    )


def sql_of(text: str) -> Payload:
    """A statement. Raises ContractError."""
    with held_to_contract():
        return SqlPayload(statement=text)


def shell_of(line: str, cwd: str, workspace: str) -> Payload:
    """A command line that runs in a directory. Raises ContractError."""
    with held_to_contract():
        return ShellPayload(line=line, cwd=cwd, workspace=workspace)


def payload_of(text: str) -> Payload:
    """A payload in the contract's form, or a tool call `{"tool": …, "arguments": …}`. Raises ContractError."""
    try:
        body: Any = json.loads(text)
        if isinstance(body, dict) and "kind" not in body:
            body = {"kind": "tool", **body}
        found = _PAYLOAD.validate_json(json.dumps(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "payload"
        what = in_lower_case(first["msg"])
        raise ContractError(f"payload refused at `{where}`: {what}; correct it") from error
    except (ValueError, RecursionError) as error:
        raise ContractError(
            f'payload is no JSON: {error}; write an object such as {{"tool": "name"}}'
        ) from error
    if isinstance(found, CanaryPayload):
        raise ContractError("a canary is always denied; give another kind")
    return found
