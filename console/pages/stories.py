"""Pages about actions: one, those of a session, and those that changed a resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from analytics.audit.contradictions import contradictions
from console.auditing.actions import Line
from console.auditing.lines import told_who_changed
from console.pages.markup import Markup, element, together
from console.pages.parts import lines_of, story_of, table
from console.pages.picture import Mark, picture_of_many
from console.pages.sheet import sheet

if TYPE_CHECKING:
    from analytics.audit.who_changed import WhoChanged
    from analytics.seen import ActionSeen

Proofs = Mapping[int, Sequence[Line]]
"""What there is to say of the proof of actions, by the sequence of their record."""


def page_of_actions(title: str, seen: Sequence[ActionSeen], proofs: Proofs | None = None) -> str:
    """Actions from their proposal to their proof."""
    return sheet(title, together((element("h1", title), *_told(seen, proofs or {}))))


def page_of_changes(found: WhoChanged, *, checked: bool, proofs: Proofs | None = None) -> str:
    """Who changed a resource."""
    title = f"Who changed {found.resource}"
    head = [line for line in told_who_changed(found, checked) if line[0] in _HEAD]
    touches = (
        (
            _link(one.action),
            touch.effect.verb,
            touch.effect.resource,
            touch.effect.extent,
            touch.how,
        )
        for one in found.changes
        for touch in one.touches
    )
    columns = ("action", "verb", "resource", "extent", "why it is thought to be this one")
    stories = _told([one.action for one in found.changes], proofs or {})
    body = (element("h1", title), lines_of(head), table(columns, touches), *stories)
    return sheet(title, together(body))


_HEAD = ("resource", "searched", "period", "found", "left out", "doubted", "unknown", "signed")


def _told(seen: Sequence[ActionSeen], proofs: Proofs) -> Iterator[Markup]:
    if len(seen) > 1:
        yield picture_of_many("many", list(_marks(seen)))
        yield table(("action", "who", "what", "decision", "outcome", "alarms"), map(_row, seen))
    yield from (story_of(one, proofs.get(one.evidence.seq, ())) for one in seen)


def _marks(seen: Iterable[ActionSeen]) -> Iterator[Mark]:
    for one in seen:
        if one.evidence.recorded_at:
            decision = one.verdict.decision if one.verdict else "none"
            yield Mark(one.evidence.recorded_at, one.principal, decision, decision)


def _row(one: ActionSeen) -> tuple[Markup | str, ...]:
    decision = one.verdict.decision if one.verdict else "none"
    outcome = one.outcome.status if one.outcome else "none"
    wrong = ", ".join(contradictions(one))
    return (_link(one), one.principal, f"{one.kind}: {one.text[:200]}", decision, outcome, wrong)


def _link(one: ActionSeen) -> Markup:
    return element("a", str(one.id), href=f"#a-{one.id}")
