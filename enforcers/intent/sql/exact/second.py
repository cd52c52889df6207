"""The join of both readings: what PostgreSQL's parser does not say as well is opaque."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat

from enforcers.intent.model import Finding, Intent
from enforcers.intent.sql.codes import Code, finding
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.exact.compare import difference
from enforcers.intent.sql.exact.facts import Facts
from enforcers.intent.sql.exact.parser import RefusedError, is_read_exactly, statements_in
from enforcers.intent.sql.exact.tree import facts_of

Second = Facts | Finding | None
"""A statement's second reading, why it is none, or nothing where no parser is installed."""


def second_readings(text: str, reading: Reading, count: int) -> Iterator[Second]:
    """The second reading of each of the statements in the text, in order."""
    if not is_read_exactly(reading):
        return repeat(None)
    try:
        statements = statements_in(text)
    except RefusedError as error:
        return repeat(finding(Code.PARSERS_DISAGREE, str(error)))
    if len(statements) != count:
        return repeat(finding(Code.PARSERS_DISAGREE, f"{len(statements)} statements"))
    return (facts_of(one) for one in statements)


def join(intent: Intent, second: Second) -> Intent:
    """The intent of both readings; a statement that one of them did not understand stays opaque."""
    if second is None or intent.inadmissible or intent.opaque:
        return intent
    if isinstance(second, Finding):
        return replace(intent, opaque=(second,))
    differing = difference(intent, second)
    if not differing:
        return intent
    return replace(intent, opaque=(finding(Code.PARSERS_DISAGREE, differing),))
