"""
A request for approval as it is shown: nothing in it can pass for something else.

INVARIANT: every character that was judged is shown. Control and format characters are written out, what is not
ASCII is named, and each line of the proposal has a number of its own, so that it cannot imitate what we say.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from console.durations import shown
from console.plain import harmless, one_line
from console.standings import Standing, Stands
from enforcers.approving import CountedVote, Flaw, ends_of, flaw_of
from enforcers.contract.action import Payload
from enforcers.contract.approval import Ask
from enforcers.contract.digest import sha256_hex
from enforcers.contract.verdict import EffectSummary

COLUMNS = ("id", "state", "asked by", "owner", "target", "what", "rules", "votes", "expires in")
WIDTH = 100
"""Characters of a proposal in one line; a longer one goes on in a line that is marked as such."""
MOST_EFFECTS = 20
"""A request holds no more of them; see `enforcers.judge`."""
_CIRCUMSTANCES = ("program", "cwd", "workspace")
"""Of a command: shown with it, and left out where there is one line for all."""
_SHORT = 60
_NAMED = 20


def body(standing: Standing) -> dict[str, Any]:
    """A request for programs."""
    return {
        **standing.request.model_dump(mode="json"),
        "state": standing.stands.value,
        "have": standing.counted.have,
        "wanted": standing.counted.wanted,
        "missing": standing.missing,
        "unknown": list(unknown(standing)),
        "unreviewed": standing.unreviewed,
        "votes": [_vote(one, standing) for one in standing.votes],
    }


def cells(standing: Standing) -> tuple[str, ...]:
    """A request as a row of a list."""
    request = standing.request
    return (
        str(request.id),
        state_of(standing),
        request.principal.id,
        request.owner or "",
        f"{request.target.system} {request.target.environment}",
        in_short(request.payload),
        " ".join(one.rule for one in request.asks),
        one_line(standing.missing) or f"{len(standing.votes)}",
        "" if standing.expired else _span(_end(standing) - standing.now),
    )


def _end(standing: Standing) -> datetime:
    """Until when it can be decided, or is approved by broken glass."""
    broken, terms = standing.counted.emergency, standing.subject.emergency
    return ends_of(broken, terms) if broken else standing.request.expires_at


def state_of(standing: Standing) -> str:
    """How it stands, in words."""
    stands, counted = standing.stands, standing.counted
    if stands is Stands.WAITING:
        glass = ", glass broken" if standing.broken and not standing.terms.known else ""
        return f"{stands} ({counted.have} of {counted.wanted} approvals{glass})"
    if stands is Stands.VOID:
        return f"{stands} ({'asked again' if standing.again else 'policy changed'})"
    return f"{stands} (glass broken)" if counted.emergency else stands.value


def unknown(standing: Standing) -> Iterator[str]:
    """What cannot be known here, and only judges know."""
    if not standing.open:
        return
    if standing.terms.in_force is None:
        yield "whether its policy is still in force: judges have one that is not known here"
    if not standing.terms.known:
        yield "who may break the glass: so whether a vote that does will count"
    if standing.stands is Stands.APPROVED and not standing.remembered:
        yield "whether the approval was used: see `sluicegate audit action`"


def in_short(payload: Payload) -> str:
    """The beginning of what is proposed, in one line."""
    words = [text for name, text in _texts(payload) if name not in _CIRCUMSTANCES]
    flat = one_line(" ".join(words))
    return flat if len(flat) <= _SHORT else f"{flat[:_SHORT]}… ({len(flat)} characters)"


def lines(standing: Standing) -> Iterator[str]:
    """A request as a person must see it before deciding."""
    request, who = standing.request, standing.request.principal
    acts_for = f", for {who.on_behalf_of}" if who.on_behalf_of else ""
    yield f"request    {request.id} ({state_of(standing)})"
    yield f"asked by   {who.id} ({who.kind.value}{acts_for}), answered for by {request.owner or 'nobody'}"
    yield f"session    {who.session or 'none'}"
    yield f"executor   {request.executor}"
    target = request.target
    named = {"catalog": target.catalog, "dialect": target.dialect}
    more = [f"{what} {name}" for what, name in named.items() if name]
    yield ", ".join([f"target     {target.system} in {target.environment}", *more])
    yield f"why        {one_line(request.reason) or 'no reason given'}"
    yield f"ticket     {request.ticket or 'none'}"
    yield f"until      {shown(request.expires_at)}"
    yield ""
    for name, text in _texts(request.payload):
        yield from _exactly(name, text)
    yield ""
    yield "what the judge understood:"
    yield from (f"  {_effect(one)}" for one in request.intent)
    if len(request.intent) >= MOST_EFFECTS:
        yield f"  … the first {MOST_EFFECTS}; there may be more of them"
    if not request.intent:
        yield "  nothing that it can name"
    yield "who wants it approved:"
    yield from (f"  {_ask(one)}" for one in request.asks)
    yield "votes:"
    yield from (f"  {_said(one, standing)}" for one in standing.votes)
    if not standing.votes:
        yield "  none yet"
    if standing.missing:
        yield f"  missing: {one_line(standing.missing)}"
    yield f"digest     {request.proposal_digest}"
    yield f"policy     {request.policy}"
    yield from (f"not known  {one}" for one in unknown(standing))


def _texts(payload: Payload) -> Iterator[tuple[str, str]]:
    """Every text of a payload with its name."""
    fields = payload.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
    for name, value in fields.items():
        if isinstance(value, list):
            yield from ((f"{name}[{number}]", word) for number, word in enumerate(value))
        elif isinstance(value, dict):
            yield name, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
        else:
            yield name, str(value)


def _exactly(name: str, text: str) -> Iterator[str]:
    data = text.encode("utf-8", "surrogatepass")
    yield f"{name} ({len(text)} characters, {len(data)} bytes, SHA-256 {sha256_hex(data)[:16]}):"
    yield from _numbered(harmless(text))
    odd = [(at, one) for at, one in enumerate(text) if not _plain(one)]
    if any(not one.isascii() for _, one in odd):
        yield f"{name} in ASCII:"
        yield from _numbered(
            "".join(
                one if one.isascii() else one.encode("unicode_escape").decode()
                for one in harmless(text)
            )
        )
    yield from (f"  ! character {at + 1} is {_name(one)}" for at, one in odd[:_NAMED])
    if len(odd) > _NAMED:
        yield f"  ! and {len(odd) - _NAMED} more that are no plain ASCII"


def _numbered(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        yield f"{number:5} | {line[:WIDTH]}"
        for start in range(WIDTH, len(line), WIDTH):
            yield f"      > {line[start : start + WIDTH]}"


def _plain(char: str) -> bool:
    return char == "\n" or (char.isascii() and char.isprintable())


def _name(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'without a name')}"


def _effect(effect: EffectSummary) -> str:
    name = f"{effect.namespace}.{effect.name}" if effect.namespace else effect.name
    return one_line(f"{effect.verb} {effect.type} {_in_ascii(name)} ({effect.extent})")


def _in_ascii(text: str) -> str:
    """A name, with its ASCII form where it could be taken for another one."""
    return text if text.isascii() else f"{text} [{text.encode('unicode_escape').decode()}]"


def _ask(ask: Ask) -> str:
    groups = (" and " if ask.all_groups else " or ").join(ask.groups) or "anybody who may vote"
    people = "1 person" if ask.count == 1 else f"{ask.count} people"
    return one_line(f"{ask.rule}: {people} of {groups}. {ask.message}")


def _vote(one: CountedVote, standing: Standing) -> dict[str, Any]:
    written = one.vote.model_dump(mode="json")
    flaw = _flaw(one, standing)
    return {**written, "voice": one.voice, "groups": sorted(one.groups), "flaw": flaw}


def _said(one: CountedVote, standing: Standing) -> str:
    said = one.vote
    glass = ", BREAKING THE GLASS" if said.break_glass else ""
    end = ends_of(one, standing.subject.emergency)
    over = " (over)" if end <= standing.now else ""
    flaw = _flaw(one, standing)
    worth = f" [{_WORTHLESS[flaw]}]" if flaw and not over else ""
    return one_line(
        f"{said.choice.value} by {one.voice} at {shown(said.issue.at)}, until"
        f" {shown(end)}{over}{glass}{worth}: {said.issue.reason}"
    )


def _flaw(one: CountedVote, standing: Standing) -> Flaw | None:
    """Why it counts for nothing, as far as that is known; a review is none that is counted."""
    flaw = flaw_of(one, standing.subject, standing.now)
    unsure = flaw is Flaw.NO_GLASS and not standing.terms.known
    return None if unsure or flaw is Flaw.NO_WORD else flaw


_WORTHLESS = {
    Flaw.OTHER: "does not count: about something else",
    Flaw.NO_VOICE: "does not count: from no person, or from somebody disabled",
    Flaw.UNTIMELY: "does not count now",
    Flaw.CONCERNED: "does not count: from somebody who is concerned",
    Flaw.NO_GLASS: "does not count: its policy lets nobody break the glass",
    Flaw.NOT_AUTHORISED: "does not count: from nobody who may break the glass",
}


def _span(left: timedelta) -> str:
    minutes = int(left.total_seconds()) // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
