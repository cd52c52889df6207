"""What PostgreSQL's own parse tree says of one statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from enforcers.intent.model import Verb

Name = tuple[str, str]
"""Namespace and name, lower case."""


@dataclass(slots=True)
class Facts:
    """Filled by the visitors of the tree."""

    kind: str
    """Type of the statement's node, e.g. `SelectStmt`; of the inner one behind EXPLAIN."""
    tree: dict[str, Any] = field(default_factory=dict)
    """The node itself."""
    explained: bool = False
    executes: bool = True
    """Whether the statement runs, or is only explained."""
    reads: set[Name] = field(default_factory=set)
    locked: set[Name] = field(default_factory=set)
    """Tables whose rows are locked against others: taken as written."""
    changes: set[tuple[Verb, Name]] = field(default_factory=set)
    """What is done to tables beside reading them."""
    objects: set[tuple[Verb, str]] = field(default_factory=set)
    """What is done to other objects, by the last part of their names."""
    functions: set[Name] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    reaches: set[Verb] = field(default_factory=set)
    """How files and programs outside are used."""
