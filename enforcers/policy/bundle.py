"""
A policy bundle as it is written: rules, named fragments and tests in one YAML file.

    bytes ──read_sheet──▶ Sheet: Bundle, and where everything of it stands

Reading a bundle checks its form; whether its rules compile, are sound and pass its tests is checked
by `loading`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from enforcers.contract import base as contract_base
from enforcers.contract import verdict as contract
from enforcers.contract.action import ShellPayload, SqlPayload, ToolPayload
from enforcers.policy.budgets import Budget
from enforcers.policy.calendars import Calendar, CalendarWindow
from enforcers.policy.case import (
    PRODUCTION as PRODUCTION,
)
from enforcers.policy.case import Case as Case
from enforcers.policy.case import CaseContext as CaseContext
from enforcers.policy.case import CaseGrant, CaseWindow
from enforcers.policy.case import Expectation as Expectation
from enforcers.policy.complaints import BundleError, Complaint, Remark
from enforcers.policy.form import (
    Condition,
    FragmentName,
    Name,
    Written,
)
from enforcers.policy.form import Kind as Kind
from enforcers.policy.form import suggest as suggest
from enforcers.policy.form_errors import code_of, explain
from enforcers.policy.rule import ApprovalTerms as ApprovalTerms
from enforcers.policy.rule import Match as Match
from enforcers.policy.rule import Mode as Mode
from enforcers.policy.rule import Rule as Rule
from enforcers.policy.rule import RuleEffect as RuleEffect
from enforcers.policy.yaml_reader import Document, YamlError, read_document

MAX_BUNDLE_BYTES = 1024 * 1024
MAX_RULES = 1_000


class Default(StrEnum):
    """What holds where no rule speaks."""

    DENY = "deny"
    ALLOW_WITH_WOULD_DENY = "allow_with_would_deny"


class BreakGlass(Written):
    """Who may approve alone in an emergency, and for how long such an approval holds."""

    groups: Annotated[tuple[contract_base.Identifier, ...], Field(min_length=1)]
    minutes: Annotated[int, Field(ge=1, le=60)] = 15


class Adjustment(Written):
    """What a bundle changes in a rule that it extends."""

    rule: Name
    """Id of the rule."""
    mode: Mode | None = None
    approval: ApprovalTerms | None = None
    disabled: Literal[True] | None = None
    """Takes the rule out."""

    @model_validator(mode="after")
    def _changes_something(self) -> Adjustment:
        if (self.disabled is None) == (self.mode is None and self.approval is None):
            raise ValueError("write `mode` or `approval`, or `disabled: true` alone")
        return self


def _stays_here(name: str) -> str:
    parts = name.removeprefix("./").split("/")
    if name.startswith("./") and all(part and part.strip(".") for part in parts):
        return name
    if re.fullmatch(r"[a-z][a-z0-9-]{1,62}", name):
        return name
    raise ValueError(
        f"`{name}` is no pack and no file beside the bundle; write `core`, or `./team.yaml`"
    )


Extended = Annotated[
    str,
    StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9._/-]+$"),
    AfterValidator(_stays_here),
]
"""A shipped pack by its name, or a file by its path from the bundle's directory: `./team.yaml`."""


class Bundle(Written):
    """The whole file."""

    api_version: Literal["sluicegate.io/v1"] = Field(alias="apiVersion")
    name: Name
    default: Default
    """What holds where no rule speaks."""
    extends: Annotated[tuple[Extended, ...], Field(max_length=20)] = ()
    """Packs and files whose rules hold too."""
    adjust: Annotated[tuple[Adjustment, ...], Field(max_length=MAX_RULES)] = ()
    """Changes to rules of what is extended."""
    non_production: tuple[Name, ...] = ()
    """Environments that are not production. Every other environment is."""
    variables: dict[FragmentName, Condition] = Field(default_factory=dict)
    """Named fragments of conditions."""
    calendars: dict[Name, Calendar] = Field(default_factory=dict)
    """When something is open: `"freeze" in time.calendars`."""
    budgets: dict[Name, Budget] = Field(default_factory=dict)
    """How much may be done: `"rows" in budgets.spent`."""
    break_glass: BreakGlass | None = None
    """Who may approve alone in an emergency."""
    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES)] = ()
    test_catalog: dict[str, JsonValue] = Field(default_factory=dict)
    """Catalog that the tests assume, in the form of a catalog file."""
    tests: tuple[Case, ...] = ()

    @model_validator(mode="after")
    def _rules_something(self) -> Bundle:
        if not self.rules and not self.extends:
            raise ValueError("a bundle without rules decides nothing; write `rules` or `extends`")
        return self


@dataclass(frozen=True)
class Sheet:
    """One file of a policy, read."""

    label: str
    """What complaints call it."""
    data: bytes
    bundle: Bundle
    document: Document

    def complaint(self, remark: Remark) -> Complaint:
        """The remark with the place where it is written."""
        at_key = len(remark.path) == 2 and isinstance(remark.path[1], str)
        line, column = self.document.place(remark.path, at_key, remark.offset)
        return Complaint(self.label, line, column, remark.code, str(remark))


def read_sheet(label: str, data: bytes) -> Sheet:
    """Read one file. Raises BundleError with everything that is wrong with its form."""
    try:
        if len(data) > MAX_BUNDLE_BYTES:
            raise YamlError(f"policy has more than {MAX_BUNDLE_BYTES} bytes; split it")
        document = read_document(data.decode())
    except UnicodeDecodeError as error:
        message = "policy is not UTF-8; save it as UTF-8"
        raise BundleError([Complaint(label, 1, 1, "encoding", message)]) from error
    except YamlError as error:
        found = Complaint(label, error.line, error.column, "yaml", str(error))
        raise BundleError([found]) from error
    return Sheet(label, data, _bundle(label, document), document)


def _bundle(label: str, document: Document) -> Bundle:
    try:
        return Bundle.model_validate(document.value)
    except ValidationError as error:
        found = []
        for details in error.errors(include_url=False):
            path = tuple(details["loc"])
            place = document.place(path, details["type"] == "extra_forbidden")
            found.append(Complaint(label, *place, code_of(details), explain(details, _FORMS)))
        raise BundleError(found) from error


def parse_bundle(data: bytes) -> tuple[Bundle, str]:
    """The bundle of one file that extends nothing, and its version. Raises BundleError."""
    return read_sheet("policy.yaml", data).bundle, hashlib.sha256(data).hexdigest()


_FORMS: Mapping[str, type[BaseModel]] = {
    "": Bundle,
    "rules": Rule,
    "match": Match,
    "approval": ApprovalTerms,
    "obligations": contract.Obligation,
    "break_glass": BreakGlass,
    "adjust": Adjustment,
    "calendars": CalendarWindow,
    "budgets": Budget,
    "tests": Case,
    "with": CaseContext,
    "history": CaseWindow,
    "session": CaseWindow,
    "grants": CaseGrant,
    "expect": Expectation,
    "sql": SqlPayload,
    "shell": ShellPayload,
    "tool": ToolPayload,
}
"""Form of what stands below a key."""
