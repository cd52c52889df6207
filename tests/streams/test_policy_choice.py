"""Which of several publications holds, whatever order they come in and however slowly they load."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from enforcers.administration.publications import MOST
from enforcers.contract.finding import Finding
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.contract.wire import encode
from enforcers.errors import PolicyError
from streams import policy_choice
from streams.policy_choice import PolicyChoice
from tests.enforcers.administration.office import filled, publication, record


class Loaded:
    def __init__(self, digest: str) -> None:
        self.hash = digest

    def decide(self, facts: Any) -> Any:
        raise NotImplementedError


class Judge:
    """What became of publications."""

    def __init__(
        self,
        load: Callable[[Publication], Any] | None = None,
        report: Callable[[Finding], None] | None = None,
    ) -> None:
        self.held: list[int] = []
        self.findings: list[Finding] = []
        self.fatal: list[str] = []
        self.loads: list[int] = []
        self._also = load
        self.choice = PolicyChoice(
            "judge-1", self._load, self._swap, report or self.findings.append, self.fatal.append
        )

    def _load(self, one: Publication) -> Any:
        self.loads.append(one.issue.version)
        if self._also:
            self._also(one)
        if one.files[0].text == "broken":
            raise PolicyError("rule `a` is broken")
        return Loaded(one.digest)

    def _swap(self, policy: Any) -> None:
        self.held.append(int(policy.hash, 16))


BROKEN = (PolicyFile(name="policy.yaml", text="broken"),)


@pytest.mark.parametrize(
    ("good", "bad", "holds", "refused"),
    [
        ((), (), [], 0),
        ((1, 2, 3), (), [3], 0),
        ((1, 2), (3,), [2], 1),
        ((1,), (2, 3), [1], 2),
        ((3,), (1, 2), [3], 0),
        ((), (1, 2), [], 2),
    ],
)
async def test_the_newest_that_loads_holds(
    good: tuple[int, ...], bad: tuple[int, ...], holds: list[int], refused: int
) -> None:
    judge = Judge()
    offered = [*(publication(one, files=BROKEN) for one in bad), *map(publication, good)]
    await judge.choice.choose(offered)
    assert (judge.held, len(judge.findings)) == (holds, refused)


@pytest.mark.parametrize("bad", [20, MOST - 1])
async def test_a_judge_that_starts_finds_the_last_good_one_behind_many_bad_ones(bad: int) -> None:
    stored = [record(publication(5)), record(publication(6))]
    stored += [record(publication(7 + one, files=BROKEN)) for one in range(bad)]
    judge = Judge()
    await judge.choice.choose(filled(stored).publications)
    assert (judge.held, len(judge.findings)) == ([6], bad)


@pytest.mark.parametrize(
    ("versions", "begins"),
    [
        (range(1, MOST), True),
        (range(1, MOST + 1), True),
        (range(2, MOST + 1), True),
        (range(2, MOST + 2), False),
        (range(1, MOST + 2), False),
    ],
)
async def test_a_judge_does_not_begin_where_the_last_good_one_may_be_forgotten(
    versions: range, begins: bool
) -> None:
    """Else it would judge by the policy of its own machine, which was replaced."""
    stored = filled(record(publication(one, files=BROKEN)) for one in versions)
    judge = Judge()
    if begins:
        await judge.choice.choose(stored.publications)
    else:
        with pytest.raises(PolicyError, match=r"none of the last 64 .* loads.*; publish one that"):
            await judge.choice.choose(stored.publications)
    assert judge.held == []


async def test_a_judge_that_runs_goes_on_however_many_bad_ones_come() -> None:
    """It tried each of them, so it knows that none took the place of its policy."""
    judge, known = Judge(), filled([])
    for version in range(2, MOST + 6):
        await judge.choice.choose(known.publications)
        known.apply(record(publication(version, files=BROKEN)))
    assert judge.held == []
    assert not judge.fatal


async def test_a_publication_is_tried_once() -> None:
    judge = Judge()
    offered = [publication(1), publication(2, files=BROKEN)]
    for _ in range(3):
        await judge.choice.choose(offered)
    assert judge.loads == [2, 1]
    assert (judge.held, len(judge.findings)) == ([1], 1)


async def test_an_older_one_never_takes_the_place_of_a_newer_one() -> None:
    judge = Judge()
    await judge.choice.choose([publication(5)])
    await judge.choice.choose([publication(4), publication(6, files=BROKEN)])
    assert judge.held == [5]


async def test_what_comes_while_another_is_loaded_is_loaded_next() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def slowly(one: Publication) -> None:
        begun.set()
        assert go_on.wait(30)

    judge = Judge(slowly)
    judge.choice.begin([publication(1)])
    async with asyncio.timeout(30):
        await asyncio.to_thread(begun.wait)
        judge.choice.begin([publication(1), publication(2)])
        judge.choice.begin([publication(1), publication(2), publication(3)])
        go_on.set()
        while judge.held != [1, 3]:
            await asyncio.sleep(0)
    await judge.choice.stop()


async def test_a_policy_whose_tests_never_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    never, refused = threading.Event(), []

    def report(finding: Finding) -> None:
        refused.append(finding.code)
        # What is tried next has time, on however slow a machine.
        monkeypatch.setattr(policy_choice, "LOAD_PATIENCE_S", 30.0)

    monkeypatch.setattr(policy_choice, "LOAD_PATIENCE_S", 0.01)
    judge = Judge(lambda one: never.wait(30) if one.issue.version == 2 else None, report)
    await judge.choice.choose([publication(1), publication(2)])
    never.set()
    assert (judge.held, refused) == ([1], ["policy_refused"])


async def test_files_that_are_not_what_the_publication_says_are_refused() -> None:
    findings: list[Finding] = []
    choice = PolicyChoice("judge-1", lambda _: Loaded("ee" * 32), lambda _: None, findings.append, findings.append)  # type: ignore[arg-type]  # fmt: skip
    await choice.choose([publication(1)])
    (finding,) = findings
    assert "hash" in finding.message
    assert finding.evidence == (publication(1).digest,)
    assert encode(finding)


async def test_a_choice_that_fails_is_fatal() -> None:
    fatal: list[str] = []

    def report(finding: Finding) -> None:
        raise RuntimeError("nobody listens")

    choice = PolicyChoice("judge-1", lambda _: Loaded("ee" * 32), lambda _: None, report, fatal.append)  # fmt: skip
    choice.begin([publication(1)])
    async with asyncio.timeout(30):
        while not fatal:
            await asyncio.sleep(0)
    assert "nobody listens" in fatal[0]
