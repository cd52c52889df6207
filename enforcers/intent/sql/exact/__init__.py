"""
A second reading of PostgreSQL by PostgreSQL's own grammar: the extra `postgres`.

Where it is installed, an intent is the join of both readings, and where they differ the statement
is opaque. Whether it is installed does not change while a process runs.
"""

from enforcers.intent.sql.exact import precise
from enforcers.intent.sql.exact.facts import Facts
from enforcers.intent.sql.exact.second import join, second_readings

__all__ = ["Facts", "join", "precise", "second_readings"]
