"""SHOW, also where a tokenizer makes one literal of all that stands behind the word, as Athena's does by itself."""

from __future__ import annotations

import pytest

from enforcers.catalog import Catalog
from enforcers.intent.sql import read_sql
from enforcers.intent.sql.dialects import reading_of
from enforcers.intent.sql.script import statements_of
from enforcers.intent.sql.session.statements import read_session


@pytest.mark.parametrize("before", ["", "SELECT 1; "])
@pytest.mark.parametrize(
    "shown", ["STATS FOR users", "x DROP TABLE users", "x\tDROP\nTABLE users", "x 'a b'", "'a b' x"]
)
def test_words_that_became_one_literal_are_not_shown(before: str, shown: str) -> None:
    text = f"{before}SHOW {shown}"
    reading = reading_of("athena", text)
    tokens = reading.parser.tokenize(text)
    assert read_session(statements_of(tokens, reading)[-1].tokens, reading) is None


@pytest.mark.parametrize(
    ("dialect", "text"), [("athena", "SHOW TABLES"), ("mysql", "SHOW TABLES LIKE 'a b'")]
)
def test_one_word_and_a_true_literal_are_shown(dialect: str, text: str) -> None:
    intent = read_sql(text, dialect, Catalog({}))
    assert intent.effects
    assert not intent.opaque
    assert not intent.inadmissible
