"""Executors: the code that holds the credential and acts, each only through a permit."""

from __future__ import annotations

from enforcers.executors.command import CommandExecutor
from enforcers.executors.duckdb_file import DuckDBExecutor
from enforcers.executors.postgres import PostgresExecutor
from enforcers.executors.sqlite_file import SQLiteExecutor

EXECUTORS = (SQLiteExecutor, DuckDBExecutor, PostgresExecutor, CommandExecutor)
"""Every executor that is shipped."""
