"""
Timelines as SVG: shapes as well as colours, and every mark with words for those who see neither.

    one action      marks in their order, with the time between them
    many actions    a lane for each principal, time from left to right
    a period        bars, by what was decided
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.durations import shown
from console.pages.markup import Markup, element

if TYPE_CHECKING:
    from analytics.audit.population import Slot
    from analytics.seen import ActionSeen

WIDTH = 960
LEFT = 180
LANES = 20
"""Principals with a lane of their own; the others share the last."""
MARKS = 2_000
"""Marks that a picture has at most."""
DECISIONS = ("allow", "require_approval", "deny", "none")
_CUT = 28


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment in a picture."""

    at: datetime
    lane: str
    what: str
    decision: str


def picture_of_action(seen: ActionSeen) -> Markup:
    """What happened to one action, in its order; distances mean nothing, the times between are written."""
    moments = sorted(_moments(seen), key=lambda one: one.at)
    step = (WIDTH - 120) / max(1, len(moments) - 1)
    marks: list[Markup] = []
    for number, one in enumerate(moments):
        x = 60 + step * number
        since = _between(one.at - moments[number - 1].at) if number else shown(one.at)
        label = element("text", one.what[:_CUT], x=x, y=72, text_anchor="middle")
        below = element("text", since, x=x, y=24, text_anchor="middle", class_="soft")
        marks += [_shape(one, x, 45), label, below]
    axis = element("line", x1=60, x2=WIDTH - 60, y1=45, y2=45, class_="axis")
    words = "; ".join(f"{shown(one.at)} {one.what}" for one in moments)
    return _svg(f"a-{seen.id}", "Timeline of the action", words, 84, [axis, *marks])


def _moments(seen: ActionSeen) -> Iterable[Mark]:
    lane = seen.principal
    if seen.evidence.recorded_at:
        yield Mark(seen.evidence.recorded_at, lane, "proposed", "none")
    verdict, outcome = seen.verdict, seen.outcome
    used = {verdict.approval, verdict.request} if verdict else set()
    for approval in seen.words.approvals:
        if str(approval.id) in used:
            for vote in approval.votes:
                if vote.counts and vote.evidence.recorded_at:
                    yield Mark(
                        vote.evidence.recorded_at, lane, f"{vote.choice} by {vote.by}", "none"
                    )
    if verdict and verdict.evidence.recorded_at:
        yield Mark(verdict.evidence.recorded_at, lane, verdict.decision, verdict.decision)
    if outcome and outcome.evidence.recorded_at:
        yield Mark(outcome.evidence.recorded_at, lane, outcome.status, "none")


def picture_of_many(name: str, marks: Sequence[Mark]) -> Markup:
    """Actions of several principals over time."""
    shown_marks = sorted(marks, key=lambda one: one.at)[-MARKS:]
    if not shown_marks:
        return Markup("")
    lanes = list(dict.fromkeys(one.lane for one in shown_marks))
    row = {lane: min(number, LANES - 1) for number, lane in enumerate(lanes)}
    first, last = shown_marks[0].at, shown_marks[-1].at
    span = max((last - first).total_seconds(), 1e-3)
    height = 30 + 22 * min(len(lanes), LANES)
    drawn: list[Markup] = []
    for lane in lanes[:LANES]:
        y = 20 + 22 * row[lane]
        others = "others" if row[lane] == LANES - 1 and len(lanes) > LANES else lane
        drawn.append(element("text", others[:_CUT], x=4, y=y + 4))
        drawn.append(element("line", x1=LEFT, x2=WIDTH - 10, y1=y, y2=y, class_="axis"))
    for one in shown_marks:
        part = (one.at - first).total_seconds() / span
        drawn.append(_shape(one, LEFT + 10 + part * (WIDTH - LEFT - 30), 20 + 22 * row[one.lane]))
    drawn.append(element("text", shown(first), x=LEFT, y=height - 2, class_="soft"))
    drawn.append(
        element("text", shown(last), x=WIDTH - 10, y=height - 2, text_anchor="end", class_="soft")
    )
    words = f"{len(shown_marks)} actions of {len(lanes)} principals, {_told_counts(shown_marks)}"
    return _svg(name, "Actions over time", words, height, drawn)


def picture_of_slots(
    name: str, slots: Sequence[Slot], begin: datetime, width: timedelta, count: int
) -> Markup:
    """Bars over a period, each with what was decided."""
    totals = [sum(one.actions for one in slots if one.number == at) for at in range(count)]
    most = max(totals, default=0) or 1
    bar = (WIDTH - 40) / count
    drawn: list[Markup] = []
    for at in range(count):
        y = 130.0
        for decision in DECISIONS:
            found = sum(
                one.actions for one in slots if one.number == at and one.decision == decision
            )
            if not found:
                continue
            tall = 120 * found / most
            y -= tall
            words = f"{shown(begin + at * width)}: {found} {decision}"
            place = {"x": 20 + at * bar, "y": y, "width": max(1.0, bar - 2), "height": tall}
            drawn.append(element("rect", element("title", words), class_=decision, **place))
    drawn.append(element("text", shown(begin), x=20, y=146, class_="soft"))
    end = shown(begin + count * width)
    drawn.append(element("text", end, x=WIDTH - 20, y=146, text_anchor="end", class_="soft"))
    words = f"{sum(totals)} actions, at most {max(totals, default=0)} in a bar"
    return _svg(name, "Actions over the period, by decision", words, 152, drawn)


def _shape(one: Mark, x: float, y: float) -> Markup:
    """A circle for an allow, a square for a denial, a triangle for a question, a small ring else."""
    words = element("title", f"{shown(one.at)} {one.lane}: {one.what}")
    known = one.decision if one.decision in DECISIONS else "none"
    if known == "deny":
        return element("rect", words, x=x - 5, y=y - 5, width=10, height=10, class_=known)
    if known == "require_approval":
        points = f"{x:g},{y - 6:g} {x + 6:g},{y + 5:g} {x - 6:g},{y + 5:g}"
        return element("polygon", words, points=points, class_=known)
    return element("circle", words, cx=x, cy=y, r=5 if known == "allow" else 3, class_=known)


def _svg(name: str, title: str, words: str, height: int, drawn: Sequence[Markup]) -> Markup:
    labels = f"{name}-t {name}-d"
    return element(
        "svg",
        element("title", title, id=f"{name}-t"),
        element("desc", words, id=f"{name}-d"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=labels,
    )


def _told_counts(marks: Sequence[Mark]) -> str:
    counts = {name: sum(one.decision == name for one in marks) for name in DECISIONS}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _between(gap: timedelta) -> str:
    seconds = gap.total_seconds()
    if seconds < 1:
        return f"+{seconds * 1_000:.0f} ms"
    return f"+{seconds:.1f} s" if seconds < 120 else f"+{seconds / 60:.0f} min"
