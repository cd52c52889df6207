"""
The lexical gate: refuse texts that a server may read in another way than we do.

Runs on the characters, before any token exists. Errors are findings, never exceptions.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from enforcers.intent.model import Finding
from enforcers.intent.sql.codes import Code, finding
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.words import words

MAX_BYTES = 65_536

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BARE_CR = re.compile(r"\r(?!\n)")
_META = re.compile(r"\s*(?:[\\.:!@]|(?:source|tee|notee|system|pager|nopager|delimiter)\s)", re.I)
# psql ends a buffer with a backslash command anywhere outside a string.
_PSQL = re.compile(r"\s\\[a-z]+\b[^'\"]*$", re.I)
_ESCAPED_QUOTE = re.compile(r"\\['\"]")
_WITHOUT_ESCAPES = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[ \t][^\n]*|#[^\n]*|/\*.*?\*/", re.S
)
_NESTING_KNOWN = words(
    "postgres postgresql duckdb tsql mssql sqlserver fabric mysql mariadb oracle sqlite bigquery ",
    "snowflake trino presto",
)
"""Dialects whose servers surely nest comments, or surely do not, just as their parser does."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def screen_text(text: str, reading: Reading) -> Finding | None:
    """The first reason not to read the text at all, if there is one."""
    return (
        _size(text)
        or _characters(text)
        or _comments(text, reading)
        or _quoting(text, reading)
        or _client(text, reading)
    )


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


def _comments(text: str, reading: Reading) -> Finding | None:
    if "/*" in text or "--" in text or "$" in text:
        for found in _marks(reading).finditer(text):
            code = _doubt(found, reading)
            if code:
                return finding(code, span=found.span())
    if "\r" in text and ("--" in text or "#" in text):
        bare = _BARE_CR.search(text)
        if bare:
            return finding(Code.AMBIGUOUS_LINE_END, span=bare.span())
    return None


@cache
def _marks(reading: Reading) -> re.Pattern[str]:
    """Strings and comments as the parser reads them, and what may begin one on another server."""
    tokenizer = reading.parser.tokenizer_class
    escape = r"\\." if "\\" in tokenizer.STRING_ESCAPES else r"(?!)"
    plain = r"\\" if "\\" in tokenizer.STRING_ESCAPES else ""
    quoted = [rf"{q}(?:[^{q}{plain}]|{escape}|{q}{q})*+(?:{q}|\Z)" for q in ("'", '"', "`")]
    blank = r"(?=[ \t\r\n]|\Z)" if reading.family in ("mysql", "ansi") else ""
    lines = [rf"--{blank}[^\n]*", *(["#[^\n]*"] if "#" in tokenizer.COMMENTS else [])]
    return re.compile(
        rf"(?P<string>{'|'.join(quoted)})|(?P<line>{'|'.join(lines)})"
        r"|(?P<executable>/\*[a-z]?!)|(?P<block>/\*.*?(?:\*/|\Z))"
        r"|(?P<dashes>--)|(?P<dollars>\$(?:[a-z_]\w*)?\$)",
        re.S | re.I,
    )


def _doubt(found: re.Match[str], reading: Reading) -> Code | None:
    """Why another server may read a string or a comment at this place otherwise, if it may."""
    kind = found.lastgroup
    if kind == "executable":
        return Code.EXECUTABLE_COMMENT
    nested = kind == "block" and "/*" in found.group()[2:-1]
    if kind == "dashes" or (nested and reading.name not in _NESTING_KNOWN):
        return Code.AMBIGUOUS_LINE_END
    if kind == "dollars" and reading.family == "ansi":
        return Code.AMBIGUOUS_QUOTING
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
