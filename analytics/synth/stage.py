"""
Where the traffic is played: every act becomes the records that gates and judges would write of it.

    act(visit, work, answer, ending) ──▶ action ─▶ verdict (─▶ denial) ─▶ outcome, and now and then a history
"""

from __future__ import annotations

import hashlib
import random

from analytics.synth import texts
from analytics.synth.answers import ALLOW, BLOCKED, DONE, Answer, Ending
from analytics.synth.cast import JUDGES, Agent
from analytics.synth.catalog import Work
from analytics.synth.incidents import Label
from analytics.synth.keys import Keys
from analytics.synth.places import Headers, Hours
from analytics.synth.texts import moment
from analytics.synth.visits import CANARY, PLAIN, Odd, Shown, Visit
from enforcers.contract.action import Action
from enforcers.contract.outcome import Outcome
from enforcers.contract.trust import Role
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import TYPES

_VERSION = ("ce_specversion", b"1.0")
_JSON = ("content-type", b"application/json")
_ACTION = ("ce_type", TYPES[Action].encode())
_VERDICT = ("ce_type", TYPES[Verdict].encode())
_OUTCOME = ("ce_type", TYPES[Outcome].encode())
_WHY = '"reason":null,"ticket":null'


class Stage:
    """Writes records into `hours`."""

    def __init__(self, seed: int, hours: Hours, keys: Keys, history_every: int) -> None:
        self.count = 0
        self.hours = hours
        self.keys = keys
        self._chance = random.Random(f"{seed}/stage")
        self._history_every = history_every
        self._policies: list[tuple[int, str]] = [(0, "0" * 64)]
        self._places = {
            topic: [hours.place(topic, number) for number in range(count)]
            for topic, count in (("actions", 8), ("verdicts", 16), ("denials", 8), ("outcomes", 8))
        }
        self._judges = [(judge, ("ce_source", judge.encode())) for judge in JUDGES]

    def policy(self, at: int) -> str:
        """The policy that holds."""
        for since, digest in reversed(self._policies):
            if since <= at:
                return digest
        return self._policies[0][1]

    def published(self, at: int, digest: str) -> None:
        """From then on another policy holds."""
        self._policies.append((at, digest))

    def act(
        self,
        at: int,
        visit: Visit,
        work: Work,
        answer: Answer = ALLOW,
        ending: Ending | None = DONE,
        label: Label | None = None,
        odd: Odd = PLAIN,
    ) -> Shown:
        """One action and what is said of it. Without an ending nobody reports one."""
        self.count += 1
        agent, chance = visit.agent, self._chance
        draw, bits = chance.random(), f"{chance.getrandbits(384):096x}"
        issued = at - 1_500 - int(draw * 2_500) + visit.skew
        action = texts.identity(issued, bits[:18])
        payload = work.payload_of(draw) if odd.payload is None else odd.payload
        value = (
            f'{{"id":"{action}","proposal":{{"principal":{visit.who},'
            f'"target":{odd.target or work.target},"payload":{payload},'
            f'{_WHY if odd is PLAIN else _why(odd)},"parent":null}},'
            f'{visit.tail}"issued_at":"{moment(issued)}","valid_for_ms":1000,"nonce":"{bits[64:]}"}}'
        ).encode()
        digest = hashlib.sha256(value).hexdigest()
        executor = visit.executor
        subject = ("ce_subject", action.encode())
        self.hours.put(
            at,
            self._places["actions"][agent.partition],
            agent.key,
            self._signed(
                _ACTION, subject[1], subject, visit.source, executor, Role.EXECUTOR, value
            ),
            value,
        )
        if label is not None:
            label.actions.append(action)
            label.saw(moment(at))
        shown = Shown(action, digest, at + 2_500 + int(draw * 9_000))
        verdict = None
        if not odd.unanswered:
            verdict = self._answer(shown, visit, work, answer, odd, subject, bits[18:36])
        if ending is not None and verdict is not None and answer.decision != "allow":
            ending = BLOCKED if ending is DONE else ending
        if ending is not None:
            did = (work.digest_of(payload) if ending.ran else "", work.rows)
            self._end(shown, visit, verdict, ending, did, subject, bits[36:54], draw)
            if label is not None and ending.late_us + ending.begins_us:
                label.saw(moment(shown.at + ending.late_us + ending.begins_us))
        return shown

    def _answer(
        self,
        shown: Shown,
        visit: Visit,
        work: Work,
        answer: Answer,
        odd: Odd,
        subject: tuple[str, bytes],
        bits: str,
    ) -> str:
        agent, at = visit.agent, shown.at
        judge, source = self._judges[agent.partition % len(JUDGES)]
        verdict = texts.identity(at - 700, bits)
        decision = answer.decision
        bound = "null"
        if odd.request or odd.approval:
            bound = f'"{proposal_digest(agent, odd.payload or work.payload)}"'
        value = (
            f'{{"id":"{verdict}","action_id":"{shown.action}","action_digest":"{shown.digest}",'
            f'"proposal_digest":{bound},"executor":"{visit.executor}","decision":"{decision}",'
            f'"would_deny":false,"reasons":{answer.reasons},"obligations":[],"rewrite":null,'
            f'"intent":{work.effects},"assumed":[],"grants":{texts.listed(odd.grants)},'
            f'"approval":{_plain(odd.approval)},"request":{_plain(odd.request)},'
            f'"policy":"{self.policy(at)}","judge":"{judge}","issued_at":"{moment(at - 700)}",'
            f'"valid_for_ms":{1000 if decision == "allow" else 0}}}'
        ).encode()
        headers = self._signed(
            _VERDICT, verdict.encode(), subject, source, judge, Role.JUDGE, value
        )
        place = self._places["verdicts"][visit.reply]
        self.hours.put(at, place, visit.source[1], headers, value)
        if decision == "deny" and work.payload != CANARY:
            place = self._places["denials"][agent.partition]
            self.hours.put(at, place, agent.key, headers, value)
        if self._history_every and self.count % self._history_every == 0:
            self._remember(at + 60_000, agent, judge)
        return verdict

    def _end(
        self,
        shown: Shown,
        visit: Visit,
        verdict: str | None,
        ending: Ending,
        did: tuple[str, int],
        subject: tuple[str, bytes],
        bits: str,
        draw: float,
    ) -> None:
        ran, usual = did
        took = int(900 * ending.slow / (1.02 - draw)) if ending.ran else 0
        over = shown.at + 800 + took + ending.begins_us
        if verdict is None:
            over += 1_000_000
        rows = "null"
        size = "null"
        if ending.ran and ending.error is None and usual:
            rows = str(int(usual * ending.rows * (0.2 + 1.6 * draw)) + 1)
            size = str(int(rows) * 88)
        name = texts.identity(over, bits)
        error = "null" if ending.error is None else f'"{ending.error}"'
        executed = ending.digest or ran
        value = (
            f'{{"id":"{name}","action_id":"{shown.action}","action_digest":"{shown.digest}",'
            f'"verdict_id":{_plain(verdict)},{visit.outcome_tail}"status":"{ending.status}",'
            f'"rows":{rows},"bytes":{size},"duration_us":{took},"error":{error},'
            f'"executed_digest":{_plain(executed)},'
            f'"finished_at":"{moment(over - 300 + visit.skew)}"}}'
        ).encode()
        headers = self._signed(
            _OUTCOME, name.encode(), subject, visit.source, visit.executor, Role.EXECUTOR, value
        )
        place = self._places["outcomes"][visit.agent.partition]
        self.hours.put(over + ending.late_us, place, visit.agent.key, headers, value)
        if ending.twice:
            self.hours.put(over + 2_000_000, place, visit.agent.key, headers, value)

    def _signed(
        self,
        kind: tuple[str, bytes],
        name: bytes,
        subject: tuple[str, bytes],
        source: tuple[str, bytes],
        who: str,
        role: Role,
        value: bytes,
    ) -> Headers:
        keys = self.keys
        return (
            _VERSION,
            ("ce_id", name),
            kind,
            source,
            subject,
            _JSON,
            keys.kid(who, role),
            ("sig", keys.sig(who, role, kind[1], value)),
        )

    def say(
        self,
        at: int,
        topic: str,
        key: bytes,
        kind: str,
        said: tuple[str, str, str, Role],
        text: str,
        label: Label | None = None,
        partition: int = 0,
    ) -> None:
        """A record of another kind; `said` is id, subject, source and the source's role."""
        name, subject, source, role = said
        value = text.encode()
        headers = self._signed(
            ("ce_type", kind.encode()),
            name.encode(),
            ("ce_subject", subject.encode()),
            ("ce_source", source.encode()),
            source,
            role,
            value,
        )
        self.hours.put(at, self.hours.place(topic, partition), key, headers, value, label)
        if label is not None:
            label.saw(moment(at))

    def _remember(self, at: int, agent: Agent, judge: str) -> None:
        name = texts.identity(at, f"{self._chance.getrandbits(72):018x}")
        text = texts.history(
            name, agent.name, judge, moment(at), self.count, self.count, at // 60_000_000 // 5 * 5,
            self.count % 9_000,
        )  # fmt: skip
        said = (name, agent.name, judge, Role.JUDGE)
        self.say(at, "history", agent.key, HISTORY, said, text, partition=agent.partition)


def _plain(text: str | None) -> str:
    """A JSON string of what needs no escapes, or null."""
    return f'"{text}"' if text else "null"


def _why(odd: Odd) -> str:
    return f'"reason":{texts.quoted(odd.why)},"ticket":{texts.quoted(odd.ticket)}'


def proposal_digest(agent: Agent, payload: str) -> str:
    """What an approval binds. Only its form is real."""
    return hashlib.sha256(f"{agent.name} {payload}".encode()).hexdigest()


HISTORY = "io.sluicegate.history.counted.v1"
