"""Keys, trust and principals: made once, never overwritten, refused when they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.administering import load_voice
from console.identity import (
    ROLES,
    init_home,
    key_path,
    load_executor,
    load_judge,
    load_trust_of,
    make_approver,
    trust_key,
)
from console.proposing import signature_of
from console.settings import Settings
from console.world import load_world
from enforcers.contract import samples
from enforcers.contract.keys import create_key
from enforcers.contract.proof import check_proposal
from enforcers.contract.trust import Role, load_trust
from enforcers.errors import SettingsError, SignatureError, TrustError
from enforcers.principals import load_principals


@pytest.fixture
def settings() -> Settings:
    """A machine with its keys."""
    settings = Settings.load()
    init_home(settings)
    return settings


def test_only_the_owner_can_read_what_is_made(settings: Settings) -> None:
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert settings.keys.stat().st_mode & 0o777 == 0o700
    assert {key_path(settings, role).stat().st_mode & 0o777 for role in ROLES} == {0o600}


def test_each_role_has_a_key_of_its_own_in_the_trust_file(settings: Settings) -> None:
    keys = load_trust(settings.trust).keys.values()
    assert {(key.id, key.role) for key in keys} == {(f"{role}-1", role) for role in ROLES}
    assert load_judge(settings)[1] == "judge-1"
    assert load_executor(settings).id == "executor-1"


def test_one_agent_and_one_human_are_enrolled(settings: Settings) -> None:
    agent, human = load_principals(settings.principals).values()
    assert (agent.id, agent.kind) == ("agent:local", "agent")
    assert human.kind == "human"
    assert human.id.startswith("human:")
    assert agent.permissions == human.permissions == ("read", "bounded_write")


def test_the_world_has_the_shipped_policy(settings: Settings) -> None:
    world = load_world(settings, "judge-1")
    assert "agent:local" in world.principals
    assert len(world.policy.hash) == 64


@pytest.mark.parametrize("zone", ["", "pay"])
def test_whatever_signs_or_reads_does_so_for_the_zone_of_the_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("SLUICEGATE_ZONE", zone)
    zoned, executor = Settings.load(), load_executor(Settings.load())
    made = (
        load_judge(zoned)[0],
        load_voice(zoned)[0],
        executor.signer,
        executor.trust,
        load_trust_of(zoned),
        load_world(zoned, "judge-1"),
    )
    assert [one.zone for one in made] == [zone] * len(made)


def test_a_principal_signs_for_the_zone_of_the_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    public = bytes(create_key(tmp_path / "agent.key").key.verify_key).hex()
    monkeypatch.setenv("SLUICEGATE_PRINCIPAL_KEY", str(tmp_path / "agent.key"))
    monkeypatch.setenv("SLUICEGATE_ZONE", "pay")
    sign, action = signature_of(Settings.load()), samples.action(1, samples.payloads()[0])
    assert sign is not None
    signed = sign(action.proposal, action.executor)
    sent = action.model_copy(update={"signed": signed, "issued_at": signed.at})
    check_proposal(sent, (public,), "pay")
    with pytest.raises(SignatureError, match="without a name"):
        check_proposal(sent, (public,), "")


@pytest.mark.parametrize("zone", ["\0", "pay\0", "pay\n", "pay.x", "größe"])
def test_a_zone_holds_neither_what_ends_it_in_a_signature_nor_what_ends_it_in_a_topic(
    zone: str,
) -> None:
    with pytest.raises(SettingsError, match="`zone`"):
        Settings.load({"zone": zone})


def _contents(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_second_time_changes_nothing(settings: Settings) -> None:
    before = _contents(settings.home)
    assert init_home(settings).files == ()
    assert init_home(settings, force_missing=True).files == ()
    assert _contents(settings.home) == before


@pytest.mark.parametrize("lost", ["trust.json", "principals.yaml"])
def test_what_is_missing_is_made_only_when_forced(settings: Settings, lost: str) -> None:
    before = _contents(settings.home)
    (settings.home / lost).unlink()
    with pytest.raises(TrustError, match="--force-missing"):
        init_home(settings)
    assert init_home(settings, force_missing=True).files == (settings.home / lost,)
    assert _contents(settings.home) == before


def test_a_key_that_the_trust_file_names_is_never_made_anew(settings: Settings) -> None:
    key_path(settings, Role.JUDGE).unlink()
    with pytest.raises(TrustError, match="is gone; restore it"):
        init_home(settings, force_missing=True)
    assert not key_path(settings, Role.JUDGE).exists()


def test_a_key_of_another_machine_is_refused(settings: Settings, tmp_path: Path) -> None:
    other = Settings.load({"home": tmp_path / "other"})
    init_home(other)
    key_path(settings, Role.EXECUTOR).write_bytes(key_path(other, Role.EXECUTOR).read_bytes())
    for load in (init_home, load_executor):
        with pytest.raises(TrustError, match="restore the pair"):
            load(settings)


def test_an_executor_speaks_only_under_its_own_id(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_EXECUTOR", "executor-2")
    with pytest.raises(TrustError, match="belongs to `executor-1`"):
        load_executor(Settings.load())


def test_a_key_is_added_to_the_trust_file_and_nothing_else_changes(
    settings: Settings, tmp_path: Path
) -> None:
    elsewhere = settings.trust.rename(tmp_path / "shared.json")
    elsewhere.chmod(0o640)
    settings.trust.symlink_to(elsewhere)
    before = load_trust(settings.trust).keys
    path, entry = make_approver(settings, "ada-1", ["dba", "dba"], "human:ada", None)
    assert load_trust(settings.trust).keys == before
    trust_key(settings, entry)
    after = load_trust(settings.trust).keys
    assert after == {**before, entry.kid: entry}
    assert (entry.role, entry.groups, entry.voice) == (Role.APPROVER, ("dba",), "human:ada")
    assert (elsewhere.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o640, 0o600)
    assert settings.trust.is_symlink()
    assert [one.name for one in tmp_path.glob(".*")] == []


def test_one_key_does_not_stand_twice_in_the_trust_file(settings: Settings) -> None:
    known = next(iter(load_trust(settings.trust).keys.values()))
    before = settings.trust.read_bytes()
    with pytest.raises(TrustError, match="stands twice"):
        trust_key(settings, known.model_copy(update={"id": "ada-1", "role": Role.APPROVER}))
    assert settings.trust.read_bytes() == before
