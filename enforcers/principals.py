"""Principals from a file: who is enrolled, as what, and with which permissions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import StringConstraints, ValidationError

from enforcers.contract.action import PrincipalKind
from enforcers.contract.base import Identifier, Record
from enforcers.errors import SettingsError

Permission = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,40}$")]


class EnrolledPrincipal(Record):
    """One principal that may propose."""

    id: Identifier
    kind: PrincipalKind
    permissions: tuple[Permission, ...] = ()
    executors: tuple[Identifier, ...] = ()
    """Executors that may speak for it; empty means every trusted one."""


class PrincipalsFile(Record):
    """The file as it is written."""

    principals: tuple[EnrolledPrincipal, ...]


Principals = dict[str, EnrolledPrincipal]


def load_principals(path: Path) -> Principals:
    """Read a principals file. Raises SettingsError."""
    try:
        file = PrincipalsFile.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"principals file `{path}` cannot be read; run `sluicegate keys init`"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"principals file `{path}` refused at `{where}`: {first['msg'].lower()}"
        ) from error
    found = {one.id: one for one in file.principals}
    if len(found) != len(file.principals):
        raise SettingsError(f"principals file `{path}` names an id twice; keep one entry for each")
    return found
