"""
The layers that settings come from, weakest first: settings file, environment, flags.

A relative path means something else in every directory. So it is read against the file's own
directory in a file, refused in the environment, and read against the caller's directory in a flag.
"""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_settings import BaseSettings, EnvSettingsSource
from pydantic_settings import SettingsError as UnreadableError

from console.files import here, is_there
from enforcers.errors import SettingsError

PREFIX = "SLUICEGATE_"
CONFIG_VARIABLE = "SLUICEGATE_CONFIG"
FILE_NAME = "sluicegate.toml"
PATHS = frozenset({"home", "policy", "principals", "trust", "keys", "archive", "principal_key"})
PATHS_IN = {
    "targets": frozenset({"path"}),
    "alerts": frozenset({"token_file", "key_file", "ca_file"}),
    "witnesses": frozenset({"ca_file"}),
}
"""Paths in the entries of settings that hold tables."""

Anchor = Callable[[str, Path], Path]
"""Makes a path of a setting absolute, or refuses it."""


@dataclass(frozen=True)
class Layer:
    """Values of one origin, paths made absolute."""

    values: Mapping[str, Any]
    origin: Callable[[str], str]
    """What to call the origin of a setting."""


@dataclass(frozen=True)
class Schema:
    """What the layers need to know of the settings."""

    model: type[BaseSettings]
    tables: Mapping[str, type[BaseModel]]
    """Shape of one entry of a setting that holds tables by name."""
    default_home: Callable[[], Path]


def read_layers(schema: Schema, flags: Mapping[str, Any]) -> tuple[Layer, Layer, Layer]:
    """File, environment and flags, weakest first. Raises SettingsError."""
    strongest = Layer(_anchored(flags, _from_here), lambda _: "flag")
    environment = Layer(_environment(schema.model), _variable_of)
    home = strongest.values.get("home") or environment.values.get("home") or schema.default_home()
    path = config_path(Path(home))
    return Layer(_file(schema, path), lambda _: f"file {path}"), environment, strongest


def config_path(home: Path) -> Path:
    """The settings file: the one that SLUICEGATE_CONFIG names, else the state directory's."""
    named = os.environ.get(CONFIG_VARIABLE)
    if not named:
        return home / FILE_NAME
    path = _absolute(CONFIG_VARIABLE, Path(named))
    if not (is_there(path) and path.is_file()):
        raise SettingsError(f"{CONFIG_VARIABLE} names `{path}`, which is no file; correct it")
    return path


def _environment(model: type[BaseSettings]) -> dict[str, Any]:
    known = {_variable(key) for key in model.model_fields} | {CONFIG_VARIABLE}
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name not in known:
            hint = _hint_variable(name, known)
            raise SettingsError(f"environment variable `{name}` is unknown{hint}")
    try:
        values = EnvSettingsSource(model, env_ignore_empty=True)()
    except UnreadableError as error:
        field = str(error).partition('"')[2].partition('"')[0]
        raise SettingsError(f"{_variable(field)} is no JSON object; correct or unset it") from error
    return _anchored(values, lambda key, path: _absolute(_variable(key), path))


def _file(schema: Schema, path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(_text(path))
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise SettingsError(f"settings file `{path}` cannot be read: {reason}; mend it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"settings file `{path}` is no TOML: {error}; correct it") from error
    _check_keys(schema, values, path)
    return _anchored(values, lambda _, relative: path.parent / relative)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
            raise SettingsError(f"anyone may write settings file `{path}`; run `chmod o-w {path}`")
        return file.read().decode()


def _check_keys(schema: Schema, values: Mapping[str, Any], path: Path) -> None:
    _refuse_unknown(values, schema.model.model_fields, f"`{path}`")
    for setting, model in schema.tables.items():
        for name, entry in _table(values, setting).items():
            if isinstance(entry, dict):
                _refuse_unknown(entry, model.model_fields, f"[{setting}.{name}] of `{path}`")
    if "home" in values and CONFIG_VARIABLE not in os.environ:
        raise SettingsError(f"`home` locates `{path}` and cannot stand in it; set SLUICEGATE_HOME")


def _refuse_unknown(values: Iterable[str], known: Iterable[str], where: str) -> None:
    for key in values:
        if key not in known:
            raise SettingsError(f"unknown key `{key}` in {where}{_hint(key, known)}")


def _hint_variable(name: str, known: Iterable[str]) -> str:
    # Without the prefix: it alone makes any two of them alike.
    return _hint(name[len(PREFIX) :].upper(), (one[len(PREFIX) :] for one in known), PREFIX)


def _hint(word: str, known: Iterable[str], prefix: str = "") -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    if not close:
        return "; remove it (see docs/configuration.md)"
    return f"; did you mean `{prefix}{close[0]}`?"


def _anchored(values: Mapping[str, Any], anchor: Anchor) -> dict[str, Any]:
    found = dict(values)
    for key in PATHS & found.keys():
        found[key] = _path(key, found[key], anchor)
    if isinstance(found.get("catalogs"), dict):
        found["catalogs"] = {
            name: _path("catalogs", value, anchor) for name, value in found["catalogs"].items()
        }
    for setting, paths in PATHS_IN.items():
        if isinstance(found.get(setting), dict):
            found[setting] = {
                name: _entry(setting, paths, value, anchor)
                for name, value in found[setting].items()
            }
    return found


def _entry(setting: str, paths: frozenset[str], value: Any, anchor: Anchor) -> Any:
    if not isinstance(value, dict):
        return value
    return {**value, **{key: _path(setting, value[key], anchor) for key in paths & value.keys()}}


def _path(key: str, value: Any, anchor: Anchor) -> Any:
    if not isinstance(value, str | Path):
        return value  # The model says what is wrong with it.
    if "\0" in str(value):
        raise SettingsError(f"path in setting `{key}` holds a NUL character; leave it out")
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"`~` in setting `{key}` has no directory; write it out") from error
    return path if path.is_absolute() else anchor(key, path)


def _absolute(variable: str, path: Path) -> Path:
    if not path.expanduser().is_absolute():
        raise SettingsError(f"{variable} is the relative path `{path}`; give an absolute one")
    return path.expanduser()


def _from_here(_: str, path: Path) -> Path:
    return here() / path


def _table(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _variable(key: str) -> str:
    return PREFIX + key.upper()


def _variable_of(key: str) -> str:
    return f"environment {_variable(key)}"
