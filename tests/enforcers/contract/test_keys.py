"""Private keys in files: for their owner only."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from enforcers.contract.keys import create_key, load_key
from enforcers.errors import TrustError


def test_a_key_is_made_for_its_owner_only_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "judge.key"
    before = os.umask(0)
    try:
        made = create_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == made
    assert load_key(path, "pay") == replace(made, zone="pay")


def test_two_keys_differ(tmp_path: Path) -> None:
    assert create_key(tmp_path / "a").kid != create_key(tmp_path / "b").kid


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "judge.key"
    create_key(path)
    before = path.read_bytes()
    with pytest.raises(TrustError, match="exists already"):
        create_key(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666])
def test_a_key_that_others_could_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "judge.key"
    create_key(path)
    path.chmod(mode)
    with pytest.raises(TrustError, match="chmod 600"):
        load_key(path)


@pytest.mark.parametrize(
    "content", [b"", b"ab", b"zz" * 32, b"ab" * 33, b"\xff\xfe" * 32, "é".encode() * 64]
)
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "judge.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(TrustError, match="no Ed25519 seed"):
        load_key(path)


def test_a_missing_key_or_folder_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="sluicegate keys init"):
        load_key(tmp_path / "none.key")
    with pytest.raises(TrustError, match="choose another folder"):
        create_key(tmp_path / "none" / "judge.key")
