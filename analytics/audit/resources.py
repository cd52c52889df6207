"""
Whether an effect touches a resource that somebody names, and how.

    "users"          any `users`, in whatever schema           "public.users"   that one, or one without a schema
    "public"         the schema, and everything in it          "table:users"    tables only
    "/etc"           the file or directory, and what is below  "users_*"        names that begin so

Names are compared without quotes and in lower case: what is told holds the true spelling. A name that was written
without quotes fits wherever its words stand between dots: `db.example.net` is a host as well as a table in a schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from analytics.seen import EffectSeen
from enforcers.errors import ContractError

READING = ("read", "connect")
"""Verbs that change nothing. Whatever runs a program may change anything."""
_TYPES = (
    *("table", "schema", "database", "object", "function", "setting", "session", "file"),
    *("program", "host", "unknown"),
)
_HOLDERS = ("schema", "database")
_TYPED = re.compile(r"[a-z_]+")
_PART = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|([^."`\[\]]+)')
_QUOTES = '"`['
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
    quoted: bool = False
    """Whether quotes say where its parts end; else dots do."""

    @property
    def is_path(self) -> bool:
        """Whether it is a file or a directory."""
        return len(self.parts) == 1 and "/" in self.parts[0]

    @property
    def told(self) -> str:
        """What is looked for, in words."""
        *around, name = self.parts
        type_ = self.type or ("file or directory" if self.is_path else "anything")
        whole = f"`{'.'.join(self.parts)}`"
        if self.begins:
            return f"{type_} whose name begins with {whole}"
        if not around:
            return f"{type_} named {whole}"
        return f"{type_} named {whole}, or `{name}` where it is not written what that lies in"


@dataclass(frozen=True, slots=True)
class Touch:
    """One effect on a resource, and why it is thought to be that resource."""

    effect: EffectSeen
    how: str


def wanted_of(text: str) -> Wanted:
    """Read a resource's name. Raises ContractError."""
    kind, colon, rest = text.partition(":")
    typed = bool(colon) and kind in _TYPES
    if colon and not typed and _TYPED.fullmatch(kind):
        raise ContractError(
            f"`{kind[:80]}` is no type of resource; write one of {', '.join(_TYPES)}, or the whole"
            " name in quotes where the colon belongs to it"
        )
    name = (rest if typed else text).strip()
    begins = name.endswith("*")
    name = name.removesuffix("*")
    inside = begins and name.endswith(".")
    parts = _parts(name.removesuffix("."))
    if not parts or len(text) > _LONGEST:
        raise ContractError(
            f"`{text[:80]}` names no resource; write one such as public.users, table:users or /etc/x"
        )
    quoted = any(mark in name for mark in _QUOTES)
    if "*" in name and not quoted:
        raise ContractError(
            f"`{text[:80]}` has a `*` in the middle, which cannot be looked for; let it stand at the end,"
            " or put the name in quotes where it is part of it"
        )
    return Wanted(text, kind if typed else "", parts, begins and not inside, quoted)


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
    asked, found = wanted.parts[0], _address(effect).rstrip("/").lower() or "/"
    if wanted.begins:
        return "its name begins so" if found.startswith(asked) else ""
    if found == asked:
        return "this very name"
    if found.startswith(f"{asked.rstrip('/')}/"):
        return "it lies below"
    return f"{effect.name} holds it" if asked.startswith(f"{found.rstrip('/')}/") else ""


def _address(effect: EffectSeen) -> str:
    """A path: a file's is its name, a program's what its name lies in."""
    is_program = effect.type == "program" and "/" in effect.namespace
    return effect.namespace if is_program else effect.name


def _name(effect: EffectSeen, wanted: Wanted) -> str:
    name, text = effect.name.lower(), ".".join(wanted.parts)
    if effect.type == "unknown" and text in name.split():
        return "the text that nobody understood whole names it"
    space = _parts(effect.namespace) if effect.namespace and effect.type != "program" else ()
    if effect.type == "file" and "/" in name:
        # Whoever writes no path means a file of this name, wherever it lies.
        folder, _, name = name.rpartition("/")
        space = (folder or "/",)
    found = (*space, name)
    if wanted.quoted:
        return _fits(effect, space, found, wanted.parts, wanted.begins)
    words, around = (_words(one) for one in (found, space))
    return _fits(effect, around, words, wanted.parts, wanted.begins)


def _words(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Parts of a name, taken apart at every dot: who writes no quotes does not say which dots divide."""
    return tuple(word for part in parts for word in part.split(".") if word) or parts


def _fits(
    effect: EffectSeen,
    space: tuple[str, ...],
    found: tuple[str, ...],
    asked: tuple[str, ...],
    begins: bool,
) -> str:
    if begins:
        return "its name begins so" if _begins(found, space, asked) else ""
    if found == asked:
        return "this very name"
    if found[-len(asked) :] == asked:
        return f"the name fits, here in {'.'.join(found[: -len(asked)])}"
    if effect.type in _HOLDERS:
        return f"the {effect.type} {effect.name} holds it" if found[-1] in asked[:-1] else ""
    if asked[-len(found) :] == found:
        return "the name fits, but where it lies was not written"
    inside = any(space[at : at + len(asked)] == asked for at in range(len(space)))
    return f"it lies in {effect.namespace}" if inside else ""


def _begins(found: tuple[str, ...], space: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """Whether the name begins so; what is written before it stands before it."""
    *before, last = asked
    # The beginning of a schema's name alone is no name of what lies in it.
    ends = range(max(len(space), len(before)), len(found)) if before else (len(space),)
    return any(
        at < len(found)
        and found[at].startswith(last)
        and found[at - len(before) : at] == tuple(before)
        for at in ends
    )


def searched(wanted: Wanted) -> tuple[list[str], str | None]:
    """What the archive is searched for: parts of names, and the beginning of a path or name."""
    last = wanted.parts[-1]
    if wanted.begins:
        return [*(wanted.parts[:-1] or ())], last if len(wanted.parts) == 1 else None
    if wanted.is_path:
        return [last], f"{last.rstrip('/')}/"
    # A part may hold dots itself, where it was quoted.
    return sorted({piece for part in wanted.parts for piece in part.split(".")}), None
