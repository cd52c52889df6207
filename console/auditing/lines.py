"""
What auditors asked, as lines for people: a label, and what there is to say.

INVARIANT: a figure that was not checked says so, and what was left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from analytics.audit.unusual import MEANINGS
from console.auditing.actions import DIGITS, Line, place, told_briefly
from console.durations import shown, until
from console.plain import counted
from console.quarantines import described

if TYPE_CHECKING:
    from analytics.audit.elsewhere import Elsewhere
    from analytics.audit.gaps import Gap, OffsetGap, OffsetGaps
    from analytics.audit.period import Period
    from analytics.audit.population import Population
    from analytics.audit.proven import ProofSeen
    from analytics.audit.unusual import Exceptions
    from analytics.audit.who_changed import WhoChanged
    from console.auditing.as_of import AsOf, Laid

NAMED = 20
"""Most lines of one list of figures."""
UNCHECKED = (
    "NOT checked: without a trust file nobody can say what is forged; name it with SLUICEGATE_TRUST"
)


def period_told(period: Period) -> str:
    """From when to when."""
    return f"{shown(period.since)} up to, not including, {shown(period.until)}"


def told_who_changed(found: WhoChanged, checked: bool) -> Iterator[Line]:
    """Every change of a resource, and what is not in the list."""
    yield "resource", found.resource
    yield "searched", found.looked_for
    yield "period", period_told(found.period)
    yield "found", counted(len(found.changes), "change")
    for one in found.changes:
        yield from told_briefly(one.action)
        for touch in one.touches:
            effect = touch.effect
            what = f"{effect.verb} {effect.type} {effect.resource}, extent {effect.extent}"
            yield "", f"{what}: {touch.how}"
    if found.left_out:
        yield "left out", f"{found.left_out} older ones; give --limit, or a shorter period"
    if found.doubted:
        yield "doubted", f"{found.doubted} more are named only by verdicts that do NOT count"
    if found.unknown:
        yield (
            "unknown",
            f"of {counted(found.unknown, 'action')} nobody knows what they touch: rows whose `changes` is"
            " unknown in `sluicegate audit population --csv`",
        )
    yield from _checked(checked)


def told_population(found: Population) -> Iterator[Line]:
    """A period in figures."""
    counts, what = found.counts, "changes" if found.changes_only else "actions"
    yield "period", period_told(found.period)
    yield "counted", f"{found.counted} {what}, of {counts.actions} actions"
    if found.first is not None:
        yield "sequence", f"first {found.first}, last {found.last}"
    yield (
        "changes",
        f"{counts.changes}, of which nobody knows what {counts.unknown} would have done",
    )
    for name, figures in (
        ("decision", counts.by_decision),
        ("outcome", counts.by_outcome),
        ("principal", counts.by_principal),
        ("system", counts.by_system),
    ):
        yield from _figures(name, figures)
    records = found.records
    ends = f", sequences {records.first} to {records.last}" if records.records else ""
    yield "archive", f"{counted(records.records, 'record')} of every topic{ends}"
    yield "gaps", gaps_told(found.gaps)
    yield from _offsets(found.offsets)
    if found.checked:
        yield "signed", f"{counted(len(found.doubted), 'record')} do not count"
    yield from _checked(found.checked)


def told_elsewhere(found: Elsewhere | None) -> Iterator[Line]:
    """That the period is not one of the archive's, so that nobody takes it for a quiet one."""
    if found is None:
        return
    if found.first is None or found.last is None:
        yield "EMPTY", "the archive has no record of any time"
    else:
        span = f"{shown(found.first)} to {shown(found.last)}"
        yield (
            "EMPTY",
            f"no record is of this period; those of the archive are of {span}: give --from, --to",
        )


def gaps_told(gaps: tuple[Gap, ...]) -> str:
    """Which sequences are missing."""
    if not gaps:
        return "none: every sequence is there"
    missing = sum(last - first + 1 for first, last in gaps)
    first = ", ".join(f"{a} to {b}" for a, b in gaps[:NAMED])
    return f"{counted(missing, 'record')} MISSING: {first}"


NOT_ARCHIVED = (
    "Possible reasons: the broker removed them before the archiver came (retention); a producer uses transactions,"
    " whose marks take offsets; the topic was compacted; or somebody cut them out and signed the archive anew. What to"
    " do: look for them on the broker, and hold the archive against a checkpoint that was kept elsewhere, with"
    " `sluicegate audit verify --checkpoint`. Until it is explained, actions of that time may be missing here."
)
"""What it can mean that offsets are missing, and what to do."""


def offset_told(one: OffsetGap) -> str:
    """One stretch of missing offsets."""
    ends = shown(one.until) if one.until else "a record without a time"
    return (
        f"{one.topic}[{one.partition}]: expected offsets {one.first} to {one.last},"
        f" {one.missing} in all, before sequence {one.seq}, {ends}"
    )


def _offsets(found: OffsetGaps) -> Iterator[Line]:
    if not found.gaps:
        yield "offsets", "none missing: every partition is there without a gap"
        return
    yield "offsets", f"{counted(found.missing, 'record')} MISSING in {counted(found.gaps, 'gap')}"
    yield from (("", offset_told(one)) for one in found.longest[:NAMED])
    if found.gaps > NAMED:
        yield "", f"and {found.gaps - NAMED} shorter gaps, see the JSON"
    yield "", NOT_ARCHIVED


def _figures(name: str, figures: Mapping[str, int]) -> Iterator[Line]:
    for number, (what, count) in enumerate(figures.items()):
        if number == NAMED:
            yield "", f"and {len(figures) - NAMED} more, see the JSON"
            return
        yield "" if number else name, f"{count} {what}"


def told_exceptions(found: Exceptions) -> Iterator[Line]:
    """Every unusual case of a period, the worst kinds first."""
    yield "period", period_told(found.period)
    yield "found", counted(sum(found.counts.values()), "case")
    for code in (code for code in MEANINGS if code in found.counts):
        yield "", f"{found.counts[code]} {code}"
    by_code: dict[str, list[Any]] = {}
    for one in found.cases:
        by_code.setdefault(one.code, []).append(one)
    for code in sorted(by_code, key=list(MEANINGS).index):
        cases = by_code[code]
        yield "case", f"{code}: {found.counts[code]}, {MEANINGS[code]}"
        for one in cases:
            when = shown(one.at) if one.at else "without a time"
            yield "", f"{when}, {one.who or '-'}: {one.what}"
            for name in one.actions[:NAMED]:
                yield "", f"action {name}"
            for record in one.records[:NAMED]:
                yield "", place(record)
        if len(cases) < found.counts[code]:
            yield "", f"and {found.counts[code] - len(cases)} more; give --limit"
    yield from _checked(found.checked)


def told_as_of(found: AsOf) -> Iterator[Line]:
    """What held at a moment."""
    yield "at", shown(found.at)
    if found.policy is None:
        yield "policy", "nothing was published by then; each judge used the file of its settings"
    else:
        yield from _laid("policy", found.policy)
        if not found.loads:
            yield "", f"it does NOT load here: {found.why_not}"
            yield (
                "",
                "a judge that could not load it either kept the one before; see what judges named",
            )
        for rule, mode in found.trials:
            yield "", f"rule {rule} is in {mode} mode"
    if found.next is not None:
        yield from _laid("replaced", found.next)
    for one in found.named:
        yield "judge", f"{one.judge} named {one.policy[:DIGITS]} last, {place(one.evidence)}"
    yield from _rights(found)
    if found.ignored:
        yield (
            "ignored",
            f"{counted(found.ignored, 'record')} that changed nothing: unsigned or out of turn",
        )


def _laid(label: str, one: Laid) -> Iterator[Line]:
    said = one.publication
    when = shown(one.evidence.recorded_at or said.issue.at)
    by = f"{said.issue.by}, {when}: {said.issue.reason or 'no reason given'}"
    yield label, f"{said.bundle} version {said.issue.version}, {said.digest}"
    yield "", f"published by {by}"
    yield "", place(one.evidence)


def _rights(found: AsOf) -> Iterator[Line]:
    yield "grants", str(len(found.grants))
    for grant in found.grants:
        why = grant.issue.reason or "no reason given"
        yield (
            "",
            f"{grant.grant} `{grant.name}` for {grant.principal}, {until(grant.expires_at)}: {why}",
        )
    yield "stops", str(len(found.stops))
    for stop in found.stops:
        why = stop.issue.reason or "no reason given"
        yield "", f"{described(stop.stops)}, {until(stop.expires_at)}, by {stop.issue.by}: {why}"
    disabled = [one.id for one in found.principals if one.disabled]
    off = f", switched off: {', '.join(disabled[:NAMED])}" if disabled else ""
    yield "enrolled", f"{len(found.principals)} enrolled{off}"


def told_proofs(found: Iterable[ProofSeen]) -> Iterator[Line]:
    """Where in the log the records of a story are, and whether that leads to a signed checkpoint."""
    for one in found:
        if one.leaf is None:
            yield "proof", f"{one.what} {place(one.evidence)}: NOT proved: {one.state}"
            continue
        where = f"leaf {one.leaf} of {one.size}, head {one.head} of {one.archive_size}"
        state = "valid, by the signed checkpoint" if one.valid else f"NOT valid: {one.state}"
        yield "proof", f"{one.what} {place(one.evidence)}: {where}, {state}"


def _checked(checked: bool) -> Iterator[Line]:
    if not checked:
        yield "signed", UNCHECKED
