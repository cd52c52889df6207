"""Named fragments: a bundle's `variables`, put into its conditions before CEL sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from enforcers.errors import PolicyError
from enforcers.policy.vocabulary import VARIABLES

TOKEN = re.compile(
    r"""(?P<literal>[rRbB]{0,2}(?:'{3}.*?'{3}|"{3}.*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))"""
    r"""|(?P<comment>//[^\n]*)|(?P<field>\.\s*[A-Za-z_]\w*)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<conjunction>&&)|(?P<weaker>\|\||\?)|(?P<opening>[(\[{])|(?P<closing>[)\]}])|(?P<rest>.)""",
    re.DOTALL,
)
"""The next token of a condition. Strings and comments are tokens, so that what is inside them is left alone."""
_ENDS_VALUE = re.compile(r"""[\w)\]}'"]$""")
_RESERVED = frozenset(VARIABLES) | {"true", "false", "null", "in", "size", "has", "matches"}
MAX_EXPANDED = 32_768
"""Longest condition after expansion, in characters: fragments that use fragments grow quickly."""


def check_name(name: str) -> None:
    """Raise PolicyError if a fragment takes a name that the language has already."""
    if name in _RESERVED:
        raise PolicyError(f"variable `{name}` has a reserved name; choose another")


def expand_all(variables: Mapping[str, str]) -> dict[str, str]:
    """Expand every fragment by those written before it. Raises PolicyError."""
    expanded: dict[str, str] = {}
    for name, text in variables.items():
        expanded[name] = expand(text, expanded)
    return expanded


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with fragments put in. Raises PolicyError if it grows too long, or hides a name."""
    _check_dots(text)
    result = "".join(_expanded(token, variables) for token in TOKEN.finditer(text))
    if len(result) > MAX_EXPANDED:
        raise PolicyError(f"a condition grows beyond {MAX_EXPANDED} characters; shorten it")
    return result


def _check_dots(text: str) -> None:
    """Raise PolicyError for a dot with nothing before it: CEL reads `.intent` as `intent`, `names_in` does not."""
    before = ""
    for token in TOKEN.finditer(text):
        if token.lastgroup == "comment" or token[0].isspace():
            continue
        if token.lastgroup == "field" and not _ENDS_VALUE.search(before):
            raise PolicyError(f"`{token[0]}` begins with a dot; remove it")
        before = "" if token[0] == "in" else token[0]


def source_offset(text: str, variables: Mapping[str, str], offset: int) -> int:
    """Where a character of the expanded text comes from; what is in a fragment, from its name."""
    start = 0
    for token in TOKEN.finditer(text):
        length = len(_expanded(token, variables))
        if offset < start + length:
            return token.start() + (offset - start if length == len(token[0]) else 0)
        start += length
    return len(text)


def _expanded(token: re.Match[str], variables: Mapping[str, str]) -> str:
    if token.lastgroup != "name" or token[0] not in variables:
        return token[0]
    # The line end closes a comment that a fragment may end with.
    return f"({variables[token[0]]}\n)"


def names_in(text: str) -> set[str]:
    """Every name in `text` that stands alone: not a field, not inside a string or a comment."""
    return {token[0] for token in TOKEN.finditer(text) if token.lastgroup == "name"}
