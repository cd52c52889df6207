"""
Why a command line is inadmissible or opaque: stable codes, a sentence and a remedy for each.

INVARIANT: every member of `Code` has a row in `EXPLAINED`.
"""

from __future__ import annotations

from enum import StrEnum

from enforcers.intent.model import Finding

Span = tuple[int, int] | None


class Code(StrEnum):
    """One reason why a command line is not read to its end."""

    # Inadmissible: no policy may override these.
    NUL_BYTE = "nul_byte"
    OVERSIZED = "oversized"
    TOO_MANY_WORDS = "too_many_words"
    INVISIBLE_CHARACTER = "invisible_character"
    # Opaque in the line itself.
    NOTHING_TO_RUN = "nothing_to_run"
    EXPANSION = "expansion"
    GLOB = "glob"
    BRACE = "brace"
    TILDE = "tilde"
    BACKSLASH = "backslash"
    REDIRECTION = "redirection"
    BACKGROUND = "background"
    SUBSHELL = "subshell"
    NEWLINE = "newline"
    HISTORY = "history"
    COMMENT = "comment"
    UNCLOSED_QUOTE = "unclosed_quote"
    RESERVED_WORD = "reserved_word"
    ASSIGNMENT = "assignment"
    UNUSUAL_NAME = "unusual_name"
    MISSING_COMMAND = "missing_command"
    # Opaque in what a program is asked to do.
    INTERPRETER_CODE = "interpreter_code"
    UNREAD_INPUT = "unread_input"
    HIDDEN_COMMAND = "hidden_command"
    CONFIGURED_COMMAND = "configured_command"
    SHELL_STATE = "shell_state"
    SQL_UNREAD = "sql_unread"
    TOO_DEEP = "too_deep"
    TOO_ENTANGLED = "too_entangled"
    UNCLEAR_HOST = "unclear_host"
    UNREADABLE = "unreadable"


EXPLAINED: dict[Code, tuple[str, str]] = {
    Code.NUL_BYTE: ("the text holds a NUL byte", "remove it"),
    Code.OVERSIZED: ("the command is longer than 64 KiB", "put the data into a file"),
    Code.TOO_MANY_WORDS: ("the command has more than 4000 words", "split it"),
    Code.INVISIBLE_CHARACTER: (
        "the text holds a control or invisible character",
        "write only what a reader can see",
    ),
    Code.NOTHING_TO_RUN: ("there is no command", "name a program"),
    Code.EXPANSION: (
        "an expansion is decided only when it runs",
        "write the value itself, or quote it with single quotes",
    ),
    Code.GLOB: ("a pattern matches names that are not known here", "name the files"),
    Code.BRACE: ("a brace may expand to several words", "write the words, or quote it"),
    Code.TILDE: ("a tilde stands for a home directory", "write the absolute path"),
    Code.BACKSLASH: ("a backslash changes what follows it", "use single quotes"),
    Code.REDIRECTION: (
        "a redirection other than to /dev/null is not read",
        "use a program that names its file, such as tee",
    ),
    Code.BACKGROUND: ("a job in the background outlives its verdict", "run it in front"),
    Code.SUBSHELL: ("parentheses start a shell of their own", "propose each command"),
    Code.NEWLINE: ("several lines are several commands", "propose one line"),
    Code.HISTORY: ("an exclamation mark may recall another command", "quote it"),
    Code.COMMENT: ("a comment may be read as part of the command", "remove it"),
    Code.UNCLOSED_QUOTE: ("a quote is not closed", "close it"),
    Code.RESERVED_WORD: ("a control structure is not read", "propose each command"),
    Code.ASSIGNMENT: (
        "a variable before the command can change what the command does",
        "pass the setting as an option",
    ),
    Code.UNUSUAL_NAME: (
        "the program's name holds characters that look like others",
        "use the program's plain name",
    ),
    Code.MISSING_COMMAND: ("a connector joins nothing", "write a command on both sides"),
    Code.INTERPRETER_CODE: (
        "code for an interpreter is not read",
        "use a program whose options say what it does",
    ),
    Code.UNREAD_INPUT: (
        "it runs what a file or its input says, and that is not known here",
        "give the commands as arguments",
    ),
    Code.HIDDEN_COMMAND: ("a command is passed to a program that may run it", "run it directly"),
    Code.CONFIGURED_COMMAND: ("a setting names a command to run", "leave the setting out"),
    Code.SHELL_STATE: ("it changes what later commands mean", "leave it out"),
    Code.SQL_UNREAD: ("the SQL inside is not read", "use `sluicegate sql`"),
    Code.TOO_DEEP: ("commands are nested too deep", "run the inner command directly"),
    Code.TOO_ENTANGLED: (
        "it names more files, hosts or inner commands together than are followed",
        "split it",
    ),
    Code.UNCLEAR_HOST: (
        "the host is written in a way that two programs read differently",
        "write a plain host name",
    ),
    Code.UNREADABLE: ("the reader failed on this command", "report it, and write it another way"),
}


def finding(code: Code, span: Span = None) -> Finding:
    """The finding for `code`."""
    message, remedy = EXPLAINED[code]
    return Finding(code=code.value, message=message, remedy=remedy, span=span)
