"""
Reason codes of SQL intents: stable, each with one sentence and its remedy.

`INADMISSIBLE` codes are reasons that no policy may override; every other code is opaque.
"""

from __future__ import annotations

from enum import StrEnum

from enforcers.intent.model import Finding


class Code(StrEnum):
    """Why a statement is inadmissible or opaque."""

    OVERSIZED = "oversized"
    NUL_BYTE = "nul_byte"
    INVISIBLE_CHARACTER = "invisible_character"
    EXECUTABLE_COMMENT = "executable_comment"
    UNICODE_ESCAPE = "unicode_escape"
    AMBIGUOUS_LINE_END = "ambiguous_line_end"
    AMBIGUOUS_QUOTING = "ambiguous_quoting"
    CLIENT_COMMAND = "client_command"
    TOO_MANY_TOKENS = "too_many_tokens"
    TOO_DEEP = "too_deep"
    TOO_MANY_JOINS = "too_many_joins"
    TOO_MANY_SUBSCRIPTS = "too_many_subscripts"
    NON_ASCII_NAME = "non_ascii_name"
    UNPARSABLE = "unparsable"
    SEVERAL_STATEMENTS = "several_statements"
    UNKNOWN_STATEMENT = "unknown_statement"
    UNKNOWN_DIALECT = "unknown_dialect"
    UNKNOWN_FUNCTION = "unknown_function"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_CLAUSE = "unknown_clause"
    RESERVED_WORD = "reserved_word"
    DYNAMIC_NAME = "dynamic_name"
    LONG_NAME = "long_name"
    PARSERS_DISAGREE = "parsers_disagree"


SENTENCES: dict[Code, tuple[str, str]] = {
    Code.OVERSIZED: ("the text is longer than 64 KB", "send a shorter statement"),
    Code.NUL_BYTE: ("the text holds a NUL byte", "remove it"),
    Code.INVISIBLE_CHARACTER: (
        "the text holds an invisible or control character",
        "type the statement again with visible characters",
    ),
    Code.EXECUTABLE_COMMENT: (
        "the text holds a comment that the server executes",
        "write it as plain sql or as a plain comment",
    ),
    Code.UNICODE_ESCAPE: ("a name or a string is written with U&", "write the characters"),
    Code.AMBIGUOUS_LINE_END: (
        "servers differ on where a comment begins or ends",
        "write `-- ` with a blank, nest no comments, and end lines with a line feed",
    ),
    Code.AMBIGUOUS_QUOTING: (
        "a quote reads differently under another sql mode or on another server",
        "write strings in single quotes, and double a quote within",
    ),
    Code.CLIENT_COMMAND: ("a command of a client, not of the server", "send sql only"),
    Code.TOO_MANY_TOKENS: ("more than 4000 tokens", "split the statement"),
    Code.TOO_DEEP: ("nested too deeply", "use common table expressions"),
    Code.TOO_MANY_JOINS: ("too many joins wait for ON or USING", "write ON after each join"),
    Code.TOO_MANY_SUBSCRIPTS: ("too many subscripts in a chain", "use fewer subscripts"),
    Code.NON_ASCII_NAME: (
        "a name holds a letter outside ASCII, which may look like another",
        "use an ASCII alias or ask for approval",
    ),
    Code.UNPARSABLE: ("the statement cannot be parsed", "correct it, or write it more simply"),
    Code.SEVERAL_STATEMENTS: (
        "several statements that cannot be read together",
        "send one at a time",
    ),
    Code.UNKNOWN_STATEMENT: ("this kind of statement is not understood", "ask for approval"),
    Code.UNKNOWN_DIALECT: (
        "only reads are understood in this dialect",
        "name the database's dialect",
    ),
    Code.UNKNOWN_FUNCTION: ("a function is not known to be harmless", "use a built-in function"),
    Code.UNKNOWN_TABLE: ("a table is not in the catalog", "add it to the catalog"),
    Code.UNKNOWN_CLAUSE: ("a clause is not understood", "write the statement without it"),
    Code.RESERVED_WORD: (
        "a reserved word stands where a name is read",
        "quote the name, or end the statement with a semicolon",
    ),
    Code.DYNAMIC_NAME: ("a name is computed when it runs", "write the name"),
    Code.LONG_NAME: (
        "a name is longer than 63 bytes, and the server cuts it off",
        "use the shorter name",
    ),
    Code.PARSERS_DISAGREE: (
        "postgresql's own parser reads the statement differently",
        "write it more simply, with the names that postgresql uses",
    ),
}

INADMISSIBLE = frozenset(
    {
        Code.OVERSIZED,
        Code.NUL_BYTE,
        Code.INVISIBLE_CHARACTER,
        Code.EXECUTABLE_COMMENT,
        Code.UNICODE_ESCAPE,
        Code.AMBIGUOUS_LINE_END,
        Code.AMBIGUOUS_QUOTING,
        Code.CLIENT_COMMAND,
        Code.TOO_MANY_TOKENS,
        Code.TOO_DEEP,
        Code.TOO_MANY_JOINS,
        Code.TOO_MANY_SUBSCRIPTS,
    }
)


def finding(code: Code, detail: str = "", span: tuple[int, int] | None = None) -> Finding:
    """The finding of a code; `detail` names the offender and is kept short, on one line."""
    sentence, remedy = SENTENCES[code]
    shown = "".join(char if char.isprintable() else "?" for char in detail[:80])
    return Finding(code.value, f"{sentence}: {shown}" if shown else sentence, remedy, span)
