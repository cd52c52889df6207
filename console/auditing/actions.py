"""
One action as lines for people: what was proposed, what was answered and on whose word, what became of it.

INVARIANT: what nobody trusted signed is counted and named, but never told as if somebody had said it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from analytics.audit.contradictions import contradictions, expected, is_late, is_other
from analytics.audit.unusual import MEANINGS
from console.durations import shown
from console.plain import counted

if TYPE_CHECKING:
    from analytics.evidence import Evidence
    from analytics.said import (
        ApprovalSeen,
        AskSeen,
        GrantSeen,
        PublicationSeen,
        QuarantineSeen,
        RequestSeen,
        VoteSeen,
        WishSeen,
        WordSeen,
    )
    from analytics.seen import ActionSeen, OutcomeSeen, VerdictSeen

Line = tuple[str, str]
"""What it is about, and what there is to say; the first is empty where the line before goes on."""
Word = TypeVar("Word", bound="WordSeen")

TEXT_WIDTH = 2_000
BRIEF_WIDTH = 120
DIGITS = 16
"""Of a policy's hash, as other commands show them."""
ALARM = "ALARM"


def alarms(seen: ActionSeen) -> Iterator[Line]:
    """What nobody who reads of this action may miss."""
    for code in contradictions(seen):
        yield ALARM, f"{code}: {MEANINGS[code]}"


def told(seen: ActionSeen) -> Iterator[Line]:
    """One action, from the proposal to its end; what is wrong with it comes first."""
    yield from alarms(seen)
    yield "action", str(seen.id)
    yield "who", _who(seen)
    yield "where", f"{seen.system} ({seen.environment}), executor {seen.executor}"
    yield "what", f"{seen.kind}: {seen.text[:TEXT_WIDTH]}"
    if seen.reason or seen.ticket:
        yield "why", f"{seen.reason or '-'} {seen.ticket or ''}"
    if seen.issued_at:
        yield "when", f"{shown(seen.issued_at)}, by the clock of {seen.executor}"
    if seen.evidence.recorded_at:
        yield "", f"{shown(seen.evidence.recorded_at)}, by the broker's"
    yield "record", f"{place(seen.evidence)}; bytes {_bytes(seen)}, signature {seen.signature}"
    for verdict in seen.verdicts:
        yield from _verdict(seen, verdict)
    if not seen.verdicts:
        yield "verdict", "none: nobody answered"
    for outcome in seen.outcomes:
        counts = "" if outcome is seen.outcome else f" (does not count: {_why_not(seen, outcome)})"
        yield "outcome", f"{_ending(outcome)}{counts}"
        yield "", f"signature {outcome.signature}, {place(outcome.evidence)}"
        if outcome is seen.outcome and outcome.executed_digest:
            yield "execution", _ran(seen, outcome)
    if not seen.outcomes:
        yield "outcome", "none: nobody reported one"


def told_briefly(seen: ActionSeen) -> Iterator[Line]:
    """One action of many: what, by whom, the answer and why, and what became of it."""
    verdict, outcome = seen.verdict, seen.outcome
    reasons = verdict.reasons if verdict else ()
    why = next((f" ({one.rule or one.code})" for one in reasons), "")
    after = "" if seen.latency_ms is None else f" after {seen.latency_ms} ms"
    at = seen.evidence.recorded_at
    when = f"{shown(at)}, " if at else ""
    yield "action", str(seen.id)
    yield from (("", f"{label}: {line}") for label, line in alarms(seen))
    yield "", f"{when}{seen.principal}, {seen.kind}: {seen.text[:BRIEF_WIDTH]}"
    decided = f"{verdict.decision}{why}{after}" if verdict else "verdict none"
    yield "", f"{decided}; outcome {outcome.status if outcome else 'none'}"


def _why_not(seen: ActionSeen, outcome: OutcomeSeen) -> str:
    if not outcome.digest_matches:
        return "it is about other bytes"
    if not outcome.counts:
        return "nobody trusted signed it"
    return "another executor's" if outcome.executor != seen.executor else "reported before"


def _who(seen: ActionSeen) -> str:
    behalf = f" for {seen.on_behalf_of}" if seen.on_behalf_of else ""
    session = f", session {seen.session}" if seen.session else ""
    return f"{seen.principal} ({seen.principal_kind}){behalf}{session}"


def _bytes(seen: ActionSeen) -> str:
    again = f", recorded {len(seen.replays)} more times" if seen.replays else ""
    return f"{'as recorded' if seen.bytes_match else 'CHANGED'}{again}"


def place(found: Evidence) -> str:
    """Where a record lies."""
    return f"{found.topic}[{found.partition}] offset {found.offset}, sequence {found.seq}"


def _verdict(seen: ActionSeen, verdict: VerdictSeen) -> Iterator[Line]:
    counts = "" if verdict is seen.verdict else " (does not count)"
    warned = ", a rule in warn mode would deny" if verdict.would_deny else ""
    signature = f"signature {verdict.signature}"
    span = "" if verdict.valid_for_ms is None else f", valid for {verdict.valid_for_ms} ms"
    valid = span if verdict.decision == "allow" else ""
    yield "verdict", f"{verdict.decision} by {verdict.judge}{valid}, {signature}{warned}{counts}"
    yield "", place(verdict.evidence)
    for reason in verdict.reasons:
        yield "", f"{reason.rule or reason.code}: {reason.message}; {reason.remedy}"
    if verdict is not seen.verdict:
        return
    for effect in verdict.intent:
        yield "intent", f"{effect.verb} {effect.type} {effect.resource}, extent {effect.extent}"
    for obligation in verdict.obligations:
        yield "must", obligation
    words = seen.words
    yield from _policy(verdict, words.publications)
    yield from _quarantine(verdict, words.quarantines)
    for approval in words.approvals:
        if str(approval.id) in (verdict.approval, verdict.request):
            yield from _approval(approval, used=str(approval.id) == verdict.approval)
    for name in verdict.grants:
        said = [one for one in words.grants if str(one.id) == name]
        asked = {one.request for one in said if one.counts}
        yield from _grant(name, said, [one for one in words.wishes if one.id in asked])


def _ending(outcome: OutcomeSeen) -> str:
    rows = "" if outcome.rows is None else f", {counted(outcome.rows, 'row')}"
    size = "" if outcome.bytes is None else f", {outcome.bytes} bytes"
    duration = "" if outcome.duration_us is None else f", {outcome.duration_us} µs"
    error = f": {outcome.error}" if outcome.error else ""
    return f"{outcome.status}{rows}{size}{duration}{error}"


def _ran(seen: ActionSeen, outcome: OutcomeSeen) -> str:
    """What the executor says that it ran, against what it had leave to run."""
    verdict, text = seen.verdict, expected(seen)
    began = f" from {shown(outcome.began_at)} by its clock" if outcome.began_at else ""
    ran = f"{outcome.executor} ran bytes with SHA-256 {outcome.executed_digest}{began}"
    if verdict is None:
        return f"{ran}, and NO verdict that counts is recorded"
    if verdict.decision != "allow":
        return f"{ran}: NOT allowed"
    if is_other(seen, outcome):
        return f"{ran}: NOT what was allowed"
    which = "the rewrite" if verdict.rewrite is not None else "the proposal"
    same = "" if text is None else f", {which} exactly"
    return f"{ran}{same}{'; LATE: its verdict had ended' if is_late(verdict, outcome) else ''}"


def _policy(verdict: VerdictSeen, published: Sequence[PublicationSeen]) -> Iterator[Line]:
    found, doubted = _sorted(one for one in published if one.digest == verdict.policy)
    before = [one for one in found if _not_after(one, verdict)]
    if before:
        one = before[-1]
        name = f"{one.bundle} version {one.version}, {one.digest[:DIGITS]}"
        yield "policy", f"{name}, published by {_by(one)}"
        yield "", _proof(one)
    else:
        yield (
            "policy",
            f"{verdict.policy[:DIGITS]}, of a judge's settings: none such was published before",
        )
    yield from _doubts(doubted, "publications")


def _not_after(one: WordSeen, verdict: VerdictSeen) -> bool:
    said, judged = one.evidence.recorded_at, verdict.evidence.recorded_at
    return said is None or judged is None or said <= judged


def _quarantine(verdict: VerdictSeen, words: Sequence[QuarantineSeen]) -> Iterator[Line]:
    name = verdict.quarantine
    if name is None:
        return
    yield "stopped", f"by quarantine {name}"
    found, doubted = _sorted(one for one in words if str(one.id) == name)
    for one in found:
        until = f" until {shown(one.expires_at)}" if one.expires_at else ""
        what = "lifted" if one.lifted else f"stops {one.stops}{until}"
        rule = f", rule {one.rule}" if one.rule else ""
        yield "", f"{what}: {_by(one)}{rule}"
        yield "", _proof(one)
    yield from _none(found, doubted, "word about it")
    yield from _doubts(doubted, "words about it")


def _approval(approval: ApprovalSeen, *, used: bool) -> Iterator[Line]:
    yield ("approval" if used else "request"), f"{approval.id}{', used' if used else ''}"
    asked, doubted = _sorted(approval.requests)
    for one in asked:
        yield "", f"asked by {one.by}, {_when(one)}, until {shown(one.expires_at)}"
        yield from (("", _ask(ask)) for ask in one.asks)
        yield "", _proof(one)
    yield from _none(asked, doubted, "request")
    yield from _doubts(doubted, "requests")
    votes, doubted_votes = _sorted(approval.votes)
    for vote in votes:
        yield "vote", _vote(vote)
        yield "", _proof(vote)
    yield from _none(votes, doubted_votes, "vote")
    yield from _doubts(doubted_votes, "votes")


def _ask(ask: AskSeen) -> str:
    groups = (" and " if ask.all_groups else " or ").join(ask.groups) or "anybody who may vote"
    return f"{ask.rule} wants {ask.count} of {groups}: {ask.message}"


def _vote(vote: VoteSeen) -> str:
    key = f" as {vote.voice}" if vote.voice not in (None, vote.by) else ""
    glass = ", BREAKING THE GLASS" if vote.break_glass else ""
    other = ", on ANOTHER PROPOSAL" if vote.binds is False else ""
    own = ", OWN REQUEST: whoever votes asked for it, or answers for who did" if vote.own else ""
    marks = f"{glass}{other}{own}"
    return f"{vote.choice} by {vote.by}{key}, {_when(vote)}{marks}: {_reason(vote.reason)}"


def _grant(name: str, said: Sequence[GrantSeen], wishes: Sequence[WishSeen]) -> Iterator[Line]:
    found, doubted = _sorted(said)
    yield "grant", f"{name}, used{f': `{found[0].name}`' if found else ''}"
    asked, doubted_wishes = _sorted(wishes)
    for wish in asked:
        ticket = f", ticket {wish.ticket}" if wish.ticket else ""
        when = f"{_when(wish)}{ticket}: {_reason(wish.reason)}"
        yield "", f"asked for by {wish.principal}, executor {wish.by}, {when}"
        yield "", _proof(wish)
    for one in found:
        yield "", _granted(one)
        yield "", _proof(one)
    yield from _none(found, doubted, "issue of it")
    yield from _doubts([*doubted, *doubted_wishes], "words about it")


def _granted(one: GrantSeen) -> str:
    if one.status != "active":
        return f"{one.status} by {_by(one)}"
    ticket = f", ticket {one.ticket}" if one.ticket else ""
    uses = f", {counted(one.max_uses, 'use')}" if one.max_uses else ""
    return f"issued until {shown(one.expires_at)}{uses}{ticket}, by {_by(one)}"


def _by(one: PublicationSeen | QuarantineSeen | GrantSeen) -> str:
    return f"{one.by}, {_when(one)}: {_reason(one.reason)}"


def _when(one: WordSeen) -> str:
    """When the broker stored it; what the speaker's clock said is in the JSON."""
    return shown(one.evidence.recorded_at or one.at)


def _reason(text: str) -> str:
    return text or "no reason given"


def _proof(one: WordSeen | RequestSeen) -> str:
    again = f", again {len(one.replays)} times" if one.replays else ""
    return f"signature {one.signature}, {place(one.evidence)}{again}"


def _sorted(words: Iterable[Word]) -> tuple[list[Word], list[Word]]:
    """What somebody trusted said, and what only looks like it."""
    every = list(words)
    return [one for one in every if one.counts], [one for one in every if not one.counts]


def _none(found: Sequence[object], doubted: Sequence[object], what: str) -> Iterator[Line]:
    if not found:
        yield "", f"no {what} is archived{' that counts' if doubted else ''}"


def _doubts(words: Sequence[WordSeen], what: str) -> Iterator[Line]:
    if words:
        first = words[0]
        which = f"such as {place(first.evidence)}: {first.signature}"
        yield "", f"{what} that do NOT count: {len(words)}, {which}"
