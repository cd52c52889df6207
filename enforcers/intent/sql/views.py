"""What a column can name where it stands: the sources of the queries around it, and the columns that they may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp

from enforcers.catalog import Catalog
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.scope import NO_NAMES, Names, key_of
from enforcers.intent.sql.tables import Seen, see

_QUERIES = (exp.Select, exp.SetOperation)
_WITH_SOURCES = (exp.Select, exp.Update, exp.Delete, exp.Merge, exp.Insert)
_STATEMENTS = (*_WITH_SOURCES, exp.SetOperation)
_SOURCES = ("from_", "joins", "laterals", "using", "tables")

Sources = dict[str, list[exp.Expr]]
"""The sources of one statement by the names that qualify their columns, lower case."""


Around = tuple[tuple[exp.Expr, str], ...]
"""The statements whose sources a node sees, from the inside, and the clause of each that it stands in."""


class Views:
    """The sources of every query of one tree, gathered when first asked for."""

    def __init__(self, catalog: Catalog, reading: Reading, seen: Sequence[Seen]) -> None:
        self.catalog, self.reading = catalog, reading
        self.complete = catalog.unknown_tables == "opaque"
        """Whether the catalog names every table, and so every column."""
        self.tables = {id(one.node): one.table for one in seen}
        """The tables of the statement by their nodes, each with its declaration."""
        self._found: dict[int, Sources] = {}
        self._around: dict[int, Around] = {}
        self._columns: dict[int, Names | None] = {}
        self._declared: dict[int, bool] = {}
        self._expressions: dict[str, list[exp.Expr]] | None = None

    def around(self, node: exp.Expr) -> Around:
        """All nodes between one and its statement see the same, so each is climbed from once."""
        climbed: list[int] = []
        while id(node) not in self._around:
            climbed.append(id(node))
            if node.parent is None or isinstance(node.parent, _STATEMENTS):
                self._around[id(node)] = tuple(_climb(node))
                break
            node = node.parent
        found = self._around[id(node)]
        self._around.update(dict.fromkeys(climbed, found))
        return found

    def sources(self, statement: exp.Expr) -> Sources:
        """The sources that a statement names itself."""
        if id(statement) not in self._found:
            self._found[id(statement)] = _sources(statement)
        return self._found[id(statement)]

    def seen_from(self, column: exp.Expr, statement: exp.Expr) -> list[exp.Expr]:
        """The sources of a statement that a column sees there: not the one that is made of it."""
        sources = [one for named in self.sources(statement).values() for one in named]
        around: set[int] = set()
        node = column
        while node.parent is not None and node is not statement:
            if node.arg_key == "this":
                # Clauses behind a source, such as PIVOT, do see its columns.
                around.add(id(node.parent))
            node = node.parent
        return [one for one in sources if id(one) not in around]

    def named(self, column: exp.Expr, name: str) -> list[exp.Expr]:
        """The sources that the column sees under the name."""
        return [
            source
            for statement, _ in self.around(column)
            for source in self.sources(statement).get(name, ())
        ]

    def owns(self, source: exp.Expr, name: str) -> bool | None:
        """Whether the source has a column of the name; None where that is not known."""
        columns = self._known(source)
        return None if columns is None else name in columns

    def expression(self, table: exp.Table) -> exp.CTE | None:
        """The common table expression that a name means: the nearest that is defined before it."""
        if table.args.get("db"):
            return None
        name, node = key_of(table.this, self.reading), table.parent
        inside: exp.Expr = table
        while node is not None:
            around = node if isinstance(node, exp.With) else node.args.get("with_")
            if isinstance(around, exp.With) and around is not inside:
                for cte in _before(around, inside):
                    alias = cte.args.get("alias")
                    if alias is not None and key_of(alias.this, self.reading) == name:
                        return cte
            inside, node = node, node.parent
        return None

    def declares_some(self, statement: exp.Expr) -> bool:
        """Whether a source that the statement names itself is a table of the catalog."""
        if id(statement) not in self._declared:
            named = self.sources(statement).values()
            self._declared[id(statement)] = any(
                self.declares(one) for part in named for one in part
            )
        return self._declared[id(statement)]

    def declares(self, source: exp.Expr) -> bool:
        """Whether the source is a table of the catalog."""
        if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
            return False
        return see(source, self.catalog, self.reading).table is not None

    def _columns_of(self, source: exp.Expr) -> Names | None:
        found: Names | None = _given(source)
        if not found and isinstance(source, exp.Table):
            found = self._columns_of_table(source)
        elif not found and isinstance(source, exp.Subquery | exp.Lateral):
            found = self._outputs(source.this)
        elif not found and isinstance(source, exp.MatchRecognize):
            found = frozenset(one.this.alias.lower() for one in source.args.get("measures") or ())
        return _pivoted(source, found) if found else None

    def _columns_of_table(self, table: exp.Table) -> Names | None:
        if not isinstance(table.this, exp.Identifier):
            return _columns_of_call(table.this)
        hidden = table.args.get("db") or id(table) in self.tables
        expressions = () if hidden else self._called(table)
        if expressions:
            return _joined([_given(one) or self._outputs(one.this) for one in expressions])
        declared = see(table, self.catalog, self.reading).table
        if declared is not None and declared.columns:
            return frozenset(declared.columns)
        of_server = table.name.lower() == "dual" and table.db.lower() in ("", "sys")
        return frozenset({"dummy"}) if of_server else None

    def _called(self, table: exp.Table) -> Sequence[exp.Expr]:
        """The common table expressions of the name, wherever they are defined."""
        if self._expressions is None:
            self._expressions = {}
            for cte in table.root().find_all(exp.CTE):
                self._expressions.setdefault(cte.alias.lower(), []).append(cte)
        return self._expressions.get(table.name.lower(), ())

    def _outputs(self, query: object) -> Names | None:
        """What the columns of a query are called; a star names those of all its sources."""
        while isinstance(query, exp.SetOperation | exp.Subquery):
            query = query.this
        if not isinstance(query, exp.Select):
            return None
        found: list[Names | None] = [
            frozenset(one.alias_or_name.lower() for one in query.expressions)
        ]
        if query.is_star:
            found += [self._known(one) for named in self.sources(query).values() for one in named]
        return _joined(found)

    def _known(self, source: exp.Expr) -> Names | None:
        if id(source) not in self._columns:
            # What is made of itself stays unknown.
            self._columns[id(source)] = None
            self._columns[id(source)] = self._columns_of(source)
        return self._columns[id(source)]


def _before(around: exp.With, inside: exp.Expr) -> Iterator[exp.CTE]:
    """The expressions that one of them sees, or the statement behind them."""
    for cte in around.expressions:
        if cte is inside and not around.args.get("recursive"):
            return
        yield cte


def items(statement: exp.Expr) -> list[exp.Expr]:
    """The sources of a statement but for those that are joined to them, its target first."""
    found: list[exp.Expr] = []
    for key in ("this", "from_", "using", "laterals"):
        value = statement.args.get(key)
        for part in value if isinstance(value, list) else [value]:
            inner = part.this if isinstance(part, exp.From | exp.Schema) else part
            if isinstance(inner, exp.Expr):
                found.append(inner)
    return found


def _joined(parts: Iterable[Names | None]) -> Names | None:
    found = list(parts)
    return None if None in found else NO_NAMES.union(*(one for one in found if one))


def _columns_of_call(called: object) -> Names | None:
    """The columns that a call of a table function writes out."""
    if not isinstance(called, exp.JSONTable | exp.XMLTable):
        return None
    written = called.find_all(exp.JSONColumnDef, exp.ColumnDef)
    return frozenset({"column_value", *(one.name.lower() for one in written)})


def _pivoted(source: exp.Expr, columns: Names) -> Names:
    """The columns with those that a pivot adds: each value with each aggregate, or what UNPIVOT names."""
    for pivot in source.args.get("pivots") or ():
        own = {
            node.name.lower()
            for node in pivot.find_all(exp.Identifier, exp.Literal)
            if not isinstance(node.parent, exp.Column)
        }
        own |= {f"'{name}'" for name in own}
        columns = columns | own | {f"{one}_{other}" for one in own for other in own}
    return columns


def _climb(node: exp.Expr) -> Iterator[tuple[exp.Expr, str]]:
    """Every statement around a node, but for those whose sources a query in FROM or WITH does not see."""
    queried = hidden = False
    while node.parent is not None:
        child, node = node, node.parent
        if isinstance(node, exp.Lateral):
            queried = False
        elif _hides(node, child.arg_key):
            hidden = hidden or queried
        elif isinstance(node, _WITH_SOURCES):
            if not hidden and not (isinstance(node, exp.Insert) and queried):
                yield node, child.arg_key or ""
            hidden = False
        queried = queried or isinstance(node, _QUERIES)


def _hides(around: exp.Expr, key: str | None) -> bool:
    """Whether a query there does not see the sources of the one around it."""
    joined = isinstance(around, exp.Join) and key == "this"
    return joined or isinstance(around, exp.From | exp.With) or key == "using"


def _given(source: exp.Expr) -> Names:
    """The names that an alias gives to all columns."""
    alias = source.args.get("alias")
    given = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    return frozenset(column.name.lower() for column in given or ())


def _sources(statement: exp.Expr) -> Sources:
    found: Sources = {}
    parts = _SOURCES if isinstance(statement, exp.Select) else ("this", *_SOURCES)
    for key in parts:
        value = statement.args.get(key)
        for part in value if isinstance(value, list) else [value]:
            for node in _inside(part):
                name = _qualifier(node)
                if name:
                    found.setdefault(name, []).append(node)
    match = statement.args.get("match")
    if isinstance(match, exp.Expr):
        found.setdefault(_qualifier(match) or "?", []).append(match)
    return found


def _inside(part: object) -> Iterator[exp.Expr]:
    """The nodes of a FROM item, without those of its sub-queries."""
    if isinstance(part, exp.Expr):
        yield from part.walk(prune=lambda node: isinstance(node, _QUERIES))


def _qualifier(node: exp.Expr) -> str:
    if isinstance(node, exp.Table | exp.Subquery | exp.Lateral | exp.UDTF):
        return node.alias_or_name.lower() or "?"
    alias = node.args.get("alias")
    return alias.name.lower() if isinstance(alias, exp.TableAlias) else ""
