"""
Whether an effect touches a resource that somebody names, and how.

    "users"          any `users`, in whatever schema           "public.users"   that one, or one without a schema
    "public"         the schema, and everything in it          "table:users"    tables only
    "/etc"           the file or directory, and what is below  "users_*"        names that begin so

Names are compared without quotes and in lower case: what is told holds the true spelling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from analytics.seen import EffectSeen
from enforcers.errors import ArchiveError

READING = ("read", "connect")
"""Verbs that change nothing. Whatever runs a program may change anything."""
_TYPES = (
    *("table", "schema", "database", "object", "function", "setting", "session", "file"),
    *("program", "host", "unknown"),
)
_HOLDERS = ("schema", "database")
_PART = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|([^."`\[\]]+)')
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource as somebody names it."""

    text: str
    type: str
    """Empty: any."""
    parts: tuple[str, ...]
    """In lower case, without quotes; a path is one part."""
    begins: bool = False
    """Whether only the beginning of the last part was written."""

    @property
    def is_path(self) -> bool:
        """Whether it is a file or a directory."""
        return len(self.parts) == 1 and "/" in self.parts[0]


@dataclass(frozen=True, slots=True)
class Touch:
    """One effect on a resource, and why it is thought to be that resource."""

    effect: EffectSeen
    how: str


def wanted_of(text: str) -> Wanted:
    """Read a resource's name. Raises ArchiveError."""
    kind, colon, rest = text.partition(":")
    typed = bool(colon) and kind in _TYPES
    name = (rest if typed else text).strip()
    begins = name.endswith("*")
    name = name.removesuffix("*")
    inside = begins and name.endswith(".")
    parts = _parts(name.removesuffix("."))
    if not parts or len(text) > _LONGEST:
        raise ArchiveError(
            f"`{text[:80]}` names no resource; write one such as public.users, table:users or /etc/x"
        )
    return Wanted(text, kind if typed else "", parts, begins and not inside)


def _parts(name: str) -> tuple[str, ...]:
    if "/" in name:
        return (name.rstrip("/").lower() or "/",)
    found = (
        next(one for one in match.groups() if one is not None) for match in _PART.finditer(name)
    )
    return tuple(one.replace('""', '"').strip().lower() for one in found if one.strip())


def touch(effect: EffectSeen, wanted: Wanted) -> Touch | None:
    """How an effect touches the resource; None where it does not, or only reads."""
    if effect.verb in READING or (wanted.type and effect.type != wanted.type):
        return None
    how = _path(effect, wanted) if wanted.is_path else _name(effect, wanted)
    return Touch(effect, how) if how else None


def _path(effect: EffectSeen, wanted: Wanted) -> str:
    asked, found = wanted.parts[0], effect.name.rstrip("/").lower() or "/"
    if wanted.begins:
        return "its name begins so" if found.startswith(asked) else ""
    if found == asked:
        return "this very name"
    if found.startswith(f"{asked.rstrip('/')}/"):
        return "it lies below"
    return f"{effect.name} holds it" if asked.startswith(f"{found.rstrip('/')}/") else ""


def _name(effect: EffectSeen, wanted: Wanted) -> str:
    space = _parts(effect.namespace) if effect.namespace else ()
    found, asked = (*space, effect.name.lower()), wanted.parts
    if wanted.begins:
        same = len(found) >= len(asked) and found[-len(asked) : -1] == asked[:-1]
        return "its name begins so" if same and found[-1].startswith(asked[-1]) else ""
    if found == asked:
        return "this very name"
    if found[-len(asked) :] == asked:
        return f"the name fits, here in {effect.namespace}"
    if effect.type in _HOLDERS:
        return f"the {effect.type} {effect.name} holds it" if found[-1] in asked[:-1] else ""
    if asked[-len(found) :] == found:
        return "the name fits, but where it lies was not written"
    inside = any(space[at : at + len(asked)] == asked for at in range(len(space)))
    return f"it lies in {effect.namespace}" if inside else ""


def searched(wanted: Wanted) -> tuple[list[str], str | None]:
    """What the archive is searched for: parts of names, and the beginning of a path or name."""
    last = wanted.parts[-1]
    if wanted.begins:
        return [*(wanted.parts[:-1] or ())], last if len(wanted.parts) == 1 else None
    if wanted.is_path:
        return [last], f"{last.rstrip('/')}/"
    # A part may hold dots itself, where it was quoted.
    return sorted({piece for part in wanted.parts for piece in part.split(".")}), None
