"""
What people and judges lay down: votes with human latencies, grants, quarantines, policies, enrolments.

    act ─▶ require_approval + request ─▶ votes, minutes or a night later ─▶ the same act again, allowed by them
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analytics.synth import texts
from analytics.synth.answers import ALLOW, ASK, DONE, Ending
from analytics.synth.cast import ADMINISTRATORS, JUDGES, Agent
from analytics.synth.catalog import Work
from analytics.synth.incidents import Label
from analytics.synth.places import HOUR_US
from analytics.synth.rhythm import at_work
from analytics.synth.stage import Stage, proposal_digest
from analytics.synth.texts import moment
from analytics.synth.visits import Odd, Play, Shown, Visit
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.control import Control
from enforcers.contract.enrolment import Enrolment
from enforcers.contract.finding import Finding
from enforcers.contract.grant import Grant, GrantRequest
from enforcers.contract.publication import Publication
from enforcers.contract.trust import Role
from enforcers.contract.wire import TYPES

MINUTE_US = 60_000_000
_OPEN_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Word:
    """One vote that will come."""

    by: str
    after_us: int
    """After the question."""
    choice: str = "approve"
    why: str = ""
    break_glass: bool = False


def latency(chance: random.Random, at: int) -> int:
    """How long a person takes to vote: minutes at work, else until the next morning."""
    usual = int(chance.lognormvariate(1.9, 0.8) * MINUTE_US) + 25_000_000
    hour = (at + usual) // HOUR_US
    for later in range(90):
        if at_work(hour + later):
            return usual + later * HOUR_US if later < 20 else usual
    return usual


class People:
    """Their records, on a stage; on a rehearsal only the acts count."""

    def __init__(self, play: Play, chance: random.Random, elder: People | None = None) -> None:
        self._play = play
        self._stage = play if isinstance(play, Stage) else None
        self._chance = chance
        # Versions rise with every record about the same thing, whoever's scene writes it.
        self._versions: dict[str, int] = elder._versions if elder else {}

    def _name(self, at: int) -> str:
        return texts.identity(at, f"{self._chance.getrandbits(72):018x}")

    def _version(self, what: str) -> int:
        self._versions[what] = self._versions.get(what, 0) + 1
        return self._versions[what]

    def asked(
        self,
        at: int,
        visit: Visit,
        work: Work,
        rule: str,
        words: Sequence[Word],
        *,
        count: int = 1,
        label: Label | None = None,
        ending: Ending = DONE,
        odd: Odd | None = None,
    ) -> Shown:
        """An act that people have to approve; and again, where enough of them did."""
        answer, request = ASK[rule], self._name(at)
        draw = self._chance.random()
        odd = replace(odd or Odd(), payload=work.payload_of(draw), request=request)
        shown = self._play.act(at, visit, work, answer, DONE, label, odd)
        self._request(shown, visit, work, rule, count, odd)
        for word in words:
            self._vote(shown, visit, word, odd, label)
        said = [word for word in words if word.choice == "approve"]
        if len(said) < count or any(word.choice == "deny" for word in words):
            return shown
        again = shown.at + max(word.after_us for word in said) + 1_200_000
        odd = replace(odd, request=None, approval=request)
        return self._play.act(again, visit, work, ALLOW, ending, label, odd)

    def _request(
        self, shown: Shown, visit: Visit, work: Work, rule: str, count: int, odd: Odd
    ) -> None:
        if (stage := self._stage) is None or odd.request is None or odd.payload is None:
            return
        agent, at = visit.agent, shown.at
        judge = JUDGES[agent.partition % len(JUDGES)]
        rest = (
            f'"target":{odd.target or work.target},"payload":{odd.payload},"intent":{work.effects},'
            f'"reason":{texts.quoted(odd.why or "")},"ticket":{texts.quoted(odd.ticket)}'
        )
        bound = proposal_digest(agent, odd.payload)
        text = texts.approval_request(
            odd.request, judge, shown.action, shown.digest, bound, stage.policy(at), visit.who,
            agent.owner, visit.executor, rest,
            texts.ask(rule, ASK[rule].message, (agent.role.team,), count),
            moment(at), moment(at + _OPEN_US),
        )  # fmt: skip
        said = (odd.request, odd.request, judge, Role.JUDGE)
        kind = TYPES[ApprovalRequest]
        stage.say(at + 300, "requests", agent.key, kind, said, text, partition=agent.partition)

    def _vote(self, shown: Shown, visit: Visit, word: Word, odd: Odd, label: Label | None) -> None:
        if (stage := self._stage) is None or odd.request is None or odd.payload is None:
            return
        at = shown.at + word.after_us
        name = self._name(at)
        text = texts.vote(
            name, texts.issue(1, word.by, moment(at), word.why), odd.request,
            proposal_digest(visit.agent, odd.payload), stage.policy(at), visit.agent.name,
            word.choice, moment(shown.at + _OPEN_US), word.break_glass,
        )  # fmt: skip
        said = (name, odd.request, word.by, Role.APPROVER)
        stage.say(at, "approvals", odd.request.encode(), TYPES[Vote], said, text, label)

    def granted(
        self, at: int, agent: Agent, right: str, resources: Sequence[str], seconds: int, ticket: str
    ) -> str:
        """A wish for a grant, and some minutes before `at` the grant itself; its id."""
        its, request = self._name(at), self._name(at - 30 * MINUTE_US)
        if (stage := self._stage) is None:
            return its
        asked, given = at - 30 * MINUTE_US, at - self._chance.randint(2, 20) * MINUTE_US
        covers = texts.scope(("delete", "drop", "truncate"), resources, ("production",))
        wish = texts.grant_request(
            request, agent.executor, agent.name, right, covers, "planned work", ticket, seconds,
            moment(asked),
        )  # fmt: skip
        said = (request, request, agent.executor, Role.EXECUTOR)
        kind = TYPES[GrantRequest]
        stage.say(asked, "requests", agent.key, kind, said, wish, partition=agent.partition)
        name = self._name(given)
        by = self._chance.choice(ADMINISTRATORS)
        text = texts.grant(
            name, texts.issue(1, by, moment(given), "planned work"), its, right, agent.name,
            "active", covers, ticket, moment(given), moment(at + seconds * 1_000_000), request,
        )  # fmt: skip
        stage.say(
            given, "grants", its.encode(), TYPES[Grant], (name, its, by, Role.ADMINISTRATOR), text
        )
        return its

    def quarantined(self, at: int, agent: Agent, rule: str, lifted_after: int) -> None:
        """A judge's quarantine, the finding beside it, and an administrator who lifts it."""
        if (stage := self._stage) is None:
            return
        its, judge = self._name(at), JUDGES[agent.partition % len(JUDGES)]
        by = self._chance.choice(ADMINISTRATORS)
        words = (
            (at, judge, Role.JUDGE, 1, False, moment(at + HOUR_US), rule),
            (at + lifted_after, by, Role.ADMINISTRATOR, 2, True, None, None),
        )
        for when, source, role, version, lifted, ends, why in words:
            name = self._name(when)
            issued = texts.issue(version, source, moment(when), "" if why else "looked at")
            text = texts.control(name, issued, its, agent.name, lifted, ends, why)
            said = (name, its, source, role)
            stage.say(when, "controls", its.encode(), TYPES[Control], said, text)
        self.found(at, "quarantined", "warning", agent.name, f"quarantined by {rule}", ())

    def found(
        self, at: int, code: str, severity: str, about: str, message: str, seen: Sequence[str]
    ) -> None:
        """What a judge found odd."""
        if (stage := self._stage) is None:
            return
        name, judge = self._name(at), JUDGES[0]
        text = texts.finding(
            name, code, severity, about, message, judge, moment(at),
            ",".join(texts.quoted(one) for one in seen),
        )  # fmt: skip
        said = (name, about, judge, Role.JUDGE)
        stage.say(at, "findings", about.encode(), TYPES[Finding], said, text)

    def enrolled(self, at: int, agent: Agent, why: str, permissions: Sequence[str] = ()) -> None:
        """An administrator's word about a principal; again with each release of it."""
        if (stage := self._stage) is None:
            return
        name, by = self._name(at), ADMINISTRATORS[0]
        issued = texts.issue(self._version(agent.name), by, moment(at), why)
        text = texts.enrolment(
            name, issued, agent.name, agent.role.kind, agent.owner, (agent.role.team,),
            permissions or agent.role.verbs, (agent.executor,),
        )  # fmt: skip
        said = (name, agent.name, by, Role.ADMINISTRATOR)
        stage.say(at, "principals", agent.key, TYPES[Enrolment], said, text)

    def published(self, at: int, by: str, why: str) -> None:
        """Another policy holds."""
        if (stage := self._stage) is None:
            return
        version = self._version("policy")
        text = f"name: production\ndefault: deny\nextends: [core, data]\n# release {version}\n"
        digest = hashlib.sha256(text.encode()).hexdigest()
        name = self._name(at)
        issued = texts.issue(version, by, moment(at), why)
        written = texts.publication(name, issued, "production", digest, text)
        said = (name, "policy", by, Role.ADMINISTRATOR)
        stage.say(at, "policies", b"policy", TYPES[Publication], said, written)
        stage.published(at, digest)
