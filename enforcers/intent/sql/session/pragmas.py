"""PRAGMA of SQLite and DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.file_names import is_path
from enforcers.intent.sql.session.assignments import is_assigned
from enforcers.intent.sql.session.effects import Effects, of_session, of_setting, shows
from enforcers.intent.sql.session.settings import is_stricter
from enforcers.intent.sql.words import words as names

_READING = names(
    "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list ",
    "database_list collation_list compile_options function_list module_list pragma_list ",
    "integrity_check quick_check foreign_key_check page_count page_size freelist_count encoding ",
    "user_version schema_version application_id data_version journal_mode synchronous ",
    "foreign_keys cache_size busy_timeout version database_size show_tables ",
    "show_tables_expanded show functions collations platform user_agent analysis_limit ",
    "auto_vacuum automatic_index cache_spill cell_size_check defer_foreign_keys ",
    "hard_heap_limit ignore_check_constraints journal_size_limit legacy_alter_table ",
    "locking_mode max_page_count mmap_size query_only read_uncommitted recursive_triggers ",
    "reverse_unordered_selects secure_delete soft_heap_limit temp_store threads trusted_schema ",
    "wal_autocheckpoint writable_schema",
)
"""Without an argument they read, and change nothing."""
_READING_OF_ARGUMENT = names(
    "table_info table_xinfo index_list index_info index_xinfo foreign_key_list integrity_check ",
    "quick_check foreign_key_check show",
)
_PLAIN = names("busy_timeout cache_size threads read_uncommitted")
_BARE = names(
    "enable_progress_bar disable_progress_bar enable_print_progress_bar disable_print_progress_bar"
)
"""DuckDB's words for a setting of the session and its value in one."""


def read_pragma(words: list[str], tokens: Sequence[Token], reading: Reading) -> Effects:
    """`PRAGMA [schema.]name [(argument)]` that only reads; an assignment is a setting."""
    if reading.family not in ("sqlite", "duckdb"):
        return None
    if not all(is_assigned(token) or token.text in "()" for token in tokens[1:]):
        return None
    spoken = words[3:] if words[2:3] == ["."] else words[1:]
    if not spoken:
        return None
    name, rest = spoken[0], spoken[1:]
    if _reads(name, rest):
        return shows(name)
    plain = _is_plain(name, rest)
    return (of_session(name) if plain else of_setting(name),)


def _reads(name: str, rest: list[str]) -> bool:
    if len(rest) == 3 and rest[0] == "(":
        return name in _READING_OF_ARGUMENT and not is_path(rest[1])
    return name in _READING and rest in ([], ["(", ")"])


def _is_plain(name: str, rest: list[str]) -> bool:
    if name in _BARE and not rest:
        return True
    if rest[1:2] == ["-"] and name == "cache_size":
        # So many kilobytes, where a number without a sign counts pages.
        rest = [rest[0], *rest[2:]]
    value = rest[1] if len(rest) == 2 and rest[0] == "=" else ""
    return bool(value) and (name in _PLAIN or is_stricter(name, value))
