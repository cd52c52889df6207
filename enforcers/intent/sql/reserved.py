"""
Reserved words that stand unquoted where a name was read.

The parser reads a second T-SQL statement, which needs no semicolon before it, as an alias or an
argument of the first. No server reads a reserved word so, and neither may we.
"""

from __future__ import annotations

from enforcers.intent.sql.words import words

_STATEMENTS = words(
    "alter create delete drop exec execute grant insert into merge revoke select truncate update ",
    "where union except intersect having",
)
_TSQL = _STATEMENTS | words(
    "add all and any as asc authorization backup begin between break browse bulk by cascade case ",
    "check checkpoint close clustered coalesce collate column commit compute constraint contains ",
    "containstable continue convert cross cursor database dbcc deallocate declare default deny ",
    "desc disk distinct distributed dump else end errlvl escape exists exit external fetch file ",
    "fillfactor for foreign freetext freetexttable from full function go goto group holdlock ",
    "identity_insert identitycol if in index inner is join key kill like lineno load national ",
    "nocheck nonclustered not null nullif of off offsets on open opendatasource openquery ",
    "openrowset openxml option or order outer over percent pivot plan precision primary print ",
    "proc procedure public raiserror read readtext reconfigure references replication restore ",
    "restrict return revert rollback rowcount rule save schema securityaudit ",
    "semantickeyphrasetable semanticsimilaritydetailstable set setuser shutdown ",
    "some statistics table tablesample textsize then throw to top tran transaction trigger ",
    "tsequal unique unpivot updatetext use user values varying view waitfor when while with ",
    "writetext",
)
_POSTGRES = _STATEMENTS | words(
    "analyze and asymmetric both check collate constraint deferrable desc do end fetch for ",
    "foreign from group initially leading limit lateral not offset on only or order primary ",
    "references returning symmetric then to trailing unique using variadic when window with",
)
_MYSQL = _STATEMENTS | words(
    "analyze before by call cascade change condition continue cross cursor declare describe ",
    "elseif exit explain fetch for force foreign from group handler if inner inout iterate join ",
    "keys kill leave left limit load lock loop match natural on optimize or order outer outfile ",
    "procedure purge references release rename repeat replace require resignal restrict return ",
    "right set show signal spatial sql starting straight_join table then to trigger undo unlock ",
    "use using values when while with write",
)
_WORDS = {"tsql": _TSQL, "postgres": _POSTGRES, "redshift": _STATEMENTS, "mysql": _MYSQL}

# What the parser itself keeps as a name although it is an expression of the dialect.
_EXPRESSIONS = {"tsql": frozenset({"user"}), "mysql": frozenset({"if", "replace", "values"})}


_BEFORE_TABLES = words("table values show describe desc summarize explain")

_VALUES = words(
    "user current_user session_user system_user current_role current_catalog current_schema ",
    "current_date current_time current_timestamp localtime localtimestamp",
)


def reserved_words(family: str) -> frozenset[str]:
    """Words that are no unquoted name in this family of dialects, lower case."""
    return _WORDS.get(family, _STATEMENTS)


def is_expression(word: str, family: str) -> bool:
    """Whether the word, although reserved, is also a value that the parser reads as a column."""
    return word in _EXPRESSIONS.get(family, frozenset())


def is_before_table(word: str) -> bool:
    """Whether the word, where a table is named, is a keyword in front of the name: `FROM (TABLE users)`."""
    return word.lower() in _BEFORE_TABLES


def is_value(word: str, family: str) -> bool:
    """Whether the word alone is a function of PostgreSQL, in FROM as well: no table has its name."""
    return word in _VALUES and family in ("postgres", "redshift")
