"""The trust file: read strictly or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from enforcers.contract.action import Capability
from enforcers.contract.trust import Role, TrustedKey, TrustFile, build_trust, load_trust
from enforcers.errors import SignatureError, TrustError


def written(path: Path, **changes: Any) -> Path:
    key = {"id": "judge-1", "role": "judge", "public_key": "ab" * 32, **changes}
    path.write_text(json.dumps({"version": 1, "keys": [key]}))
    return path


def test_a_trust_file_is_read(tmp_path: Path, now: datetime) -> None:
    trust = load_trust(written(tmp_path / "trust.json", role="executor", capabilities=["mask"]))
    (kid,) = trust.keys
    found = trust.key(kid, Role.EXECUTOR, now)
    assert (found.id, found.kid, found.capabilities) == ("judge-1", kid, (Capability.MASK,))
    assert trust.zone == ""


def test_the_same_file_is_read_for_one_zone_or_another(tmp_path: Path) -> None:
    path = written(tmp_path / "trust.json")
    assert load_trust(path, "pay") == replace(load_trust(path), zone="pay") != load_trust(path)


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"role": "emperor"}, "keys.0.role"),
        ({"public_key": "zz" * 32}, "keys.0.public_key"),
        ({"public_key": "ab" * 31}, "keys.0.public_key"),
        ({"public_key": "AB" * 32}, "keys.0.public_key"),
        ({"notafter": "2020-01-01T00:00:00Z"}, "keys.0.notafter"),
        ({"not_after": "2020-01-01T00:00:00"}, "keys.0.not_after"),
        ({"capabilities": ["fly"]}, "keys.0.capabilities.0"),
        ({"id": "judge 1"}, "keys.0.id"),
    ],
)
def test_a_mistake_in_the_file_is_refused_and_named(
    tmp_path: Path, changes: dict[str, Any], fragment: str
) -> None:
    with pytest.raises(TrustError, match=rf"refused at `{fragment}`: .*; correct it, or restore"):
        load_trust(written(tmp_path / "trust.json", **changes))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[]", b'{"version": 2, "keys": []}', b"{}"]
)
def test_what_is_no_trust_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trust.json"
    path.write_bytes(content)
    with pytest.raises(
        TrustError, match=r"refused(: | at `\w+`: ).*; correct it, or restore a copy"
    ):
        load_trust(path)


def test_a_missing_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="sluicegate keys init"):
        load_trust(tmp_path / "nowhere.json")


def test_one_key_has_one_role(cast: Any, trust_entry: Callable[..., TrustedKey]) -> None:
    both = tuple(trust_entry("one", role, cast.judge) for role in (Role.JUDGE, Role.EXECUTOR))
    with pytest.raises(TrustError, match="stands twice"):
        build_trust(TrustFile(keys=both))


def test_a_key_acts_in_one_of_the_roles_that_are_asked_for(tmp_path: Path, now: datetime) -> None:
    trust = load_trust(written(tmp_path / "trust.json", role="approver", groups=["dba"]))
    (kid,) = trust.keys
    assert trust.key(kid, (Role.ADMINISTRATOR, Role.APPROVER), now).groups == ("dba",)
    for roles in (Role.ADMINISTRATOR, (Role.ADMINISTRATOR, Role.JUDGE), ()):
        with pytest.raises(
            SignatureError, match=r"\(approver\) is not trusted as .*; use a key that"
        ):
            trust.key(kid, roles, now)
    with pytest.raises(
        SignatureError, match="is not trusted as approver; add it to the trust file"
    ):
        trust.key("0" * 16, Role.APPROVER, now)


def test_keys_of_one_person_are_one_voice(
    cast: Any, trust_entry: Callable[..., TrustedKey]
) -> None:
    alone = trust_entry("bob", Role.APPROVER, cast.executor)
    laptop = trust_entry("bob-laptop", Role.APPROVER, cast.judge, person="bob")
    assert alone.voice == laptop.voice == "bob"
