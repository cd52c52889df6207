"""
The columns of what stands in FROM, in their order, as PostgreSQL names them.

Those of a sub-query, of values and of most functions stand in the text.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from enforcers.catalog import Table
from enforcers.intent.sql.scope import NO_NAMES, Names
from enforcers.intent.sql.views import Views, items
from enforcers.intent.sql.words import words

_RECORDS = words(
    "json_populate_record json_populate_recordset json_to_record json_to_recordset jsonb_populate_record ",
    "jsonb_populate_recordset jsonb_to_record jsonb_to_recordset populate_record pg_sequence_parameters ",
    "pg_get_catalog_foreign_keys pg_stat_get_progress_info pg_stat_get_wal_senders pg_stat_get_replication_slot ",
    "pg_stat_get_subscription_stats pg_stat_get_subscription pg_stat_get_archiver pg_stat_get_wal ",
    "pg_stat_get_slru pg_lock_status pg_get_multixact_members pg_last_committed_xact pg_identify_object ",
    "pg_identify_object_as_address pg_get_object_address pg_walfile_name_offset pg_timezone_abbrevs ",
    "pg_timezone_names ts_token_type ts_parse ts_debug pg_available_extensions pg_stat_get_backend_io ",
    "pg_available_extension_versions pg_extension_update_paths pg_get_replication_slots pg_split_walfile_name ",
    "pg_get_publication_tables pg_control_system pg_control_checkpoint pg_control_recovery pg_control_init ",
    "pg_partition_tree pg_input_error_info pg_stat_statements_info hypopg hypopg_list_indexes ",
    "hypopg_create_index st_dump st_dumppoints st_dumprings st_dumpsegments st_isvaliddetail st_squaregrid ",
    "st_hexagongrid st_minimumboundingradius st_maximuminscribedcircle st_largestemptycircle",
)
"""Built-in functions that give rows of several columns; every other gives one."""
_PAIRS = words("each json_each jsonb_each json_each_text jsonb_each_text")
_ELEMENTS = words(
    "json_array_elements json_array_elements_text jsonb_array_elements jsonb_array_elements_text",
)
_FIELDS = {
    **dict.fromkeys(_PAIRS, ("key", "value")),
    **dict.fromkeys(_ELEMENTS, ("value",)),
    "aclexplode": ("grantor", "grantee", "privilege_type", "is_grantable"),
    "_pg_expandarray": ("x", "n"),
    "pg_options_to_table": ("option_name", "option_value"),
    "pg_get_keywords": ("word", "catcode", "barelabel", "catdesc", "baredesc"),
    "pg_partition_ancestors": ("relid",),
}
"""What functions call their columns."""
LEXEMES = words("lexeme positions weights")
_WORDS = words(
    "case coalesce array row exists greatest least nullif grouping extract date_part position substring btrim ltrim ",
    "rtrim overlay timezone current_date current_time current_timestamp localtime localtimestamp current_user ",
    "session_user user current_role current_catalog current_schema xmlelement xmlconcat xmlforest xmlpi xmlroot ",
    "xmlparse xmlserialize xmlexists interval normalize is_normalized json_object json_array json_scalar ",
    "merge_action pg_collation_for",
)
"""What PostgreSQL calls a column that shows an expression of its grammar."""
_TYPES = words(
    "int2 int4 int8 float4 float8 numeric bool bpchar varchar text date time timetz timestamp timestamptz interval ",
    "uuid json jsonb bytea bit varbit name oid regclass inet xml point",
)
_MOST_COLUMNS = 1_664  # No server of the kind gives more.

Row = tuple[Names, ...]
"""The columns of a source in their order, each by the names that it may have."""


def folded(identifier: object) -> str:
    """A name as the server compares it: a quoted one as it stands."""
    name = str(getattr(identifier, "name", ""))
    quoted = isinstance(identifier, exp.Identifier) and identifier.args.get("quoted")
    return name if quoted else name.lower()


class RowColumns:
    """The columns of the sources of one tree, each found once."""

    def __init__(self, views: Views, called: Names) -> None:
        self.views = views
        self._called = called
        self._found: dict[int, Row | None] = {}

    def row(self, source: exp.Expr) -> Row | None:
        """The columns of a source, or of a common table expression; None where they are not known."""
        if id(source) not in self._found:
            # What is made of itself stays unknown.
            self._found[id(source)] = None
            row = None if source.args.get("pivots") else self._row(source)
            known = row is not None and len(row) <= _MOST_COLUMNS
            self._found[id(source)] = row if known else None
        return self._found[id(source)]

    def _row(self, source: exp.Expr) -> Row | None:
        alias = source.args.get("alias")
        given = (alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None) or []
        if any(isinstance(one, exp.ColumnDef) for one in given):
            return (*_plain(folded(one.this) for one in given), frozenset({"ordinality"}))
        row, offset = self._own(source), source.args.get("offset")
        if isinstance(source, exp.Unnest) and isinstance(offset, exp.Identifier):
            # The parser takes the last name for that of the row's number.
            given = [*given, offset] if given or folded(offset) != "offset" else given
        names = _plain(map(folded, given))
        return None if row is None else (*names, *row[len(names) :])

    def _own(self, source: exp.Expr) -> Row | None:
        """The columns without the names that an alias gives."""
        inner = source.this
        if isinstance(source, exp.Table):
            return self._of_table(source)
        if isinstance(source, exp.Values | exp.CTE):
            return self._of_query(source if isinstance(source, exp.Values) else inner)
        if isinstance(source, exp.Unnest):
            return self._of_call(source, source)
        if isinstance(source, exp.Lateral) and not isinstance(inner, exp.Subquery):
            return self._of_call(inner, source)
        if not isinstance(source, exp.Subquery | exp.Lateral):
            return None
        nested = isinstance(inner, exp.Table | exp.Subquery)
        return self._item(inner) if nested else self._of_query(inner)

    def _of_table(self, table: exp.Table) -> Row | None:
        parts = table.args.get("rows_from")
        if parts:
            rows = [self.row(one) for one in parts]
            row = None if None in rows else tuple(one for row in rows for one in row or ())
            return row and (*(one | self._called for one in row), frozenset({"ordinality"}))
        if not isinstance(table.this, exp.Identifier):
            return self._of_call(table.this, table)
        if id(table) in self.views.tables:
            return self._declared(self.views.tables[id(table)])
        expression = self.views.expression(table)
        return None if expression is None else self.row(expression)

    def _declared(self, table: Table | None) -> Row | None:
        """The columns of a table, which are all that it has where the catalog names every table."""
        known = self.views.complete and table is not None and table.columns
        return _plain(known) if known else None

    def _of_call(self, called: object, source: exp.Expr) -> Row | None:
        """The columns of a function's rows: one that is called as the alias, unless it names its own."""
        if isinstance(called, exp.JSONTable | exp.XMLTable):
            written = called.find_all(exp.JSONColumnDef, exp.ColumnDef)
            return _plain(folded(one.this) for one in written)
        if isinstance(called, exp.Dot):
            called = called.expression
        if not isinstance(called, exp.Func | exp.Unnest):
            return None
        name = (called.name if isinstance(called, exp.Anonymous) else called.sql_name()).lower()
        if name in _RECORDS:
            return None
        alias = source.args.get("alias")
        # The parser keeps no name of some functions.
        own = {folded(alias.this)} if alias else self._called | {name}
        row = _plain(_FIELDS.get(name, ())) or (frozenset(own),)
        if isinstance(called, exp.Unnest):
            if self.views.reading.family == "redshift":
                return None
            several = len(called.expressions) > 1
            row = _plain(["unnest"] * len(called.expressions)) if several else (row[0] | LEXEMES,)
        numbered = any(
            one.args.get(key) for one in (source, called) for key in ("ordinality", "offset")
        )
        return (*row, frozenset({"ordinality"})) if numbered else row

    def _of_query(self, query: exp.Expr) -> Row | None:
        """What the columns of a query are called: its first one names those of several."""
        while isinstance(query, exp.SetOperation | exp.Subquery):
            query = query.this
        if isinstance(query, exp.Values):
            first = query.expressions[0] if query.expressions else None
            width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
            return _plain(f"column{at + 1}" for at in range(width))
        if isinstance(query, exp.Select):
            return self._outputs(query, query.expressions)
        returning = query.args.get("returning")
        return self._outputs(query, returning.expressions) if returning else None

    def _outputs(self, query: exp.Expr, shown: Iterable[exp.Expr]) -> Row | None:
        found: Row | None = ()
        for one in shown:
            found = _merged(found, self._shown(query, one))
        return found

    def _shown(self, query: exp.Expr, shown: exp.Expr) -> Row | None:
        if isinstance(shown, exp.Star):
            return self._all(query)
        column = shown
        if isinstance(shown, exp.Dot) and isinstance(shown.expression, exp.Star):
            column = shown.this.unnest()
            if not isinstance(column, exp.Column):
                return None
        elif not (isinstance(shown, exp.Column) and isinstance(shown.this, exp.Star)):
            return (_shown_as(shown, self._called),)
        name = column.name if column is not shown else shown.text("table")
        sources = self.views.sources(query).get(name.lower(), [])
        return self.row(sources[0]) if len(sources) == 1 else None

    def _all(self, query: exp.Expr) -> Row | None:
        """What a star shows."""
        found: Row | None = ()
        for item in items(query):
            found = _merged(found, self._item(item))
        for join in query.args.get("joins") or ():
            found = _merged(found, self._item(join.this), join)
        return found

    def _item(self, item: exp.Expr) -> Row | None:
        """The columns of a source and of those that are joined to it in parentheses."""
        found = self.row(item)
        for join in item.args.get("joins") or ():
            found = _merged(found, self._item(join.this), join)
        return found


def _plain(names: Iterable[str]) -> Row:
    return tuple(frozenset({name}) for name in names)


def _merged(left: Row | None, right: Row | None, join: exp.Expr | None = None) -> Row | None:
    """The columns of both; those that a join makes one stand first."""
    if left is None or right is None:
        return None
    shared = _plain(folded(one) for one in (join and join.args.get("using")) or ())
    if join is not None and join.args.get("method") == "NATURAL":
        shared = tuple(one for one in left if one in right)
    rest = tuple(one for one in (*left, *right) if one not in shared)
    return (*shared, *rest)


def _shown_as(shown: exp.Expr, called: Names) -> Names:
    """What the column that shows an expression may be called."""
    inner, types = shown, NO_NAMES
    while isinstance(inner, exp.Paren | exp.Cast | exp.Bracket | exp.Collate):
        types = _TYPES | {inner.to.sql().lower()} if isinstance(inner, exp.Cast) else types
        inner = inner.this
    if isinstance(inner, exp.Alias | exp.Column):
        return frozenset({folded(inner.args["alias" if isinstance(inner, exp.Alias) else "this"])})
    if isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Identifier):
        return frozenset({folded(inner.expression)})
    if isinstance(inner, exp.Literal | exp.Null | exp.Boolean):
        return types
    calls = inner.find_all(exp.Anonymous)
    found = types | _WORDS | called | {one.name.lower() for one in calls}
    if isinstance(inner, exp.Case | exp.Subquery):
        named = inner.find_all(exp.Column, exp.Alias)
        found |= {folded(one.args.get("alias") or one.this) for one in named} | _TYPES
    return found
