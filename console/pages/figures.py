"""Pages about a period: its population, and what was unusual in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analytics.audit.population import SLOTS
from analytics.audit.unusual import MEANINGS
from console.auditing.actions import Line, place
from console.auditing.lines import UNCHECKED, period_told, told_population
from console.durations import shown
from console.pages.markup import Child, Markup, element, together
from console.pages.parts import lines_of, table
from console.pages.picture import picture_of_slots
from console.pages.sheet import sheet

if TYPE_CHECKING:
    from analytics.audit.population import Population
    from analytics.audit.unusual import Exceptions, ExceptionSeen


def page_of_lines(title: str, lines: Iterable[Line]) -> str:
    """Labels and what there is to say, as in a terminal."""
    return sheet(title, together((element("h1", title), lines_of(lines))))


def page_of_population(found: Population) -> str:
    """A period in figures."""
    title = "Population of a period"
    return sheet(title, together((element("h1", title), population_part(found))))


def population_part(found: Population) -> Markup:
    """The figures and their picture."""
    period = found.period
    width = (period.until - period.since) / SLOTS
    picture = picture_of_slots("bars", found.slots, period.since, width, SLOTS)
    return together((picture, lines_of(told_population(found))))


def page_of_exceptions(found: Exceptions) -> str:
    """What was unusual."""
    title = "Exceptions of a period"
    return sheet(title, together((element("h1", title), exceptions_part(found))))


def exceptions_part(found: Exceptions) -> Markup:
    """How many of each kind, and every case."""
    parts = [element("p", period_told(found.period))]
    if not found.checked:
        parts.append(element("p", f"Signatures {UNCHECKED}", class_="loud"))
    counted = ((code, found.counts.get(code, 0), text) for code, text in MEANINGS.items())
    parts.append(table(("code", "cases", "meaning"), counted))
    columns = ("code", "when", "who", "what", "actions", "records")
    parts.append(table(columns, map(_row, found.cases)))
    return together(parts)


def _row(one: ExceptionSeen) -> tuple[Child, ...]:
    when = shown(one.at) if one.at else "without a time"
    actions = "\n".join(map(str, one.actions[:20]))
    return (one.code, when, one.who, one.what, actions, "\n".join(map(place, one.records[:20])))
