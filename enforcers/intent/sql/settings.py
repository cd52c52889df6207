"""
Settings of a session: which are plain, and which change what a later statement means or may do.

A plain setting is an effect on the `session`; every other one is an effect on a `setting`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Effect, Resource, ResourceType, Verb
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.words import words

DESCRIBE_WORDS = frozenset({"table", "view", "extended", "formatted", "output"})

_PLAIN: dict[str, frozenset[str]] = {
    "postgres": words(
        "statement_timeout lock_timeout idle_in_transaction_session_timeout application_name ",
        "work_mem timezone time datestyle intervalstyle extra_float_digits client_encoding names ",
        "bytea_output random_page_cost effective_cache_size enable_seqscan enable_indexscan ",
        "enable_hashjoin enable_nestloop enable_mergejoin jit max_parallel_workers_per_gather ",
        "default_transaction_isolation transaction_isolation client_min_messages",
    ),
    "mysql": words(
        "max_execution_time names character_set_results collation_connection time_zone ",
        "lock_wait_timeout innodb_lock_wait_timeout net_read_timeout net_write_timeout ",
        "query_timeout sql_select_limit max_join_size transaction_isolation profiling",
    ),
    "tsql": words(
        "nocount lock_timeout datefirst dateformat language rowcount arithabort showplan_text ",
        "showplan_all showplan_xml deadlock_priority xact_abort",
    ),
    "snowflake": words(
        "statement_timeout_in_seconds timezone query_tag week_start date_output_format"
    ),
    "duckdb": words(
        "threads memory_limit max_memory timezone enable_progress_bar preserve_insertion_order ",
        "default_order default_null_order",
    ),
    "sqlite": frozenset(),
    "spark": frozenset({"spark.sql.shuffle.partitions", "spark.sql.session.timezone"}),
    "trino": frozenset({"query_max_run_time", "query_max_execution_time"}),
    "clickhouse": frozenset({"max_execution_time", "max_result_rows", "max_threads"}),
}
_TIMEOUTS = frozenset({"timeout", "execution_time", "run_time"})
_UNLIMITED = frozenset({"0", "-1", "0s", "0ms", "default", "off"})
_SCOPES = frozenset({"session", "local"})
_VALUES = {
    TokenType.STRING,
    TokenType.NUMBER,
    TokenType.NATIONAL_STRING,
    TokenType.IDENTIFIER,
}
_PRAGMAS = words(
    "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list ",
    "database_list collation_list compile_options function_list module_list pragma_list ",
    "integrity_check quick_check foreign_key_check page_count page_size freelist_count encoding ",
    "user_version schema_version application_id data_version journal_mode synchronous ",
    "foreign_keys cache_size busy_timeout version database_size storage_info show_tables ",
    "show_tables_expanded show functions collations platform user_agent",
)
_PRAGMA_WITH_ARGUMENT = words(
    "table_info table_xinfo index_list index_info index_xinfo foreign_key_list integrity_check ",
    "quick_check foreign_key_check storage_info show",
)


def effect_of(name: str, value: str, reading: Reading) -> Effect:
    """The effect of giving a setting a value: plain, or not."""
    family = "postgres" if reading.family in ("redshift", "ansi") else reading.family
    plain = name in _PLAIN.get(family, frozenset())
    lifts = value in _UNLIMITED and any(part in name for part in _TIMEOUTS)
    kind = ResourceType.SESSION if plain and not lifts else ResourceType.SETTING
    return Effect(Verb.CONFIGURE, Resource(kind, name))


def read_set(tokens: Sequence[Token], reading: Reading) -> tuple[Effect, ...] | None:
    """`SET [SESSION | LOCAL] name {= | TO} value`, several of them where commas part them."""
    parts = _split(tokens) if reading.family == "mysql" else [list(tokens)]
    effects = [_assignment(part, reading) for part in parts]
    if any(effect is None for effect in effects):
        return None
    return tuple(effect for effect in effects if effect is not None)


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.token_type is TokenType.COMMA:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _assignment(tokens: list[Token], reading: Reading) -> Effect | None:
    """One name with its value; None where either is more than plain words."""
    if not all(_allowed(token) for token in tokens):
        return None
    text = "".join(token.text for token in tokens[:4]).lower()
    if text.startswith("@") and not text.startswith("@@"):
        return Effect(Verb.CONFIGURE, Resource(ResourceType.SESSION, "variable"))
    words = [token.text.lower() for token in tokens if token.text not in ("@", "@@")]
    scope = words.pop(0) if words and words[0] in (*_SCOPES, "global", "persist") else ""
    while words and words[0] == ".":
        words.pop(0)
    name, value, count = _name_and_value(words)
    if not name or (reading.family == "tsql" and count > 1):
        # T-SQL needs no semicolon: a second word may begin a second statement.
        return None
    effect = effect_of(name, value, reading)
    if scope in ("global", "persist"):
        return Effect(Verb.CONFIGURE, Resource(ResourceType.SETTING, name, scope))
    return effect


def _name_and_value(words: list[str]) -> tuple[str, str, int]:
    name = words[0] if words else ""
    at = 1
    while at + 1 < len(words) and words[at] == ".":
        name = f"{name}.{words[at + 1]}"
        at += 2
    rest = [word for word in words[at:] if word not in ("=", "to", ":=")]
    return name, "".join(rest), len(rest)


def _allowed(token: Token) -> bool:
    signs = (TokenType.EQ, TokenType.DOT, TokenType.COMMA, TokenType.DASH, TokenType.PARAMETER)
    kind = token.token_type
    named = kind in _VALUES or kind in signs or kind is TokenType.SESSION_PARAMETER
    return named or token.text.isidentifier() or token.text == ":="


def read_pragma(tokens: Sequence[Token]) -> tuple[Effect, ...] | None:
    """`PRAGMA [schema.]name [(argument)]` that only reads; an assignment is a setting."""
    words = [token.text.lower() for token in tokens]
    if words[1:2] == ["."]:
        words = words[2:]
    if not words or not all(_allowed(token) or token.text in "()" for token in tokens):
        return None
    name, rest = words[0], words[1:]
    with_argument = len(rest) == 3 and rest[0] == "(" and name in _PRAGMA_WITH_ARGUMENT
    if name in _PRAGMAS and (not rest or rest == ["(", ")"] or with_argument):
        return (Effect(Verb.READ, Resource(ResourceType.SETTING, name)),)
    return (Effect(Verb.CONFIGURE, Resource(ResourceType.SETTING, name)),)


_SHOWN_SECRETS = (("create", "user"), ("binlog",), ("relaylog",), ("credentials",), ("secrets",))
_SHOWN_VALUES = (("processlist",), ("full", "processlist"), ("profile",), ("profiles",))


def tags_of_show(words: list[str]) -> tuple[str, ...]:
    """What SHOW of these words may reveal beside names and settings."""
    if any(tuple(words[: len(start)]) == start for start in _SHOWN_SECRETS):
        return ("secret",)
    if any(tuple(words[: len(start)]) == start for start in _SHOWN_VALUES):
        return ("pii",)
    return ()
