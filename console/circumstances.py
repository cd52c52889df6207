"""
Circumstances of a case: who asks, from where, with which rights. A context file gives them for
every case, and a case may change some of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from console.settings import in_lower_case
from enforcers.catalog.loader import parse_catalog
from enforcers.catalog.model import Catalog
from enforcers.contract.action import Capability, PrincipalKind
from enforcers.contract.base import Identifier, Line
from enforcers.contract.enrolment import Permission
from enforcers.errors import SettingsError
from enforcers.policy.engine import PrincipalFacts


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Circumstances(_Written):
    """All that a case has besides its text. What nobody writes has these values."""

    principal: Identifier = "agent:case"
    principal_kind: PrincipalKind = PrincipalKind.AGENT
    enrolled: bool = True
    permissions: tuple[Permission, ...] = ()
    environment: Identifier = "production"
    cwd: str = ""
    workspace: str = ""
    user: str = ""
    shell: str = "bash"
    allowed_hosts: tuple[str, ...] = ()
    """Declared by a case; no rule can ask for them yet."""
    capabilities: tuple[Capability, ...] = ()
    reason: Line = ""
    ticket: str = ""

    @property
    def principal_facts(self) -> PrincipalFacts:
        """What a policy sees of the principal."""
        return PrincipalFacts(
            self.principal, self.principal_kind.value, self.enrolled, self.permissions
        )


class Changes(_Written):
    """What a case or a kind changes; `grant` names an entry of the context's `grants`."""

    grant: str | None = None
    principal: Identifier | None = None
    principal_kind: PrincipalKind | None = None
    enrolled: bool | None = None
    permissions: tuple[Permission, ...] | None = None
    environment: Identifier | None = None
    cwd: str | None = None
    workspace: str | None = None
    user: str | None = None
    shell: str | None = None
    allowed_hosts: tuple[str, ...] | None = None
    capabilities: tuple[Capability, ...] | None = None
    reason: Line | None = None
    ticket: str | None = None


class Context(_Written):
    """A context file."""

    defaults: Circumstances = Circumstances()
    kinds: dict[str, Changes] = Field(default={})
    """What is different for one kind of case, such as `sql`."""
    grants: dict[str, tuple[Permission, ...]] = Field(default={})
    """Permissions of a principal whose grant has this name."""
    catalog: dict[str, Any] = Field(default={})
    """In the form of a catalog file; `--catalog` takes its place."""

    def circumstances(self, kind: str, changes: Changes | None = None) -> Circumstances:
        """Those of one case. Raises SettingsError for a grant that the context does not name."""
        found = self._changed(self.defaults, self.kinds.get(kind))
        return self._changed(found, changes)

    def parsed_catalog(self) -> Catalog:
        """The catalog that cases assume. Raises CatalogError."""
        return parse_catalog(yaml.safe_dump(self.catalog))

    def _changed(self, start: Circumstances, changes: Changes | None) -> Circumstances:
        if changes is None:
            return start
        update = {
            name: getattr(changes, name)
            for name in changes.model_fields_set - {"grant"}
            if getattr(changes, name) is not None
        }
        if changes.grant is not None:
            update["permissions"] = self._permissions(changes.grant)
        return start.model_copy(update=update)

    def _permissions(self, grant: str) -> tuple[str, ...]:
        if grant not in self.grants:
            known = ", ".join(sorted(self.grants)) or "none"
            raise SettingsError(f"grant `{grant}` is not in the context ({known}); add it there")
        return self.grants[grant]


def load_context(path: Path) -> Context:
    """Read a context file. Raises SettingsError."""
    try:
        return Context.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"context `{path}` cannot be read; give a YAML file") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        what = f"{where}`: {in_lower_case(first['msg'])}"
        raise SettingsError(f"context `{path}` refused at `{what}; correct it") from error
