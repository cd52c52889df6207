"""Transactions: BEGIN, COMMIT, ROLLBACK, savepoints, and how a transaction is isolated."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.reserved import reserved_words
from enforcers.intent.sql.session.effects import Effects, of_session, of_setting
from enforcers.intent.sql.session.plain import is_name

_PHRASES = (
    "isolation level read committed",
    "isolation level read uncommitted",
    "isolation level repeatable read",
    "isolation level serializable",
    "isolation level snapshot",
    "with consistent snapshot",
    "not deferrable",
    "deferrable",
    "read only",
    "transaction",
    "tran",
    "work",
    "deferred",
    "immediate",
    "exclusive",
    "and no chain",
)


def read_transaction(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """A statement that begins, ends or describes a transaction, or that names a place in it."""
    plain = (of_session("transaction"),)
    if words[0] in ("savepoint", "release", "rollback") and _names_savepoint(words, reading):
        return plain
    if reading.family == "tsql" and _says_transaction(words) and len(words) == 3:
        return plain if is_name(tokens[2:], reading) else None
    rest = " ".join(word for word in words[1:] if word != ",")
    if words[0] == "save" or (words[0] == "start" and not rest.startswith("transaction")):
        return None
    if "read write" in rest and _is_transaction(rest.replace("read write", "").strip()):
        return (of_setting("transaction_read_only"),)
    return plain if _is_transaction(rest) else None


def _says_transaction(words: list[str]) -> bool:
    return words[1:2] in (["tran"], ["transaction"])


def _is_transaction(rest: str) -> bool:
    while rest:
        phrase = next((p for p in _PHRASES if rest == p or rest.startswith(p + " ")), None)
        if phrase is None:
            return False
        rest = rest[len(phrase) :].strip()
    return True


def _names_savepoint(words: list[str], reading: Reading) -> bool:
    if reading.family == "tsql" and not _says_transaction(words):
        return False
    tail = [word for word in words[1:] if word not in ("work", "transaction", "to", "savepoint")]
    plain = len(tail) == 1 and tail[0].isidentifier()
    return plain and tail[0] not in reserved_words(reading.family) and tail[0] != "prepared"
