"""
What holds now where this machine's broker is: what `sluicegate doctor` asks the control topics.

    control topics ──read whole, once──▶ Consulted ──▶ policy, stops, principals, grants

Each look returns what it found, or raises an error with a remedy; none of them changes anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from console import agents, grants, publishing, quarantines
from console.administering import Consulted, note_on
from console.durations import shown, until
from console.files import is_there
from console.identity import key_path
from console.proposing import proposal_of
from console.settings import Settings
from enforcers.contract.action import Proposal, ShellPayload, Target
from enforcers.contract.control import Control
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.keys import load_key
from enforcers.contract.publication import Publication
from enforcers.contract.trust import Role
from enforcers.errors import ContractError, PolicyError
from enforcers.executors.command import CommandExecutor
from enforcers.standing import quarantine_of

Look = Callable[[Consulted], str]
DIGITS = 16
"""Of a policy's hash."""
MOST_NAMED = 3


def _records(at: Consulted) -> str:
    # What changes nothing may be old, and is no fault of today.
    return note_on(at.ignored).removeprefix("note: ") or "read whole, every record counts"


def _policy(at: Consulted) -> str:
    published = sorted(at.state.publications, key=lambda one: one.issue.version, reverse=True)
    if not published:
        return f"nothing was published, each judge uses its settings' file: `{at.settings.policy}`"
    newest = published[0]
    if _loads(newest):
        return _published(newest)
    held = next((one for one in published if _loads(one)), None)
    kept = f"version {held.issue.version}" if held else "the file of its settings"
    raise PolicyError(
        f"{_published(newest)}, does not load here, so a judge like this keeps {kept}; see `sluicegate"
        " policy lint`, and push one that loads"
    )


def _loads(publication: Publication) -> bool:
    policy = publishing.published_policy(publication)
    return policy is not None and policy.hash == publication.digest


def _published(one: Publication) -> str:
    issue = one.issue
    named = f"{one.bundle} version {issue.version}, {one.digest[:DIGITS]}"
    return (
        f"{named}, published by {issue.by}, {shown(issue.at)}: {issue.reason or 'no reason given'}"
    )


def _kill_switch(at: Consulted) -> str:
    for one in quarantines.holding(at):
        if one.stops.everything:
            raise ContractError(f"everything is stopped, {_stopped(one)}; {_lifting(one)}")
    return "off"


def _quarantines(at: Consulted) -> str:
    found = [one for one in quarantines.holding(at) if not one.stops.everything]
    for proposal in _proposed_here(at.settings):
        for one in found:
            if quarantine_of(proposal, (one,), at.now):
                what = quarantines.described(one.stops)
                raise ContractError(
                    f"what is proposed here is stopped: {what}, {_stopped(one)}; {_lifting(one)}"
                )
    if not found:
        return "none"
    named = [f"{quarantines.described(one.stops)} {until(one.expires_at)}" for one in found]
    more = f", and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{len(named)}: {', '.join(named[:MOST_NAMED])}{more}"


def _stopped(one: Control) -> str:
    issue = one.issue
    reason = issue.reason or "no reason given"
    return f"{until(one.expires_at)}, by {issue.by}, {shown(issue.at)}: {reason}"


def _lifting(one: Control) -> str:
    return f"lift it with `sluicegate quarantine lift {one.control} --reason WHY`"


def _proposed_here(settings: Settings) -> Iterator[Proposal]:
    """What `run` and `sql` propose on this machine, as far as quarantines look at it."""
    yield _proposal(settings, CommandExecutor.system, settings.environment)
    for one in settings.targets.values():
        yield _proposal(settings, one.system, one.environment, one.catalog)


def _proposal(
    settings: Settings, system: str, environment: str, catalog: str | None = None
) -> Proposal:
    where = Target(system=system, environment=environment, catalog=catalog)
    return proposal_of(settings, where, ShellPayload(argv=("true",)), "", "")


def _principals(at: Consulted) -> str:
    if is_there(key_path(at.settings, Role.EXECUTOR)):
        _check_proposer(at)
    states = Counter(agents.state_of(one, at.now) for one in at.state.principals.values())
    others = "".join(f", {count} {state}" for state, count in states.items() if state != "enabled")
    return f"{states['enabled']} enabled{others}"


def _check_proposer(at: Consulted) -> None:
    """Whether the principal in whose name this machine proposes may."""
    settings = at.settings
    name = settings.principal
    known = at.state.principals.get(name)
    if known is None:
        raise ContractError(
            f"`{name}`, who proposes here, is not enrolled; run `sluicegate agents enroll {name}`, or"
            " correct the setting `principal`"
        )
    state = agents.state_of(known, at.now)
    if state != "enabled":
        how = f"enable {name}" if state == "disabled" else f"scope {name} --until MOMENT"
        raise ContractError(
            f"`{name}`, who proposes here, is {state}; run `sluicegate agents {how} --reason WHY`"
        )
    if known.executors and settings.executor not in known.executors:
        raise ContractError(
            f"executor `{settings.executor}` may not speak for `{name}`; add it with `sluicegate"
            " agents scope --executor`"
        )
    _check_own_key(settings, known)


def _check_own_key(settings: Settings, known: EnrolledPrincipal) -> None:
    if not known.public_keys:
        return
    path = settings.principal_key
    if path is None:
        raise ContractError(
            f"`{known.id}` must sign what it proposes here; name its key's file in the setting"
            " `principal_key`"
        )
    if bytes(load_key(path).key.verify_key).hex() not in known.public_keys:
        raise ContractError(
            f"key `{path}` is none that `{known.id}` is enrolled with; correct the setting"
            " `principal_key`, or run `sluicegate agents rotate`"
        )


def _grants(at: Consulted) -> str:
    every, holding = len(grants.listed(at, every=True)), len(grants.listed(at))
    return f"{holding} in force, {every - holding} ended"


LOOKS: tuple[tuple[str, Look], ...] = (
    ("control topics", _records),
    ("policy in force", _policy),
    ("kill switch", _kill_switch),
    ("quarantines", _quarantines),
    ("enrolled", _principals),
    ("grants", _grants),
)
"""Every look, in the order in which somebody asks whose action was denied."""
