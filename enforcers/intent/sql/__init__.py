"""Reads SQL: text, dialect and catalog → Intent."""

from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.reader import read_sql

__all__ = ["Code", "read_sql"]
