"""`sluicegate grant`: asked for, issued by somebody else within bounds, and ended for ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.durations import duration_of
from console.grants_told import lasting
from console.identity import trust_key
from console.settings import Settings
from enforcers.contract.base import uuid7
from enforcers.contract.grant import GrantRequest, GrantScope
from enforcers.contract.keys import create_key, load_key
from enforcers.contract.trust import Role, TrustedKey
from streams.broker import EmbeddedBroker
from streams.topic_making import create_topics
from streams.topics import in_zone
from tests.console.conftest import Sluicegate
from tests.console.memory_line import MemoryLine, in_memory

SOME = ("--name", "bulk-dml", "--resource", "billing.*", "--verb", "write")
ISSUE = ("issue", "--principal", "agent:local", *SOME, "--for", "30m", "--reason", "backfill")
ASK = ("request", *SOME, "--for", "30m", "--uses", "3", "--ticket", "OPS-1", "--reason", "backfill")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, sluicegate: Sluicegate) -> MemoryLine:
    """Control topics in memory, and a machine with its keys."""
    assert sluicegate("keys", "init").exit_code == 0
    return in_memory(monkeypatch)


def done(sluicegate: Sluicegate, *arguments: Any) -> Any:
    """What a command prints as JSON."""
    result = sluicegate("grant", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(sluicegate: Sluicegate, *arguments: Any) -> str:
    """The one line of a command that is refused."""
    result = sluicegate("grant", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


def administrator(identity: str, **more: Any) -> Path:
    """Another administrator's key, in the trust file."""
    settings = Settings.load()
    path = settings.keys / f"{identity.replace(':', '-')}.key"
    public = bytes(create_key(path).key.verify_key).hex()
    trust_key(settings, TrustedKey(id=identity, role=Role.ADMINISTRATOR, public_key=public, **more))
    return path


def changed(arguments: Sequence[str], option: str, value: str | None) -> list[str]:
    """The same call with another value of an option, or without it."""
    at = list(arguments).index(option)
    return [*arguments[:at], *(() if value is None else (option, value)), *arguments[at + 2 :]]


def test_a_grant_says_what_it_covers_and_until_when(
    line: MemoryLine, sluicegate: Sluicegate
) -> None:
    result = sluicegate("grant", *ISSUE, "--uses", "3", "--system", "postgres")
    first, second, third = result.stdout.splitlines()
    assert first.startswith("grant 0")
    assert second.startswith("active: `bulk-dml` for agent:local until 20")
    assert second.endswith(", 3 uses")
    assert third == "covers: verbs write; resources billing.*; systems postgres"
    (grant,) = done(sluicegate, "list")["grants"]
    life = datetime.fromisoformat(grant["expires_at"]) - datetime.fromisoformat(grant["not_before"])
    assert (life.total_seconds(), grant["state"], grant["issue"]["by"]) == (
        1_800,
        "active",
        "administrator-1",
    )
    once = sluicegate("grant", *ISSUE, "--uses", "1").stdout.splitlines()
    assert once[1].endswith(", 1 use")


def test_a_grant_may_begin_later(line: MemoryLine, sluicegate: Sluicegate) -> None:
    begins = f"{datetime.now(UTC).replace(microsecond=0).isoformat()[:-6].replace('T', 'T')}Z"
    later = begins.replace(begins[:4], str(int(begins[:4]) + 1), 1)
    assert "ends within 30 days" in refused(sluicegate, *ISSUE, "--from", later)
    past = begins.replace(begins[:4], str(int(begins[:4]) - 1), 1)
    assert "would be past" in refused(sluicegate, *ISSUE, "--from", past)


def test_a_request_is_answered_once(line: MemoryLine, sluicegate: Sluicegate) -> None:
    asked = done(sluicegate, *ASK)
    assert (asked["principal"], asked["executor"], asked["seconds"]) == (
        "agent:local",
        "executor-1",
        1_800,
    )
    assert [one["id"] for one in done(sluicegate, "requests")["requests"]] == [asked["id"]]
    answer = ("issue", "--request", asked["id"], "--reason", "fine")
    grant = done(sluicegate, *answer)
    same = ("principal", "name", "scope", "ticket", "max_uses")
    assert [grant[name] for name in same] == [asked[name] for name in same]
    assert grant["request"] == asked["id"]
    assert f"was answered with grant {grant['grant']}" in refused(sluicegate, *answer)
    assert done(sluicegate, "requests")["requests"] == []
    (answered,) = done(sluicegate, "requests", "--all")["requests"]
    assert answered["grant"] == grant["grant"]


def test_an_answer_may_give_less_and_never_more(line: MemoryLine, sluicegate: Sluicegate) -> None:
    asked = done(sluicegate, *ASK)["id"]
    answer = ("issue", "--request", asked[:20], "--reason", "fine")
    assert "is for 0:30:00 only" in refused(sluicegate, *answer, "--for", "31m")
    assert "is for 3 uses only" in refused(sluicegate, *answer, "--uses", "4")
    for option in (
        ("--principal", "agent:x"),
        ("--verb", "drop"),
        ("--resource", "*"),
        ("--condition", "true"),
    ):
        assert "leave these options out" in refused(sluicegate, *answer, *option)
    assert done(sluicegate, *answer, "--for", "5m", "--uses", "1")["max_uses"] == 1


@pytest.mark.parametrize("ending", ["revoke", "complete"])
def test_what_ended_stays_ended(line: MemoryLine, sluicegate: Sluicegate, ending: str) -> None:
    grant = done(sluicegate, *ISSUE)["grant"]
    told = sluicegate("grant", ending, grant, "--reason", "enough").stdout
    assert f"{ending.rstrip('e')}ed since" in told
    stored = len(line.records["grants"])
    for again in ("revoke", "complete"):
        assert (
            done(sluicegate, again, grant, "--reason", "again")["state"]
            == f"{ending.rstrip('e')}ed"
        )
    assert len(line.records["grants"]) == stored == 2
    # The first record, stored again as it was signed, gives nothing back.
    first = line.records["grants"][0]
    line.records["grants"].append(first)
    assert done(sluicegate, "list")["grants"] == []
    assert done(sluicegate, "list", "--all")["grants"][0]["issue"]["reason"] == "enough"
    assert list(done(sluicegate, "list")["ignored"])


def test_a_tombstone_revokes_nothing_and_is_told(line: MemoryLine, sluicegate: Sluicegate) -> None:
    grant = done(sluicegate, *ISSUE)["grant"]
    line.put("grants", grant.encode(), None)
    listed = sluicegate("grant", "list")
    assert grant in listed.stdout
    assert "one record changes nothing" in listed.stderr
    assert "tombstone" in listed.stderr


REFUSED: list[Any] = [
    pytest.param("--resource", "*", "a grant for everything is none", id="everything"),
    pytest.param("--resource", "***", "a grant for everything is none", id="everything-in-stars"),
    pytest.param("--resource", "*.*", "a grant for everything is none", id="everything-in-dots"),
    pytest.param("--resource", "*e*", "resource `*e*` fits nearly every name", id="nearly-everything"),
    pytest.param("--resource", "", "resources.0 refused", id="an-empty-pattern"),
    pytest.param("--resource", None, "is none; give --resource or --condition", id="no-scope"),
    pytest.param("--verb", "wirte", "has the verb `wirte`; did you mean `write`?", id="no-such-verb"),
    pytest.param("--for", "-30m", "is no duration", id="negative"),
    pytest.param("--for", "0s", "is not between", id="nothing"),
    pytest.param("--for", "31d", "ends within 30 days", id="too-long"),
    pytest.param("--for", None, "or --principal, --name, --for", id="without-end"),
    pytest.param("--principal", None, "give --request, or --principal", id="for-nobody"),
    pytest.param("--principal", "agent:none", "is not enrolled", id="for-a-stranger"),
    pytest.param("--principal", "agent:\x1b[31m", "`agent:\\x1b[31m` is not enrolled", id="for-a-control-character"),
    pytest.param("--name", "bulk dml", "name refused: it must be printable ASCII without spaces", id="a-name-with-a-space"),
    pytest.param("--name", "bulk\x07", "name refused", id="a-name-with-a-bell"),
    pytest.param("--reason", " ", "a reason is wanted", id="no-reason"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "value", "message"), REFUSED)
def test_a_grant_without_bounds_is_refused(
    line: MemoryLine, sluicegate: Sluicegate, option: str, value: str | None, message: str
) -> None:
    assert message in refused(sluicegate, *changed(ISSUE, option, value))
    assert not line.records


@pytest.mark.parametrize(
    "more", [("--resource", "*"), ("--resource", "?*"), ("--resource", "*.*")], ids=" ".join
)
def test_one_pattern_with_bounds_does_not_cover_for_one_without(
    line: MemoryLine, sluicegate: Sluicegate, more: tuple[str, ...]
) -> None:
    assert "resource" in refused(sluicegate, *ISSUE, *more)
    assert not line.records


def test_a_type_that_nothing_has_is_refused(line: MemoryLine, sluicegate: Sluicegate) -> None:
    assert "the type `tabel`; did you mean `table`?" in refused(
        sluicegate, *ISSUE, "--type", "tabel"
    )
    assert done(sluicegate, *ISSUE, "--type", "table")["scope"]["types"] == ["table"]


CONDITIONS = [
    ("true", "constant"),
    ("effect.verb", "gives string, not bool"),
    ("effect.verbs == 'write'", "undefined field"),
    ("efect.verb == 'write'", "effect"),
    ("effect.verb ==", "Syntax error"),
    ('effect.verb != ""', "its condition holds for every effect; compare `effect.name`"),
    ('target.environment == "staging"', "its condition holds for every effect"),
    ('effect.type != "x"', "its condition holds for"),
]


@pytest.mark.parametrize(("condition", "message"), CONDITIONS)
def test_a_condition_is_checked_before_it_is_signed(
    line: MemoryLine, sluicegate: Sluicegate, condition: str, message: str
) -> None:
    issue = changed(ISSUE, "--resource", None)
    assert message in refused(sluicegate, *issue, "--condition", condition)
    assert not line.records


def test_a_condition_is_shown_as_it_is(line: MemoryLine, sluicegate: Sluicegate) -> None:
    condition = 'effect.name ==\n"a  b"'
    issue = changed(changed(ISSUE, "--resource", None), "--verb", None)
    told = sluicegate("grant", *issue, "--condition", condition).stdout
    assert told.splitlines()[2] == 'covers: where effect.name ==\\n"a  b"'


def test_force_is_for_who_is_not_enrolled_yet(line: MemoryLine, sluicegate: Sluicegate) -> None:
    soon = changed(ISSUE, "--principal", "agent:soon")
    assert done(sluicegate, *soon, "--force")["principal"] == "agent:soon"
    assert sluicegate("agents", "disable", "agent:local", "--reason", "x").exit_code == 0
    assert "is disabled" in refused(sluicegate, *ISSUE)


# ---- One's own ------------------------------------------------------------------------------------------

OWN: list[Any] = [
    pytest.param("human:ada", {}, {"id": "human:ada"}, id="to-oneself"),
    pytest.param("human:ada", {}, {"id": "key-7", "person": "human:ada"}, id="to-oneself-with-another-key"),
    pytest.param("agent:hers", {"owner": "human:ada"}, {"id": "key-7", "person": "human:ada"}, id="to-ones-agent"),
    pytest.param("agent:sub", {"owner": "agent:hers"}, {"id": "key-7", "person": "human:ada"}, id="to-an-agent-of-ones-agent"),
]  # fmt: skip


@pytest.mark.parametrize(("principal", "enrolled", "key"), OWN)
def test_nobody_issues_a_grant_to_himself(
    line: MemoryLine,
    sluicegate: Sluicegate,
    principal: str,
    enrolled: dict[str, str],
    key: dict[str, str],
) -> None:
    people = {"human:ada": {}, "agent:hers": {"owner": "human:ada"}, principal: enrolled}
    for identity, more in people.items():
        options = [text for name, value in more.items() for text in (f"--{name}", value)]
        kind = identity.partition(":")[0]
        assert (
            sluicegate(
                "agents", "enroll", identity, "--kind", kind, *options, "--reason", "x"
            ).exit_code
            == 0
        )
    mine = administrator(key.pop("id"), **key)
    issue = changed(ISSUE, "--principal", principal)
    for force in ((), ("--force",)):
        assert "ask another administrator" in refused(sluicegate, *issue, *force, "--key", mine)
    assert done(sluicegate, *issue)["principal"] == principal


def test_nobody_answers_his_own_request(line: MemoryLine, sluicegate: Sluicegate) -> None:
    asked = done(sluicegate, *ASK, "--on-behalf-of", "human:ada")["id"]
    mine = administrator("key-7", person="human:ada")
    answer = ("issue", "--request", asked, "--reason", "fine")
    assert "ask another administrator" in refused(sluicegate, *answer, "--key", mine)
    assert done(sluicegate, *answer)["request"] == asked


# ---- Requests that are not what they say ----------------------------------------------------------------


def asked_by(line: MemoryLine, executor: str, **changes: Any) -> GrantRequest:
    """A request that a further trusted executor signs."""
    settings = Settings.load()
    signer = create_key(settings.keys / f"{executor}.key")
    public = bytes(signer.key.verify_key).hex()
    trust_key(settings, TrustedKey(id=executor, role=Role.EXECUTOR, public_key=public))
    fields: dict[str, Any] = {
        "id": uuid7(), "executor": executor, "principal": "agent:local", "name": "bulk-dml",
        "scope": GrantScope(resources=("billing.*",)), "reason": "x", "seconds": 60, "at": datetime.now(UTC),
    }  # fmt: skip
    request = GrantRequest(**{**fields, **changes})
    line.publish(request, signer, executor)
    return request


def test_an_executor_asks_only_for_whom_it_may_speak(
    line: MemoryLine, sluicegate: Sluicegate
) -> None:
    scope = ("agents", "scope", "agent:local", "--executor", "executor-1", "--reason", "x")
    assert sluicegate(*scope).exit_code == 0
    request = asked_by(line, "executor-2")
    answer = ("issue", "--request", str(request.id), "--reason", "fine", "--force")
    assert "executor `executor-2` may not speak for `agent:local`" in refused(sluicegate, *answer)


def test_a_request_whose_bytes_somebody_stores_again_is_answered_all_the_same(
    line: MemoryLine, sluicegate: Sluicegate
) -> None:
    request = asked_by(line, "executor-2")
    settings = Settings.load()
    line.publish(request, load_key(settings.keys / "executor-2.key"), "executor-2")
    assert len(done(sluicegate, "requests")["requests"]) == 1
    answer = ("issue", "--request", str(request.id), "--reason", "fine")
    assert done(sluicegate, *answer)["request"] == str(request.id)


def test_two_requests_with_one_id_are_answered_by_nobody(
    line: MemoryLine, sluicegate: Sluicegate
) -> None:
    asked = done(sluicegate, *ASK)
    asked_by(line, "executor-2", id=asked["id"], scope=GrantScope(resources=("payroll.*",)))
    answer = ("issue", "--request", asked["id"], "--reason", "fine")
    assert "2 requests call themselves" in refused(sluicegate, *answer)


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        (GrantScope(resources=("*",)), "a grant for everything is none"),
        (GrantScope(), "a grant for everything is none"),
        (GrantScope(condition="true"), "constant"),
        (GrantScope(condition='effect.name != "a"'), "a grant for everything is none"),
        (GrantScope(resources=("*_*",)), "a grant for everything is none"),
    ],
)
def test_a_request_without_bounds_is_not_granted(
    line: MemoryLine, sluicegate: Sluicegate, scope: GrantScope, message: str
) -> None:
    request = asked_by(line, "executor-2", scope=scope)
    answer = ("issue", "--request", str(request.id), "--reason", "fine")
    assert message in refused(sluicegate, *answer)


def test_what_a_request_says_cannot_paint_the_terminal(
    line: MemoryLine, sluicegate: Sluicegate
) -> None:
    hostile = "fine\x1b[2J\n\N{RIGHT-TO-LEFT OVERRIDE}gnp"
    asked_by(line, "executor-2", reason=hostile, scope=GrantScope(resources=("a\x1b[8m", "b\x9b")))
    shown = sluicegate("grant", "requests").stdout
    assert not {"\x1b", "\x9b", "\N{RIGHT-TO-LEFT OVERRIDE}"} & set(shown)
    assert r"\x1b[2J\n\u202egnp" in shown


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--resource", "*", "a grant for everything is none"),
        ("--resource", None, "is none; give --resource or --condition"),
        ("--for", "31d", "seconds refused"),
        ("--name", "a b", "name refused"),
        ("--reason", " ", "a reason is wanted"),
    ],
)
def test_a_request_that_nobody_could_grant_is_not_sent(
    line: MemoryLine, sluicegate: Sluicegate, option: str, value: str | None, message: str
) -> None:
    assert message in refused(sluicegate, *changed(ASK, option, value))
    assert not line.records


async def test_a_grant_is_asked_for_issued_and_revoked_on_the_topics(
    broker: EmbeddedBroker, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setenv("SLUICEGATE_ZONE", "grants")
    sluicegate("keys", "init")
    await create_topics(broker.bootstrap, in_zone("grants"))
    asked = done(sluicegate, *ASK)["id"]
    grant = done(sluicegate, "issue", "--request", asked, "--reason", "fine")["grant"]
    assert [one["grant"] for one in done(sluicegate, "list")["grants"]] == [grant]
    assert done(sluicegate, "revoke", grant[:-1], "--reason", "enough")["state"] == "revoked"
    assert done(sluicegate, "list") == {"grants": [], "ignored": {}}
    assert done(sluicegate, "show", grant)["issue"]["version"] == 2


@pytest.mark.parametrize(
    ("seconds", "written"), [(1, "1s"), (90, "90s"), (1800, "30m"), (7200, "2h"), (172_800, "2d")]
)
def test_how_long_is_shown_as_it_would_be_written(seconds: int, written: str) -> None:
    assert lasting(seconds) == written
    assert duration_of(written).total_seconds() == seconds
