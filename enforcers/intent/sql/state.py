"""What has been learnt of a statement while its tree is walked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlglot import exp

from enforcers.catalog import Catalog
from enforcers.intent.model import (
    Effect,
    Extent,
    Finding,
    Flow,
    Resource,
    ResourceType,
    Verb,
)
from enforcers.intent.sql.codes import Code, finding
from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.tables import Seen

SESSION = Resource(ResourceType.SESSION, "result")
"""Where a read's rows go."""


class Starred(NamedTuple):
    """A star: its qualifier, its column or the query around it, and the columns that it leaves out."""

    qualifier: str
    node: exp.Expr | None
    without: frozenset[str]


@dataclass(slots=True)
class State:
    """Filled by the visitors, turned into effects at the end of the walk."""

    reading: Reading
    catalog: Catalog
    text: str
    executes: bool = True
    """Whether the statement runs, or is only explained."""
    piped: int = 0
    """How many statements stand before it whose rows it may read, as in Snowflake's `SHOW TABLES ->> SELECT …`."""
    reads: list[Seen] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)
    columns: list[tuple[str, str]] = field(default_factory=list)
    dotted: list[exp.Column] = field(default_factory=list)
    """Columns whose first part may be no table: fields, and calls without parentheses."""
    derived: bool = False
    """Whether a source may be more than a table under its own name or one alias: its columns stand in the text."""
    stars: list[Starred] = field(default_factory=list)
    writes: list[tuple[Verb, Seen, Extent]] = field(default_factory=list)
    skip: set[int] = field(default_factory=set)
    """Nodes whose meaning another visitor has taken, by identity."""
    whole_rows: bool = False
    """Whether something covers every column of every table."""

    def doubt(self, code: Code, detail: str = "") -> None:
        """Record a reason why the statement is not understood; once per code and detail."""
        self.findings.setdefault((code, detail), finding(code, detail))

    def act(self, verb: Verb, resource: Resource, extent: Extent = Extent.NONE) -> None:
        """Record an effect; once."""
        effect = Effect(verb, resource, extent)
        if effect not in self.effects:
            self.effects.append(effect)

    def flow(self, source: Resource, sink: Resource) -> None:
        """Record that data moves."""
        self.flows.append(Flow(source, sink))
