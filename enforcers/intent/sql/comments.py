"""
Comments: a text is read only where its server and our parser agree on what is a comment.

    text ─▶ `screen_comments`: marks that servers read differently ─▶ tokens ─▶ `screen_gaps`: what lies between tokens

INVARIANT: between two tokens there is nothing but blanks and comments of the server, and in no token a comment begins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from enforcers.intent.model import Finding
from enforcers.intent.sql.codes import Code, finding
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.words import words

_KNOWN = words(
    "postgres postgresql duckdb tsql mssql sqlserver fabric mysql mariadb oracle sqlite bigquery ",
    "snowflake trino presto",
)
"""
Dialects whose servers surely nest comments, or surely do not, just as their parser does, and end a
line comment with the line: Spark and Doris go on behind a backslash.
"""
_FOREIGN = {"ansi": r"#|//", "clickhouse": r"#|//"}
"""Marks that begin a comment on some server of the family, and are something else to its parser."""
_BARE_CR = re.compile(r"\r(?!\n|\Z)")
"""Behind the last one of a text there is nothing that a comment could hide."""
_MARK = re.compile(r"/\*|--|\$|#|//")
_BOUNDS = re.compile(r"/\*|\*/")
_BLANKS = " \t\r\n"
_TEMPLATES = frozenset({TokenType.BLOCK_START, TokenType.BLOCK_END})
_PASSABLE = re.compile(r"--|/\*|//|[#`]|[^\t\n\r -~]")
"""Without one of these in the text there is nothing that a tokenizer could pass over."""
_QUOTED = frozenset(
    kind for kind in TokenType if kind is TokenType.IDENTIFIER or kind.name.endswith("STRING")
)
_QUOTES = re.compile("['\"`\\[$]")


def screen_comments(text: str, reading: Reading) -> Finding | None:
    """The first mark that may begin or end a comment elsewhere on a server."""
    if _MARK.search(text):
        for found in _marks(reading).finditer(text):
            code = _doubt(found, reading)
            if code:
                return finding(code, span=found.span())
    if "\r" in text and ("--" in text or "#" in text or "//" in text):
        bare = _BARE_CR.search(text)
        if bare:
            return finding(Code.AMBIGUOUS_LINE_END, span=bare.span())
    return None


def _lines(reading: Reading) -> str:
    """A comment to the end of the line, as the server knows it."""
    dashes = r"--(?=[ \t\r\n]|\Z)" if reading.family in ("mysql", "ansi") else "--"
    marks = {"--": dashes, "#": r"#(?=[ !]|\Z)" if reading.family == "clickhouse" else "#"}
    known = [one for one in reading.parser.tokenizer_class.COMMENTS if isinstance(one, str)]
    if reading.family == "ansi":
        known = ["--"]
    return "|".join(rf"{marks.get(one, re.escape(one))}[^\n]*" for one in known)


@cache
def _marks(reading: Reading) -> re.Pattern[str]:
    """Strings and comments as the parser reads them, and what may begin one on another server."""
    tokenizer = reading.parser.tokenizer_class
    escape = r"\\." if "\\" in tokenizer.STRING_ESCAPES else r"(?!)"
    plain = r"\\" if "\\" in tokenizer.STRING_ESCAPES else ""
    quoted = [rf"{q}(?:[^{q}{plain}]|{escape}|{q}{q})*+(?:{q}|\Z)" for q in ("'", '"', "`")]
    return re.compile(
        rf"(?P<string>{'|'.join(quoted)})|(?P<line>{_lines(reading)})"
        r"|(?P<executable>/\*[a-z]?!)|(?P<block>/\*.*?(?:\*/|\Z))"
        rf"|(?P<dashes>--)|(?P<foreign>{_FOREIGN.get(reading.family, '(?!)')})"
        r"|(?P<dollars>\$(?:[a-z_]\w*)?\$)",
        re.S | re.I,
    )


def _doubt(found: re.Match[str], reading: Reading) -> Code | None:
    """Why another server may read a string or a comment at this place otherwise, if it may."""
    kind, known = found.lastgroup, reading.name in _KNOWN
    if kind == "executable":
        return Code.EXECUTABLE_COMMENT
    nested = kind == "block" and "/*" in found.group()[2:-1]
    last = found.end() == len(found.string)
    goes_on = kind == "line" and not last and found.group().rstrip("\r").endswith("\\")
    if kind in ("dashes", "foreign") or ((nested or goes_on) and not known):
        return Code.AMBIGUOUS_LINE_END
    if kind == "dollars" and reading.family == "ansi":
        return Code.AMBIGUOUS_QUOTING
    return None


@cache
def without_templates(
    tokenizer: type[Tokenizer],
) -> tuple[dict[str, str | None], dict[str, TokenType]]:
    """A tokenizer's comments and keywords but for those of templates, which it knows in every dialect and no server."""
    comments = {mark: end for mark, end in tokenizer._COMMENTS.items() if mark != "{#"}
    keywords = {word: kind for word, kind in tokenizer.KEYWORDS.items() if kind not in _TEMPLATES}
    return comments, keywords


def screen_gaps(tokens: Sequence[Token], text: str, reading: Reading) -> Finding | None:
    """The first place where the tokenizer passed over what the server would read, or the reverse."""
    if not _PASSABLE.search(text):
        return None
    at = 0
    for token in tokens:
        if token.token_type is TokenType.HINT:
            continue
        start, end = token.start, token.end + 1
        gap = text[at:start].lstrip(_BLANKS)
        if gap and not _is_comment(gap, reading):
            return _passed_over(text, at, start)
        word = text[start:end]
        if "`" in word and token.token_type not in _QUOTED:
            # DuckDB has taken to reading names between them, which its parser here does not know.
            return finding(Code.AMBIGUOUS_QUOTING, span=(start, end))
        # With the character behind it: two tokens may make up a mark.
        joined = text[start : end + 1]
        if ("--" in joined or "/*" in joined) and not _QUOTES.search(word):
            return finding(Code.AMBIGUOUS_LINE_END, span=(start, end))
        at = end
    if not _is_comment(text[at:].lstrip(_BLANKS), reading):
        return _passed_over(text, at, len(text))
    return None


def _passed_over(text: str, start: int, end: int) -> Finding:
    # Without a mark it is a blank to the tokenizer alone, such as U+00A0: a letter to most servers.
    comment = _MARK.search(text, start, end) is not None
    code = Code.AMBIGUOUS_LINE_END if comment else Code.INVISIBLE_CHARACTER
    return finding(code, span=(start, end))


def _is_comment(gap: str, reading: Reading) -> bool:
    """Whether it is nothing but blanks and whole comments of the server."""
    while gap:
        if gap.startswith("/*"):
            end = _end_of_block(gap, nests=reading.parser.tokenizer_class.NESTED_COMMENTS)
        else:
            line = _line(reading).match(gap)
            end = line.end() if line else 0
        if not end:
            return False
        gap = gap[end:].lstrip(_BLANKS)
    return True


@cache
def _line(reading: Reading) -> re.Pattern[str]:
    return re.compile(_lines(reading))


def _end_of_block(gap: str, *, nests: bool) -> int:
    """Where the comment that the gap begins with ends; 0 where it does not."""
    depth, at = 0, 0
    while found := _BOUNDS.search(gap, at):
        at = found.end()
        if found.group() == "*/":
            depth -= 1
        elif nests or not depth:
            depth += 1
        if not depth:
            return at
    return 0
