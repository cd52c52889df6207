"""
Words and connectors of one line.

Only what every shell reads alike is read: plain characters, quotes without expansions, four
connectors and redirections to nowhere. Everything else is a finding.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from enforcers.intent.model import Finding
from enforcers.intent.shell.codes import Code, finding
from enforcers.intent.shell.names import names

MAX_CHARACTERS = 64 * 1024
MAX_WORDS = 4000

SPECIAL: dict[str, Code] = {
    "$": Code.EXPANSION,
    "`": Code.EXPANSION,
    "*": Code.GLOB,
    "?": Code.GLOB,
    "[": Code.GLOB,
    "{": Code.BRACE,
    "~": Code.TILDE,
    "\\": Code.BACKSLASH,
    "<": Code.REDIRECTION,
    ">": Code.REDIRECTION,
    "&": Code.BACKGROUND,
    "(": Code.SUBSHELL,
    ")": Code.SUBSHELL,
    "!": Code.HISTORY,
    "\n": Code.NEWLINE,
}
RESERVED = names(
    "if then elif else fi for while until do done case esac function select time coproc in"
) | {"[[", "]]", "{", "}", "!"}

# A result that goes nowhere, or a stream that joins another: the command's meaning stays the same.
_NOWHERE = re.compile(r"[12]?>(?:&[12]|[ \t]*/dev/null)(?=[ \t]|[|;&]|$)")
_CONNECTOR = re.compile(r"&&|\|\||\||;")
_PLAIN = re.compile(r"[^\s'\"|;" + re.escape("".join(SPECIAL)) + r"]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
# Letters and symbols by class, nothing to a reader's eye.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the program would get it."""

    text: str
    span: tuple[int, int]
    quoted: bool


@dataclass(slots=True)
class Line:
    """What was read of a line: simple commands, what joins them, and what stopped the reading."""

    commands: list[list[Word]] = field(default_factory=list)
    connectors: list[str] = field(default_factory=list)
    opaque: list[Finding] = field(default_factory=list)


def inadmissible(text: str) -> Finding | None:
    """The first reason why `text` may not be read at all."""
    if len(text) > MAX_CHARACTERS:
        return finding(Code.OVERSIZED)
    if text.isascii() and text.isprintable():
        return None
    for place, char in enumerate(text):
        if char == "\0":
            return finding(Code.NUL_BYTE, (place, place + 1))
        if _invisible(char):
            return finding(Code.INVISIBLE_CHARACTER, (place, place + 1))
    return None


def _invisible(char: str) -> bool:
    """Whether a reader would not see `char` for what it is; tab and newline are read elsewhere."""
    if char in " \t\n":
        return False
    return unicodedata.category(char)[0] in "CZ" or char in _BLANK


def split(text: str) -> Line:
    """Read `text` into words; stops at the first character that is not plain."""
    line = Line(commands=[[]])
    place, end = 0, len(text)
    while place < end and not line.opaque:
        if text[place] in " \t":
            place += 1
        elif match := _CONNECTOR.match(text, place):
            line.connectors.append(match.group())
            line.commands.append([])
            place = match.end()
        elif match := _NOWHERE.match(text, place):
            place = match.end()
        elif text[place] == "#":
            line.opaque.append(finding(Code.COMMENT, (place, end)))
        else:
            place = _word(text, place, line)
    _check_commands(line, end)
    return line


def _word(text: str, start: int, line: Line) -> int:
    """Read one word that starts at `start` into `line`; returns where it ends."""
    place, parts, quoted = start, [""], False
    while place < len(text) and text[place] not in " \t|;":
        char = text[place]
        if char in "'\"":
            stop = _quote_end(text, place, line)
            parts.append(text[place + 1 : stop])
            place, quoted = stop + 1, True
        elif match := _PLAIN.match(text, place):
            parts.append(match.group())
            place = match.end()
        else:
            code = SPECIAL.get(char, Code.UNREADABLE)
            if _CONNECTOR.match(text, place):
                break
            line.opaque.append(finding(code, (place, place + 1)))
        if line.opaque:
            return len(text)
    line.commands[-1].append(Word("".join(parts), (start, place), quoted))
    return place


def _quote_end(text: str, start: int, line: Line) -> int:
    """Where the quote that opens at `start` closes."""
    stop = text.find(text[start], start + 1)
    if stop < 0:
        line.opaque.append(finding(Code.UNCLOSED_QUOTE, (start, len(text))))
        return len(text)
    if text[start] == '"':
        for place in range(start + 1, stop):
            if text[place] in "$`\\":
                line.opaque.append(finding(SPECIAL[text[place]], (place, place + 1)))
                break
    return stop


def _check_commands(line: Line, end: int) -> None:
    """Add what is wrong with the commands as a whole."""
    if line.opaque:
        return
    if line.connectors[-1:] == [";"] and not line.commands[-1]:
        line.commands.pop()  # a final semicolon ends the last command
        line.connectors.pop()
    if not any(line.commands):
        line.opaque.append(finding(Code.NOTHING_TO_RUN))
        return
    for words in line.commands:
        if not words:
            line.opaque.append(finding(Code.MISSING_COMMAND, (0, end)))
        elif code := _first_word(words[0]):
            line.opaque.append(finding(code, words[0].span))


def _first_word(word: Word) -> Code | None:
    """Why `word` is no plain program name."""
    if not word.quoted and word.text in RESERVED:
        return Code.RESERVED_WORD
    if not word.quoted and word.text.startswith("^"):
        return Code.HISTORY
    if _ASSIGNMENT.match(word.text):
        # With a quote somewhere in it, too: A='b c' cmd. A program of such a name is not missed.
        return Code.ASSIGNMENT
    return None if word.text and word.text.isascii() else Code.UNUSUAL_NAME
