"""Parts of a page that several pages have: lists of lines, tables, one action from proposal to proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from console.auditing.actions import ALARM, Line, alarms, told
from console.pages.markup import Child, Markup, element, together
from console.pages.picture import picture_of_action

if TYPE_CHECKING:
    from analytics.seen import ActionSeen

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Proposal", ("action", "who", "where", "what", "why", "when", "record")),
    ("Intent", ("intent",)),
    ("Rules and verdict", ("verdict", "must", "policy", "stopped")),
    ("Approval", ("approval", "request", "vote")),
    ("Grant", ("grant",)),
    ("Execution and outcome", ("outcome", "execution")),
    ("Proof", ("proof",)),
)
"""The way of an action, and the labels of the lines that tell of each step."""


def story_of(seen: ActionSeen, proof: Sequence[Line] = ()) -> Markup:
    """One action with its picture, step by step; what nobody trusted signed is told as the text tells it."""
    found: dict[str, list[Line]] = {title: [] for title, _ in STEPS}
    step = STEPS[0][0]
    wrong = [line for label, line in alarms(seen)]
    for label, line in (*told(seen), *proof):
        if label == ALARM:
            continue
        step = next((title for title, labels in STEPS if label in labels), step)
        found[step].append((label, line))
    steps = [
        together((element("h3", title), lines_of(lines or [("", "none recorded")])))
        for title, lines in found.items()
    ]
    heading = element("h2", f"Action {seen.id}")
    loud = (element("p", f"{ALARM}: {line}", class_="loud") for line in wrong)
    return element("article", heading, *loud, picture_of_action(seen), *steps, id=f"a-{seen.id}")


def lines_of(lines: Iterable[Line]) -> Markup:
    """Labels beside what there is to say."""
    pairs = (together((element("dt", label), element("dd", line))) for label, line in lines)
    return element("dl", *pairs)


def table(columns: Sequence[str], rows: Iterable[Sequence[Child]]) -> Markup:
    """A table with its columns' names."""
    head = element("tr", *(element("th", name, scope="col") for name in columns))
    body = (element("tr", *(element("td", one) for one in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", *body))
