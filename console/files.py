"""Paths that people name: what the file system refuses becomes one line."""

from __future__ import annotations

from pathlib import Path

from enforcers.errors import SettingsError


def is_there(path: Path) -> bool:
    """Whether something lies at a path. Raises SettingsError where that cannot be seen."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise SettingsError(
            f"`{shown(path)}` cannot be looked at: {error.strerror}; mend it, or give another path"
        ) from error
    return True


def read_line(path: Path) -> str:
    """The text of a small file, without white space around it. Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"`{shown(path)}` cannot be read: {why}; mend or remove it") from error


def write_line(path: Path, text: str) -> None:
    """Write a small file anew. Raises SettingsError."""
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"`{shown(path)}` cannot be written: {error.strerror}; mend it"
        ) from error


def here() -> Path:
    """The working directory. Raises SettingsError where it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"working directory cannot be found: {error.strerror}; change to another"
        ) from error


def shown(path: Path) -> str:
    """A path as a message can hold it: one that is too long is often the trouble itself."""
    text = str(path)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHOWN = 200
