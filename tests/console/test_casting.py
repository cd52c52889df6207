"""From a request that a judge signed to a vote that judges count, with real keys; the topics are lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.administering import Desk, load_voice
from console.approvals import Ballot, cast
from console.identity import init_home, key_path, trust_key
from console.settings import Settings
from console.standings import Standing
from enforcers.administration import Administration
from enforcers.administration.votes import MAX_APART
from enforcers.approving import flaw_of
from enforcers.contract.approval import Choice
from enforcers.contract.base import utc_now
from enforcers.contract.keys import create_key, load_key
from enforcers.contract.record import Draft, seal
from enforcers.contract.trust import Role, TrustedKey, TrustFile, build_trust
from enforcers.contract.wire import encode
from enforcers.errors import ContractError, TrustError
from tests.console.asked import key, known, request
from tests.console.asked import standing as standing_of
from tests.console.memory_line import MemoryLine

APPROVE, DENY = Ballot(Choice.APPROVE, "looked at it"), Ballot(Choice.DENY, "not on a Friday")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings() -> Settings:
    """A machine with its keys."""
    settings = Settings.load()
    init_home(settings)
    return settings


@pytest.fixture
def line() -> MemoryLine:
    return MemoryLine()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What judges say is there at once: the topics are lists."""
    monkeypatch.setattr("console.objections.LISTEN_S", 0)


def desk_of(settings: Settings, line: MemoryLine, who: str, **more: Any) -> Desk:
    """The desk of a further person in the trust file."""
    signer = create_key(settings.keys / f"{who}.key")
    public = bytes(signer.key.verify_key).hex()
    fields = {"role": Role.APPROVER, **more}
    trust_key(settings, TrustedKey(id=who, public_key=public, **fields))
    return Desk(settings, line, *load_voice(settings, settings.keys / f"{who}.key"))  # type: ignore[arg-type]


def asked(ago: timedelta = timedelta(), lasts: timedelta = 60 * MINUTE) -> Standing:
    """How a request stood some time ago."""
    at = utc_now() - ago
    return standing_of(of=request(at=at, expires_at=at + lasts), after=at - known().now)


@pytest.mark.parametrize("ballot", [APPROVE, DENY])
def test_what_is_cast_is_counted_by_the_judges_rule(
    settings: Settings, line: MemoryLine, ballot: Ballot
) -> None:
    desk, about = desk_of(settings, line, "bob"), asked()
    made = cast(desk, about, ballot)
    (counted,) = desk.state.votes[made.request]
    assert (counted.vote, flaw_of(counted, about.subject, desk.now)) == (made, None)


def test_whatever_a_surface_forgot_to_check_is_checked_before_it_is_signed(
    settings: Settings, line: MemoryLine
) -> None:
    desk = desk_of(settings, line, "laptop-3", person="ann")
    with pytest.raises(ContractError, match="`ann` answers for"):
        cast(desk, asked(), APPROVE)
    assert not line.records


def of_role(settings: Settings, line: MemoryLine, role: Role) -> Desk:
    """A desk that nobody checked when it was opened."""
    signer = load_key(key_path(settings, role))
    return Desk(settings, line, signer, key("bob"))  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [Role.JUDGE, Role.EXECUTOR, Role.ARCHIVER])
@pytest.mark.parametrize("ballot", [APPROVE, DENY])
def test_a_key_of_another_role_signs_nothing(
    settings: Settings, line: MemoryLine, role: Role, ballot: Ballot
) -> None:
    with pytest.raises(ContractError, match="not trusted as administrator or approver; use a key"):
        cast(of_role(settings, line, role), asked(), ballot)
    assert not line.records


def test_a_key_that_the_trust_file_does_not_hold_signs_nothing(
    settings: Settings, line: MemoryLine
) -> None:
    stranger = create_key(settings.keys / "stranger.key")
    desk = Desk(settings, line, stranger, key("bob"))  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="not trusted as"):
        cast(desk, asked(), APPROVE)
    assert not line.records


def test_a_key_whose_time_is_over_signs_nothing(settings: Settings, line: MemoryLine) -> None:
    desk = desk_of(settings, line, "bob", not_after=utc_now() + MINUTE)
    late = type("Late", (Desk,), {"now": property(lambda self: utc_now() + 2 * MINUTE)})
    with pytest.raises(ContractError, match="not valid now; rotate it"):
        cast(late(settings, line, desk.signer, desk.key), asked(), APPROVE)
    assert not line.records


def test_a_desk_speaks_with_the_groups_that_the_trust_file_gives_its_key(
    settings: Settings, line: MemoryLine
) -> None:
    desk = desk_of(settings, line, "bob")
    more = desk.key.model_copy(update={"groups": ("oncall",)})
    with pytest.raises(TrustError, match="says something else of `bob`"):
        cast(Desk(settings, line, desk.signer, more), asked(), APPROVE)  # type: ignore[arg-type]
    assert not line.records


def test_who_thinks_longer_than_the_request_lasts_signs_nothing(
    settings: Settings, line: MemoryLine
) -> None:
    with pytest.raises(ContractError, match="the request has run out"):
        cast(desk_of(settings, line, "bob"), asked(ago=10 * MINUTE, lasts=5 * MINUTE), APPROVE)
    assert not line.records


def test_who_approves_while_another_denies_is_told(settings: Settings, line: MemoryLine) -> None:
    eve, bob, about = desk_of(settings, line, "eve"), desk_of(settings, line, "bob"), asked()
    line.meanwhile = lambda: cast(eve, about, DENY)
    with pytest.raises(ContractError, match="it is stored, but a voter has denied it"):
        cast(bob, about, APPROVE)


@pytest.mark.parametrize("off", [-2 * MAX_APART, 2 * MAX_APART])
def test_a_voter_whose_clock_is_off_is_told_and_its_denial_is_heard(
    settings: Settings, line: MemoryLine, off: timedelta
) -> None:
    desk = desk_of(settings, line, "bob")
    odd = type("Odd", (Desk,), {"now": property(lambda self: utc_now() + off)})
    desk = odd(settings, line, desk.signer, desk.key)
    about = asked(ago=10 * MINUTE)
    with pytest.raises(ContractError, match=r"from when Kafka stored it.*set your clock"):
        cast(desk, about, APPROVE)
    cast(desk, about, DENY)
    assert [one.vote.choice for one in desk.state.votes[about.request.id]] == [Choice.DENY]


def judge_says(
    settings: Settings, line: MemoryLine, role: Role = Role.JUDGE, **changes: Any
) -> None:
    """A judge that does not know the voter reads the newest vote."""
    stranger = Administration(build_trust(TrustFile(keys=()), settings.zone), None, "judge-1")
    found = stranger.apply(line.records["approvals"][-1])
    assert found is not None
    finding = found.model_copy(update=changes)
    signer = load_key(key_path(settings, role), settings.zone)
    (sealed,) = seal([Draft(finding, encode(finding))], signer, finding.source)
    line.put("findings", finding.about.encode(), sealed)


@pytest.fixture
def spoken(settings: Settings, line: MemoryLine, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody says something of the vote as soon as it is stored."""
    says: dict[str, Any] = {}
    store = line.publish

    def publish(*given: Any) -> Any:
        stored = store(*given)
        judge_says(settings, line, **says)
        return stored

    monkeypatch.setattr(line, "publish", publish)
    return says


def test_a_vote_that_a_judge_does_not_count_is_no_success(
    settings: Settings, line: MemoryLine, spoken: dict[str, Any]
) -> None:
    """The judge read its trust file before this voter was in it."""
    with pytest.raises(ContractError, match=r"stored, but judge `judge-1` .* start the judges"):
        cast(desk_of(settings, line, "bob"), asked(), DENY)


@pytest.mark.parametrize(
    "changes",
    [
        {"role": Role.EXECUTOR, "source": "executor-1"},
        {"role": Role.EXECUTOR},
        {"source": "judge-9"},
        {"about": "another-request"},
        {"code": "odd"},
        {"at": utc_now()},
    ],
)
def test_what_no_judge_said_of_this_vote_is_not_believed(
    settings: Settings, line: MemoryLine, spoken: dict[str, Any], changes: dict[str, Any]
) -> None:
    spoken |= changes
    cast(desk_of(settings, line, "bob"), asked(), DENY)
    assert line.records["findings"]
