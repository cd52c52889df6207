"""
The lexical gate: refuse texts that a server may read in another way than we do.

Runs on the characters, before any token exists. Errors are findings, never exceptions.
"""

from __future__ import annotations

import re
import unicodedata

from enforcers.intent.model import Finding
from enforcers.intent.sql.codes import Code, finding
from enforcers.intent.sql.comments import screen_comments
from enforcers.intent.sql.dialects import Reading

MAX_BYTES = 65_536

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_META = re.compile(r"\s*(?:[\\.:!@]|(?:source|tee|notee|system|pager|nopager|delimiter)\s)", re.I)
# psql ends a buffer with a backslash command anywhere outside a string.
_PSQL = re.compile(r"\s\\[a-z]+\b[^'\"]*$", re.I)
_ESCAPED_QUOTE = re.compile(r"\\['\"]")
_WITHOUT_ESCAPES = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[ \t][^\n]*|#[^\n]*|/\*.*?\*/", re.S
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def screen_text(text: str, reading: Reading) -> Finding | None:
    """The first reason not to read the text at all, if there is one."""
    return (
        _size(text)
        or _characters(text)
        or screen_comments(text, reading)
        or _quoting(text, reading)
        or _client(text, reading)
        or _substitution(text, reading)
    )


def _substitution(text: str, reading: Reading) -> Finding | None:
    """Spark puts variables into the text before it reads it, into strings and comments as well."""
    at = text.find("${") if reading.family in ("spark", "ansi") else -1
    return finding(Code.DYNAMIC_NAME, "${", (at, at + 2)) if at >= 0 else None


def _size(text: str) -> Finding | None:
    # A character takes one byte or more, so the length alone refuses most oversized texts.
    if len(text) > MAX_BYTES or (
        not text.isascii() and len(text.encode("utf-8", "replace")) > MAX_BYTES
    ):
        return finding(Code.OVERSIZED)
    return None


def _characters(text: str) -> Finding | None:
    control = _CONTROL.search(text)
    if control:
        code = Code.NUL_BYTE if control.group() == "\0" else Code.INVISIBLE_CHARACTER
        return finding(code, span=control.span())
    if text.isascii():
        return None
    for at, char in enumerate(text):
        if char > "\x7f" and unicodedata.category(char) in _INVISIBLE:
            return finding(Code.INVISIBLE_CHARACTER, f"U+{ord(char):04X}", (at, at + 1))
    return None


def _quoting(text: str, reading: Reading) -> Finding | None:
    """A text whose strings end elsewhere, and end well, where a backslash is a plain character."""
    if not reading.backslash or "\\" not in text:
        return None
    found = _ESCAPED_QUOTE.search(text)
    if found is None:
        return None
    rest = _WITHOUT_ESCAPES.sub("", text)
    if "'" in rest or '"' in rest or "`" in rest:
        # Under the other mode a string stays open, and the server refuses the text.
        return None
    return finding(Code.AMBIGUOUS_QUOTING, span=found.span())


def _client(text: str, reading: Reading) -> Finding | None:
    found = _META.match(text)
    if found is None and "\\" in text and reading.family in ("postgres", "redshift"):
        found = _PSQL.search(text)
    return finding(Code.CLIENT_COMMAND, found.group().strip(), found.span()) if found else None
