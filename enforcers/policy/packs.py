"""Where the files are that a bundle extends: packs that are shipped, files beside it, or files that were sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from enforcers.errors import PolicyError
from enforcers.policy.form import closest

OWN = "."
"""Name of a bundle's own file among its files."""


class Files(Protocol):
    """Files by the name under which they are extended: `core`, or `team.yaml`."""

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises PolicyError where there is none."""


class Folder:
    """Packs in a directory: `core` is `core.yaml`."""

    def __init__(self, directory: Path) -> None:
        """Look in `directory`, when asked."""
        self._directory = directory

    def read(self, name: str) -> bytes:
        """The bytes of a pack."""
        try:
            return (self._directory / f"{name}.yaml").read_bytes()
        except OSError as error:
            known = sorted(path.stem for path in self._directory.glob("*.yaml"))
            raise _unknown(f"pack `{name}`", name, known) from error


SHIPPED = Folder(Path(__file__).resolve().parents[2] / "policies")
"""The packs that come with Sluicegate."""


class Beside:
    """Files below a bundle's directory, and packs."""

    def __init__(self, directory: Path, packs: Files) -> None:
        """Look in `directory` for what ends in `.yaml` or `.yml`, and among `packs` for the rest."""
        self._directory = directory
        self._packs = packs

    def read(self, name: str) -> bytes:
        """The bytes of a file or a pack."""
        if is_pack(name):
            return self._packs.read(name)
        try:
            return (self._directory / name).read_bytes()
        except OSError as error:
            known = sorted(path.name for path in self._directory.glob("*.y*ml"))
            raise _unknown(f"file `./{name}`", name, known) from error


class Sent:
    """Files that came together, and packs for what is not among them."""

    def __init__(self, files: Mapping[str, bytes], packs: Files) -> None:
        """Look among `files` first."""
        self._files = files
        self._packs = packs

    def read(self, name: str) -> bytes:
        """The bytes of a file or a pack."""
        if name in self._files:
            return self._files[name]
        if is_pack(name):
            return self._packs.read(name)
        raise _unknown(f"file `./{name}`", name, self._files)


def is_pack(name: str) -> bool:
    """Whether a name is that of a pack; the others end in `.yaml` or are paths."""
    return "." not in name and "/" not in name


def _unknown(what: str, name: str, known: Iterable[str]) -> PolicyError:
    names = list(known)
    hint = closest(name, names) or f"; there are: {', '.join(names) or 'none'}"
    return PolicyError(f"no {what} can be read{hint}")
