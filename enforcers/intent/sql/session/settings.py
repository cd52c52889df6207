"""
Settings of a session: which are plain, and which change what a later statement means or may do.

A plain setting is an effect on the `session`; every other one is an effect on a `setting`. The names
are data: `data/settings.txt`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from enforcers.intent.model import Effect, Resource, ResourceType, Verb
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.session.effects import chosen
from enforcers.intent.sql.words import words

ON = frozenset({"on", "true", "1", "yes"})
_OFF = frozenset({"off", "false", "0", "no"})
_BASES = {"redshift": "postgres", "ansi": "postgres"}
_MODES = words(
    "only_full_group_by strict_trans_tables strict_all_tables no_zero_in_date no_zero_date ",
    "error_for_division_by_zero no_engine_substitution no_auto_create_user no_unsigned_subtraction",
)
"""Parts of MySQL's `sql_mode` by which no text is read in another way."""
_STRICT = frozenset({"strict_trans_tables", "strict_all_tables"})
_FORMAT = re.compile(r"[a-z0-9 \-/:.,]*", re.I | re.A)
_LIMITS = words(
    "timeout execution_time run_time max_memory memory_limit max_rows max_bytes_to max_bytes_in ",
    "max_result",
)
"""Parts of the names of settings that bound what a statement may use."""
_UNLIMITED = re.compile(r"(?:-.*|0+(?:\.0*)? *[a-z]*|default|off)", re.A)


@cache
def _names() -> dict[tuple[str, str], frozenset[str]]:
    """The names of the data file by family and kind."""
    text = (resources.files("enforcers.intent.sql") / "data" / "settings.txt").read_text("utf-8")
    found: dict[tuple[str, str], frozenset[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            family, kind, *names = line.split()
            found[family, kind] = found.get((family, kind), frozenset()).union(names)
    return found


def effect_of(name: str, value: str, reading: Reading) -> Effect:
    """The effect of giving a setting a value: plain, or not."""
    if name in _names().get((reading.family, "chosen"), frozenset()) and value in ON:
        return chosen(name)
    plain = _is_plain(name, value, reading) and _shows_nothing(name, value)
    kind = ResourceType.SESSION if plain and not _lifts(name, value) else ResourceType.SETTING
    return Effect(Verb.CONFIGURE, Resource(kind, name))


def is_stricter(name: str, value: str) -> bool:
    """Whether the session is afterwards as it is read anyway, or stricter."""
    return (value in ON and name in _names()["any", "on"]) or (
        value in _OFF and name in _names()["any", "off"]
    )


def _is_plain(name: str, value: str, reading: Reading) -> bool:
    family = _BASES.get(reading.family, reading.family)
    if name in _names().get((family, "plain"), frozenset()) or is_stricter(name, value):
        return True
    if family == "mysql" and name == "sql_mode":
        return _is_strict_mode(value)
    return family == "oracle" and name in ("nls_sort", "nls_comp") and value == "binary"


def _is_strict_mode(value: str) -> bool:
    """Whether a `sql_mode` leaves the text read as it is, and what it writes checked."""
    modes = frozenset(part.strip() for part in value.split(","))
    return modes <= _MODES and not modes.isdisjoint(_STRICT)


def _shows_nothing(name: str, value: str) -> bool:
    """Whether no text of the value's own comes back within texts: of dates, and so in what is built of them."""
    is_format = "format" in name or name.startswith("nls_")
    return not is_format or _FORMAT.fullmatch(value) is not None


def _lifts(name: str, value: str) -> bool:
    """Whether a bound on what a statement may use is taken away."""
    return _UNLIMITED.fullmatch(value) is not None and any(part in name for part in _LIMITS)
