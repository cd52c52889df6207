"""
What a bundle extends, file by file.

    own file ──extends──▶ packs, files beside it ──extends──▶ … ─▶ Family: every file once, own file first

INVARIANT: no file extends itself, and there is an end to depth, number and size.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from enforcers.errors import PolicyError
from enforcers.policy.bundle import Sheet, read_sheet
from enforcers.policy.complaints import BundleError, Complaint, Remark
from enforcers.policy.packs import OWN, Files, is_pack

MAX_DEPTH = 8
"""Most files in a row that extend each other."""
MAX_FILES = 50
MAX_NAME = 200
"""Longest name of a file, so that it can travel."""
MAX_BYTES = 4 * 1024 * 1024
"""Most bytes of all files together."""


@dataclass(frozen=True)
class Family:
    """A bundle's files by name, its own as `.`."""

    sheets: Mapping[str, Sheet]

    def parents(self, name: str) -> tuple[str, ...]:
        """Names of the files that a file extends itself."""
        return tuple(resolve(name, one) for one in self.sheets[name].bundle.extends)

    def line(self, name: str) -> tuple[str, ...]:
        """A file and all that it extends, each once and before what it extends itself."""
        return tuple(reversed(self.upwards(name)))

    def upwards(self, name: str) -> tuple[str, ...]:
        """A file and all that it extends, each once and after what it extends itself."""
        found: dict[str, None] = {}
        self._climb(name, found)
        return tuple(found)

    def _climb(self, name: str, found: dict[str, None]) -> None:
        for parent in self.parents(name):
            if parent not in found:
                self._climb(parent, found)
        found[name] = None

    def digest(self, name: str) -> str:
        """
        Version of a file with all that it extends.

        The SHA-256 of its bytes where it extends nothing; else that of one line for each file, as
        `sha256sum` writes it: its own as `.`, the others behind it in the order of their names.
        """
        own, *others = self.line(name)
        if not others:
            return hashlib.sha256(self.sheets[own].data).hexdigest()
        named = [(OWN, own), *((other, other) for other in sorted(others))]
        listing = "".join(
            f"{hashlib.sha256(self.sheets[key].data).hexdigest()}  {shown}\n"
            for shown, key in named
        )
        return hashlib.sha256(listing.encode()).hexdigest()


def resolve(name: str, extended: str) -> str:
    """Name of a file that the file `name` extends as `extended`."""
    if not extended.startswith("./"):
        return extended
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), extended))


def gather(label: str, data: bytes, files: Files) -> Family:
    """Read a bundle and everything that it extends. Raises BundleError with every file's complaints."""
    gathering = _Gathering(files)
    gathering.add(OWN, read_sheet(label, data), ())
    if gathering.complaints:
        raise BundleError(gathering.complaints)
    return Family(gathering.sheets)


class _Gathering:
    """Files that were read so far, and what is wrong with them."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.sheets: dict[str, Sheet] = {}
        self.complaints: list[Complaint] = []

    def add(self, name: str, sheet: Sheet, way: tuple[str, ...]) -> None:
        """Take a file, and what it extends. `way` are the files that led here."""
        self.sheets[name] = sheet
        for index, extended in enumerate(sheet.bundle.extends):
            path = ("extends", index)
            try:
                self._follow(name, extended, (*way, name))
            except BundleError as error:
                self.complaints += error.complaints
            except PolicyError as error:
                self.complaints.append(sheet.complaint(Remark(path, "extends", str(error))))

    def _follow(self, name: str, extended: str, way: tuple[str, ...]) -> None:
        target = resolve(name, extended)
        if is_pack(name) and not is_pack(target):
            raise PolicyError(f"a pack extends packs only, not `{extended}`; write a pack's name")
        if len(target) > MAX_NAME:
            raise PolicyError(f"`{extended}` lies too deep; shorten its path")
        if target in way:
            circle = " -> ".join((*way[way.index(target) :], target))
            raise PolicyError(f"`{extended}` extends itself ({circle}); remove one of them")
        if len(way) > MAX_DEPTH:
            raise PolicyError(f"more than {MAX_DEPTH} files extend each other; merge some")
        if target in self.sheets:
            return
        if len(self.sheets) >= MAX_FILES:
            raise PolicyError(f"more than {MAX_FILES} files; merge some")
        data = self._files.read(target)
        if len(data) + sum(len(one.data) for one in self.sheets.values()) > MAX_BYTES:
            raise PolicyError(f"all files together have more than {MAX_BYTES} bytes; remove some")
        label = f"{target}.yaml" if is_pack(target) else target
        self.add(target, read_sheet(label, data), way)
