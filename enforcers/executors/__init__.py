"""
Executors: the code that holds the credential and acts, each only through a permit.

Those of SQL go the same way; a step that fails ends it, and before (6) nothing is kept.

    (1) duty_of             what the verdict demands, before anything is opened
    (2) undone_on_error     around a fresh connection and one transaction, read-only where nothing may change
    (3) compare_structure   what the catalog said still holds, inside the transaction
    (4) statement_of        the permit is taken; the statement runs within the limits
    (5) check_changed       while too many rows can still be undone
    (6) committing          COMMIT, and what the database said to it

PostgreSQL has (4) begin before (3): preparing the text locks the tables that it names.
"""

from __future__ import annotations

from enforcers.executors.command import CommandExecutor
from enforcers.executors.duckdb_file import DuckDBExecutor
from enforcers.executors.postgres import PostgresExecutor
from enforcers.executors.sqlite_file import SQLiteExecutor

EXECUTORS = (SQLiteExecutor, DuckDBExecutor, PostgresExecutor, CommandExecutor)
"""Every executor that is shipped."""
