"""Keys on this machine: held against the trust file by `doctor`, and named by commands that cannot use one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from console.checks import CHECKS, Finding, examine
from console.identity import init_home, key_path, make_approver, trust_key
from console.settings import Settings
from enforcers.contract.base import uuid7
from enforcers.contract.trust import Role, TrustFile

Sluicegate = Callable[..., Result]
POLICY = Path(__file__).parent / "approving.yaml"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other checks start programs and load policies, and have tests of their own."""
    few = tuple(one for one in CHECKS if one[0] in ("broker", "keys", "trust"))
    monkeypatch.setattr("console.checks.CHECKS", few)


@pytest.fixture
def settings(home: Path) -> Settings:
    """A machine with its keys, a target, and no broker."""
    home.mkdir(mode=0o700)
    (home / "sluicegate.toml").write_text('[targets.shop]\nsystem = "sqlite"\npath = "shop.db"\n')
    settings = Settings.load()
    init_home(settings)
    return settings


def found(settings: Settings) -> dict[str, Finding]:
    return {one.check: one for one in examine(settings)}


def _retrust(settings: Settings, whose: Role, /, **changes: Any) -> None:
    """Change the entries of a role in the trust file."""
    file = TrustFile.model_validate_json(settings.trust.read_bytes())
    keys = tuple(one.model_copy(update=changes) if one.role is whose else one for one in file.keys)
    settings.trust.write_text(TrustFile(keys=keys).model_dump_json())


NOW = datetime.now(UTC)
VALID: list[Any] = [
    ({}, True, "judge-1, valid without end"),
    ({"not_after": NOW + timedelta(days=12, hours=1)}, True, ", 12 days left"),
    ({"not_after": NOW + timedelta(days=1, hours=1)}, True, ", 1 day left"),
    ({"not_after": NOW + HOUR}, True, ", less than a day left"),
    ({"not_after": NOW - HOUR}, False, "`judge-1` ran out at "),
    ({"not_before": NOW + HOUR}, False, "`judge-1` is not valid before "),
    ({"role": Role.EXECUTOR, "id": "x"}, False, "as executor, not as judge"),
    ({"public_key": "ab" * 32}, False, "judge.key` is not in "),
]


@pytest.mark.parametrize(("changes", "ok", "detail"), VALID)
def test_a_key_is_held_against_the_trust_file(
    changes: dict[str, Any], ok: bool, detail: str, settings: Settings
) -> None:
    _retrust(settings, Role.JUDGE, **changes)
    rows = found(settings)
    assert rows["judge's key"].ok is ok
    assert detail in rows["judge's key"].detail
    assert bool(rows["judge's key"].remedy) is not ok
    assert rows["executor's key"].ok
    assert rows["trust"].ok is (ok or "public_key" in changes)


def test_each_key_that_lies_here_has_a_row(settings: Settings) -> None:
    trust_key(settings, make_approver(settings, "ada", ["dba"], "human:ada", None)[1])
    key_path(settings, Role.ARCHIVER).unlink()
    rows = found(settings)
    assert rows["keys"].detail == "judge, executor, administrator, approver"
    assert rows["approver's key"].detail == "ada, valid without end"
    assert "archiver's key" not in rows


def test_an_approvers_key_that_is_not_trusted_yet_is_no_broken_pair(settings: Settings) -> None:
    make_approver(settings, "ada", ["dba"], "human:ada", None)
    row = found(settings)["approver's key"]
    printed = "add its entry, as `sluicegate keys approver` printed it, or move the key away"
    assert (row.ok, row.remedy) == (False, printed)


def test_the_executors_key_belongs_to_this_executor(settings: Settings) -> None:
    _retrust(settings, Role.EXECUTOR, id="executor-9")
    row = found(settings)["executor's key"]
    assert (row.ok, row.remedy) == (False, "correct the setting `executor`")


# ---- Whose key is missing -------------------------------------------------------------------------------

ID = str(uuid7())
WHY = ("--reason", "x")
GRANT = (
    "grant",
    "issue",
    "--principal",
    "a",
    "--name",
    "b",
    "--resource",
    "c",
    "--for",
    "1h",
    *WHY,
)
EITHER = "administrator's or approver's key"
PERSONS: list[Any] = [
    (("approve", ID, "--yes", *WHY), EITHER, "`sluicegate keys init` or `sluicegate keys approver ID`"),
    (("deny", ID, *WHY), EITHER, "`sluicegate keys approver ID`"),
    (("approvals", "revoke", ID, *WHY), EITHER, "`sluicegate keys approver ID`"),
    (("approvals", "review", ID, *WHY), EITHER, "`sluicegate keys approver ID`"),
    (GRANT, "administrator's key", "`sluicegate keys init`"),
    (("grant", "revoke", ID, *WHY), "administrator's key", "`sluicegate keys init`"),
    (("quarantine", "add", "--everything", *WHY), "administrator's key", "`sluicegate keys init`"),
    (("quarantine", "lift", ID, *WHY), "administrator's key", "`sluicegate keys init`"),
    (("agents", "disable", "a", *WHY), "administrator's key", "`sluicegate keys init`"),
    (("policy", "push", str(POLICY), *WHY), "administrator's", "`sluicegate keys init`"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "whose", "made"), PERSONS)
def test_a_key_that_is_wanted_is_named_with_its_role_and_its_maker(
    command: tuple[str, ...], whose: str, made: str, settings: Settings, sluicegate: Sluicegate
) -> None:
    path = key_path(settings, Role.ADMINISTRATOR)
    path.chmod(0o644)
    assert _refused(sluicegate(*command), whose, path) == f"run `chmod 600 {path}`"
    path.unlink()
    missing = _refused(sluicegate(*command), whose, path)
    assert missing.startswith("name yours with --key, or run")
    assert made in missing
    given = path.with_name("nothing")
    remedy = _refused(sluicegate(*command, "--key", str(given)), whose, given)
    assert remedy.startswith("correct --key")
    assert made in remedy


OWN: list[Any] = [
    (("run", "--", "true"), Role.EXECUTOR),
    (("sql", "--target", "shop", "SELECT 1"), Role.EXECUTOR),
    (("grant", "request", "--name", "b", "--resource", "c", "--for", "1h", *WHY), Role.EXECUTOR),
    (("up", "--role", "judge", "--bootstrap", "127.0.0.1:1"), Role.JUDGE),
]


@pytest.mark.parametrize(("command", "role"), OWN)
def test_a_machines_own_key_is_named_with_its_role_and_its_maker(
    command: tuple[str, ...], role: Role, settings: Settings, sluicegate: Sluicegate
) -> None:
    path = key_path(settings, role)
    path.chmod(0o644)
    whose = f"{role.value}'s key"
    assert _refused(sluicegate(*command), whose, path) == f"run `chmod 600 {path}`"
    path.unlink()
    assert _refused(sluicegate(*command), whose, path) == "run `sluicegate keys init`"


def _refused(result: Result, whose: str, path: Path) -> str:
    """The remedy of a refusal that says in one line whose key lies at the path."""
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
    assert whose in result.stderr
    assert f"key `{path}` " in result.stderr
    return result.stderr.rstrip("\n").rpartition("; ")[2]
