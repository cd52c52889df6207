"""
A policy bundle as it is written: rules, named fragments and tests in one YAML file.

The SHA-256 of the file's bytes is its version. Reading a bundle checks its form; whether its rules
compile, are sound and pass its tests is checked by `loading.load_policy`.
"""

from __future__ import annotations

import difflib
import hashlib
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from enforcers.contract import verdict as contract
from enforcers.contract.action import Capability, PrincipalKind
from enforcers.errors import PolicyError
from enforcers.intent.model import Extent, ResourceType, Verb
from enforcers.policy.engine import FiredRule
from enforcers.policy.yaml_reader import read_yaml

MAX_BUNDLE_BYTES = 1024 * 1024

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
FragmentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=8_192)]
Line = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\r\n]*$")]
Kind = Literal["sql", "shell", "http", "file", "kubernetes", "terraform", "tool"]
PRODUCTION = "production"


class RuleEffect(StrEnum):
    """What a rule says about an action, strongest first."""

    DENY = "deny"
    REQUIRE_APPROVAL = "require_approval"
    CONSTRAIN = "constrain"
    ALLOW = "allow"


class Mode(StrEnum):
    """How a rule counts."""

    ENFORCE = "enforce"
    WARN = "warn"
    SHADOW = "shadow"


class Default(StrEnum):
    """What holds where no rule speaks."""

    DENY = "deny"
    ALLOW_WITH_WOULD_DENY = "allow_with_would_deny"


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


class Match(_Written):
    """Plain values that must hold before a condition is looked at. An empty list: any value."""

    environment: tuple[str, ...] = ()
    kind: tuple[Kind, ...] = ()
    principal_kind: tuple[PrincipalKind, ...] = ()
    verb: tuple[Verb, ...] = ()
    type: tuple[ResourceType, ...] = ()
    extent: tuple[Extent, ...] = ()
    tag: tuple[str, ...] = ()

    @property
    def names_effects(self) -> bool:
        """Whether it says something about single effects."""
        return bool(self.verb or self.type or self.extent or self.tag)


class Rule(_Written):
    """One rule. `where` speaks about one effect, `when` about the action as a whole."""

    id: Name
    effect: RuleEffect
    mode: Mode = Mode.ENFORCE
    match: Match = Match()
    when: Condition | None = None
    where: Condition | None = None
    message: Annotated[Line, StringConstraints(min_length=1)]
    remedy: Line = ""
    obligations: tuple[contract.Obligation, ...] = ()

    @property
    def names_effects(self) -> bool:
        """Whether it speaks for, or against, single effects."""
        return self.match.names_effects or self.where is not None

    @cached_property
    def fired(self) -> FiredRule:
        """What a decision says of the rule when it applied."""
        return FiredRule(self.id, self.effect.value, self.mode.value, self.message, self.remedy)

    @cached_property
    def reasons(self) -> dict[str, contract.Reason]:
        """What a verdict says of the rule, by code."""
        codes = ("denied", "approval_required", "would_deny")
        return {
            code: contract.Reason(code=code, message=self.message, rule=self.id, remedy=self.remedy)
            for code in codes
        }


class CaseContext(_Written):
    """The circumstances of a test. What it leaves out has these values."""

    environment: str = PRODUCTION
    principal_kind: PrincipalKind = PrincipalKind.AGENT
    permissions: tuple[str, ...] = ("read", "bounded_write")
    enrolled: bool = True
    capabilities: tuple[Capability, ...] = ()
    reason: str = ""
    ticket: str = ""
    cwd: str = "/srv/app"
    workspace: str = "/srv/app"


class Expectation(_Written):
    """What a test expects."""

    decision: contract.Decision
    rules: tuple[Name, ...] = ()
    """Rules that must apply."""
    not_rules: tuple[Name, ...] = ()
    """Rules that must not apply."""


class Case(_Written):
    """A test inside a bundle: a text and what becomes of it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    kind: Kind
    text: str
    dialect: str | None = None
    context: CaseContext = Field(default=CaseContext(), alias="with")
    expect: Expectation


class Bundle(_Written):
    """The whole file."""

    api_version: Literal["sluicegate.io/v1"] = Field(alias="apiVersion")
    name: Name
    default: Default
    non_production: tuple[Name, ...] = ()
    """Environments that are not production. Every other environment is."""
    variables: dict[FragmentName, Condition] = Field(default_factory=dict)
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=1_000)]
    test_catalog: dict[str, JsonValue] = Field(default_factory=dict)
    """Catalog that the tests assume, in the form of a catalog file."""
    tests: tuple[Case, ...] = ()


def read_bundle(path: Path) -> tuple[Bundle, str]:
    """Read a bundle and its hash from a file. Raises PolicyError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PolicyError(f"policy `{path}` cannot be read; check the path") from error
    return parse_bundle(data)


def parse_bundle(data: bytes) -> tuple[Bundle, str]:
    """Return the bundle in `data` and the hash of `data`. Raises PolicyError."""
    if len(data) > MAX_BUNDLE_BYTES:
        raise PolicyError(f"policy has more than {MAX_BUNDLE_BYTES} bytes; split it")
    try:
        written = read_yaml(data.decode())
        return Bundle.model_validate(written), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        raise PolicyError("policy is not UTF-8; save it as UTF-8") from error
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        raise PolicyError(f"policy refused at {_explain(details)}") from error


def _explain(details: ErrorDetails) -> str:
    where = ".".join(str(part) for part in details["loc"]) or "the top"
    if details["type"] != "extra_forbidden":
        return f"`{where}`: {details['msg'].lower()}"
    return f"`{where}`: unknown key{suggest(str(details['loc'][-1]), _KEYS)}"


def suggest(word: str, known: Any) -> str:
    """Return `; did you mean …` for the closest known word, or a hint to remove it."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else "; remove it"


_KEYS = {
    field.alias or name
    for model in (Bundle, Rule, Match, Case, CaseContext, Expectation, contract.Obligation)
    for name, field in model.model_fields.items()
}
