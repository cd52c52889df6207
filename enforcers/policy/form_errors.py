"""What is wrong with the form of a bundle, in words that say what to write."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from enforcers.policy.form import closest, suggest

_REMEDIES = {
    "missing": "key is missing; write it",
    "string_type": "is no text; put it in quotes",
    "tuple_type": "is no list; write `[…]`",
    "model_type": "is no mapping; write `key: value`",
    "dict_type": "is no mapping; write `key: value`",
    "too_short": "is empty; write at least one",
    "int_type": "is no whole number; write one without quotes",
    "timezone_aware": "has no timezone; write `Z` behind it for UTC",
    "none_required": "is not known here; remove it",
}
_PATTERNS = {
    "^[a-z][a-z0-9-]{1,62}$": "write lower-case letters, digits and dashes, such as `deny-drops`",
    "^[a-z][a-z0-9_]{1,62}$": "write lower-case letters, digits and `_`, such as `may_read`",
    "^[^\\r\\n]*$": "write it in one line",
}


def code_of(details: ErrorDetails) -> str:
    """The stable code of a complaint."""
    known = {"extra_forbidden": "unknown-key", "missing": "missing-key"}
    return known.get(details["type"], "wrong-value")


def explain(details: ErrorDetails, forms: Mapping[str, type[BaseModel]]) -> str:
    """What is wrong and what would be right; `forms` are the models by the key above them."""
    path = details["loc"]
    where = ".".join(str(part) for part in path) or "the top"
    if details["type"] == "extra_forbidden":
        return f"`{where}`: unknown key{suggest(str(path[-1]), _keys(path[:-1], forms))}"
    return f"`{where}`: {_REMEDIES.get(details['type']) or _wrong(details)}"


def _keys(path: tuple[int | str, ...], forms: Mapping[str, type[BaseModel]]) -> list[str]:
    above = next((one for one in reversed(path) if one in forms), "")
    return [field.alias or name for name, field in forms[str(above)].model_fields.items()]


def _wrong(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    if details["type"] == "value_error":
        return str(context["error"])
    if details["type"] == "string_pattern_mismatch":
        remedy = _PATTERNS.get(context["pattern"], f"write it like `{context['pattern']}`")
        return f"`{str(details['input'])[:80]}` is no such name or text; {remedy}"
    expected = re.findall("'([^']*)'", str(context.get("expected", "")))
    return details["msg"].lower() + closest(str(details["input"]), expected)
