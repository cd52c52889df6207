"""
Settings of a session: which are plain, and which change what a later statement means or may do.

A plain setting is an effect on the `session`; every other one is an effect on a `setting`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from enforcers.intent.model import Effect, Resource, ResourceType, Verb
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.words import words

DESCRIBE_WORDS = frozenset({"table", "view", "extended", "formatted", "output"})

_STATEMENTS = words(
    "select insert update delete replace merge upsert truncate drop alter create rename grant ",
    "revoke deny exec execute call do shutdown kill backup restore load unload copy export import ",
    "into outfile dumpfile format union",
)
"""Words that begin a statement, or a part of one that writes elsewhere."""

_PLAIN: dict[str, frozenset[str]] = {
    "postgres": words(
        "statement_timeout lock_timeout idle_in_transaction_session_timeout application_name ",
        "work_mem timezone time datestyle intervalstyle extra_float_digits client_encoding names ",
        "bytea_output random_page_cost effective_cache_size enable_seqscan enable_indexscan ",
        "enable_hashjoin enable_nestloop enable_mergejoin jit max_parallel_workers_per_gather ",
        "default_transaction_isolation transaction_isolation client_min_messages ",
        "idle_session_timeout enable_bitmapscan enable_indexonlyscan enable_material enable_sort ",
        "enable_memoize enable_hashagg enable_tidscan enable_incremental_sort enable_gathermerge ",
        "enable_parallel_append enable_parallel_hash enable_partition_pruning cpu_tuple_cost ",
        "enable_partitionwise_join enable_partitionwise_aggregate cpu_index_tuple_cost ",
        "cpu_operator_cost seq_page_cost parallel_setup_cost parallel_tuple_cost geqo ",
        "geqo_threshold join_collapse_limit from_collapse_limit plan_cache_mode hash_mem_multiplier ",
        "effective_io_concurrency synchronize_seqscans escape_string_warning lc_monetary lc_time ",
        "lc_numeric lc_messages jit_above_cost cursor_tuple_fraction default_statistics_target ",
        "gin_fuzzy_search_limit ivfflat.probes hnsw.ef_search pg_trgm.similarity_threshold",
    ),
    "mysql": words(
        "max_execution_time names character_set_results collation_connection time_zone ",
        "lock_wait_timeout innodb_lock_wait_timeout net_read_timeout net_write_timeout ",
        "query_timeout sql_select_limit max_join_size transaction_isolation profiling tx_isolation ",
        "max_statement_time group_concat_max_len wait_timeout interactive_timeout lc_time_names ",
        "sql_quote_show_create sort_buffer_size join_buffer_size read_buffer_size tmp_table_size",
    ),
    "tsql": words(
        "nocount lock_timeout datefirst dateformat language rowcount arithabort showplan_text ",
        "showplan_all showplan_xml deadlock_priority xact_abort textsize noexec parseonly fmtonly",
    ),
    "snowflake": words(
        "statement_timeout_in_seconds statement_queued_timeout_in_seconds lock_timeout timezone ",
        "query_tag week_start week_of_year_policy date_output_format time_output_format ",
        "timestamp_output_format timestamp_ltz_output_format timestamp_ntz_output_format ",
        "timestamp_tz_output_format binary_output_format rows_per_resultset use_cached_result ",
        "json_indent client_session_keep_alive",
    ),
    "oracle": words(
        "nls_date_format nls_timestamp_format nls_timestamp_tz_format nls_time_format ",
        "nls_date_language nls_calendar nls_currency time_zone statistics_level",
    ),
    "duckdb": words(
        "timezone enable_progress_bar preserve_insertion_order ",
        "default_order default_null_order calendar progress_bar_time explain_output ",
        "enable_progress_bar_print pivot_limit",
    ),
    "sqlite": frozenset(),
    "spark": words(
        "spark.sql.shuffle.partitions spark.sql.session.timezone spark.sql.adaptive.enabled ",
        "spark.sql.autobroadcastjointhreshold time timezone",
    ),
    "trino": words(
        "query_max_run_time query_max_execution_time join_distribution_type task_concurrency ",
        "join_reordering_strategy time",
    ),
    "clickhouse": words(
        "max_execution_time max_result_rows max_threads max_block_size join_use_nulls log_comment ",
        "session_timezone use_query_cache optimize_read_in_order",
    ),
}
_PLAIN_WHEN_ON = words(
    "standard_conforming_strings default_transaction_read_only transaction_read_only tx_read_only ",
    "sql_safe_updates ansi_nulls ansi_padding ansi_warnings ansi_null_dflt_on quoted_identifier ",
    "concat_null_yields_null foreign_keys query_only cell_size_check",
)
"""Settings that only make a session stricter, or as it is read anyway; switched off they do not."""
_FORMAT = re.compile(r"[a-z0-9 \-/:.,]*", re.I | re.A)
_ON = frozenset({"on", "true", "1", "yes"})
_TIMEOUTS = frozenset({"timeout", "execution_time", "run_time"})
_UNLIMITED = frozenset({"0", "-1", "0s", "0ms", "default", "off"})
_STATISTICS = [[kind, to] for kind in ("io", "time", "profile", "xml") for to in ("on", "off")]
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
    "foreign_keys cache_size busy_timeout version database_size show_tables ",
    "show_tables_expanded show functions collations platform user_agent",
)
_PLAIN_PRAGMAS = words("busy_timeout cache_size temp_store threads read_uncommitted")
_PRAGMA_WITH_ARGUMENT = words(
    "table_info table_xinfo index_list index_info index_xinfo foreign_key_list integrity_check ",
    "quick_check foreign_key_check show",
)


def begins_statement(token: Token) -> bool:
    """Whether the word, unquoted as it is, may begin another statement."""
    return token.token_type not in _VALUES and token.text.lower() in _STATEMENTS


def effect_of(name: str, value: str, reading: Reading) -> Effect:
    """The effect of giving a setting a value: plain, or not."""
    family = "postgres" if reading.family in ("redshift", "ansi") else reading.family
    plain = name in _PLAIN.get(family, frozenset()) or _is_stricter(name, value)
    lifts = value in _UNLIMITED and any(part in name for part in _TIMEOUTS)
    shows = not _is_format(name) or _FORMAT.fullmatch(value) is not None
    kind = ResourceType.SESSION if plain and shows and not lifts else ResourceType.SETTING
    return Effect(Verb.CONFIGURE, Resource(kind, name))


def _is_format(name: str) -> bool:
    """Whether the value comes back within texts: of dates, and so in what is built of them."""
    return "format" in name or name.startswith("nls_")


def _is_stricter(name: str, value: str) -> bool:
    """Whether the session is afterwards as it is read anyway, or stricter."""
    return name in _PLAIN_WHEN_ON and value in _ON


def read_altered(tokens: Sequence[Token], reading: Reading) -> tuple[Effect, ...] | None:
    """`ALTER SESSION SET name = value`, several of them one after the other."""
    words = [token.text.lower() for token in tokens]
    named = [token.text.isidentifier() for token in tokens[::3]]
    valued = [token.token_type in _VALUES or _is_word(token) for token in tokens[2::3]]
    if not tokens or len(tokens) % 3 or not all(named) or not all(valued):
        return None
    if any(word != "=" for word in words[1::3]):
        return None
    pairs = zip(words[::3], words[2::3], strict=True)
    return tuple(effect_of(name, value, reading) for name, value in pairs)


def _is_word(token: Token) -> bool:
    return token.text.isidentifier()


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
    if not all(_allowed(token) for token in tokens) or any(map(begins_statement, tokens[1:])):
        return None
    if tokens and tokens[0].text == "@":
        if not _is_variable(tokens):
            return None
        return Effect(Verb.CONFIGURE, Resource(ResourceType.SESSION, "variable"))
    words = [token.text.lower() for token in tokens if token.text not in ("@", "@@")]
    scope = words.pop(0) if words and words[0] in (*_SCOPES, "global", "persist") else ""
    while words and words[0] == ".":
        words.pop(0)
    name, value, count = _name_and_value(words)
    if reading.family == "tsql" and name == "statistics" and words[1:] in _STATISTICS:
        return Effect(Verb.CONFIGURE, Resource(ResourceType.SESSION, "statistics"))
    if not name or (reading.family == "tsql" and count > 1):
        # T-SQL needs no semicolon: a second word may begin a second statement.
        return None
    effect = effect_of(name, value, reading)
    if scope in ("global", "persist"):
        return Effect(Verb.CONFIGURE, Resource(ResourceType.SETTING, name, scope))
    return effect


def _is_variable(tokens: Sequence[Token]) -> bool:
    """`@name = literal` and nothing after it: T-SQL needs no semicolon before the next statement."""
    signs = [token.text for token in tokens[2:]]
    value = tokens[4:] if signs[1:2] == ["-"] else tokens[3:]
    literal = len(value) == 1 and value[0].token_type in _VALUES - {TokenType.IDENTIFIER}
    return literal and tokens[1].text.isidentifier() and signs[0] in ("=", ":=")


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
    assigned = rest[1] if len(rest) == 2 and rest[0] == "=" else ""
    if assigned and (name in _PLAIN_PRAGMAS or _is_stricter(name, assigned)):
        return (Effect(Verb.CONFIGURE, Resource(ResourceType.SESSION, name)),)
    return (Effect(Verb.CONFIGURE, Resource(ResourceType.SETTING, name)),)


_SHOWN_SECRETS = (("create", "user"), ("binlog",), ("relaylog",), ("credentials",), ("secrets",))
_SHOWN_VALUES = (
    ("processlist",),
    ("full", "processlist"),
    ("profile",),
    ("profiles",),
    ("engine",),
    ("explain",),
    ("analyze",),
    ("stats",),
    ("stats_buckets",),
    ("stats_topn",),
    ("stats_histograms",),
    ("column", "stats"),
    ("column_stats_usage",),
)
"""Texts of running statements, and values that statistics took from columns."""
_SECRET = re.compile(r"secret|passw|token|credential|conninfo|private_?key|api_?key")
_STRUCTURE = words("table tables view views columns fields index indexes keys")


def tags_of_show(words: list[str], reading: Reading) -> tuple[str, ...]:
    """What SHOW of these words may reveal beside names and settings."""
    if any(tuple(words[: len(start)]) == start for start in _SHOWN_SECRETS):
        return ("secret",)
    hashes = reading.family in ("mysql", "ansi")
    if hashes and words[:2] == ["grants", "for"] and words[2:3] != ["current_user"]:
        # MariaDB shows the hash of the password.
        return ("secret",)
    if _STRUCTURE.isdisjoint(words) and any(_SECRET.search(word) for word in words):
        return ("secret",)
    if any(tuple(words[: len(start)]) == start for start in _SHOWN_VALUES):
        return ("pii",)
    return ()
