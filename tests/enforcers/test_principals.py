"""Principals from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.contract.action import PrincipalKind
from enforcers.errors import SettingsError
from enforcers.principals import load_principals


def test_principals_are_found_by_their_id(tmp_path: Path) -> None:
    path = tmp_path / "principals.yaml"
    path.write_text(
        "principals: [{id: agent-1, kind: agent, permissions: [read], executors: [executor-1]}]"
    )
    found = load_principals(path)["agent-1"]
    assert (found.kind, found.permissions, found.executors) == (
        PrincipalKind.AGENT,
        ("read",),
        ("executor-1",),
    )


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("principals: [{id: a, kind: agent}, {id: a, kind: human}]", "names an id twice"),
        ("principals: [{id: a, kind: god}]", "principals.0.kind"),
        ("principals: [{id: a, kind: agent, permissions: [READ]}]", "principals.0.permissions.0"),
        ("principals: [{id: a, kind: agent, permission: [read]}]", "principals.0.permission"),
        ("principals: [{id: 'a b', kind: agent}]", "principals.0.id"),
        ("principals: [{kind: agent}]", "principals.0.id"),
        ("principal: []", "refused at"),
        ("", "refused: .*; correct it, or restore a copy"),
        ("[]", "refused: .*; correct it, or restore a copy"),
        ("principals: [", "cannot be read"),
        ("!!python/object/apply:os.getcwd []", "cannot be read"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_refused_and_named(
    tmp_path: Path, text: str, fragment: str
) -> None:
    path = tmp_path / "principals.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=fragment):
        load_principals(path)


def test_bytes_that_are_no_text_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "principals.yaml"
    with pytest.raises(SettingsError, match="cannot be read"):
        load_principals(path)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_principals(path)
