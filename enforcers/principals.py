"""Principals from a file: who is enrolled, as what, and with which permissions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from enforcers.contract.base import Record, fault_of
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.errors import SettingsError


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
        raise SettingsError(
            f"principals file `{path}` refused{fault_of(error)}; correct it, or restore a copy"
        ) from error
    found = {one.id: one for one in file.principals}
    if len(found) != len(file.principals):
        raise SettingsError(f"principals file `{path}` names an id twice; keep one entry for each")
    return found


def behind(principals: Mapping[str, EnrolledPrincipal], *names: str | None) -> frozenset[str]:
    """These, whoever answers for them, and so on: they would gain, so none of them is a second pair of eyes."""
    waiting = [one for one in names if one]
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        known = principals.get(one)
        if one not in found and known is not None and known.owner:
            waiting.append(known.owner)
        found.add(one)
    return frozenset(found)
