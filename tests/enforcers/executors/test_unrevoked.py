"""The ledger of roles that could not be dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.errors import SettingsError
from enforcers.executors.unrevoked import Ledger, Unrevoked, pending


def unrevoked(role: str, target: str = "shop") -> Unrevoked:
    given = ("SELECT ON TABLE public.users",)
    return Unrevoked(
        role, target, "71", "executor-1", "a-1", given, "2026-01-02T03:04:05", "locked"
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in a directory that is not there yet."""
    return Ledger(tmp_path / "state" / "unrevoked.jsonl")


def test_what_was_written_is_pending_until_it_is_settled(ledger: Ledger) -> None:
    assert pending(ledger.path) == ()
    ledger.add(unrevoked("sg_1"))
    ledger.add(unrevoked("sg_2", "other"))
    assert pending(ledger.path) == (unrevoked("sg_1"), unrevoked("sg_2", "other"))
    assert ledger.of("shop") == (unrevoked("sg_1"),)
    ledger.settle("sg_1")
    assert pending(ledger.path) == (unrevoked("sg_2", "other"),)


def test_a_role_is_written_down_once(ledger: Ledger) -> None:
    ledger.add(unrevoked("sg_1"))
    ledger.add(unrevoked("sg_1"))
    assert len(ledger.path.read_text().splitlines()) == 1


def test_nobody_else_reads_it(ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    ledger.path.touch(0o644)
    ledger.add(unrevoked("sg_1"))
    assert ledger.path.stat().st_mode & 0o777 == 0o600


def test_half_a_line_is_pending_and_hides_no_other(ledger: Ledger) -> None:
    ledger.add(unrevoked("sg_1"))
    ledger.path.write_bytes(ledger.path.read_bytes()[:-20])
    ledger.add(unrevoked("sg_2"))
    torn, whole = pending(ledger.path)
    assert "line 1 of" in torn.why
    assert whole == unrevoked("sg_2")


UNREADABLE = ["[]", "{}", '"x"', '{"event": "dropped"}', '{"event": "of tomorrow"}', "\\ud800", "{"]


@pytest.mark.parametrize("line", UNREADABLE)
def test_a_line_that_cannot_be_read_is_pending(ledger: Ledger, line: str) -> None:
    ledger.check()
    ledger.path.write_text(line + "\n")
    assert [one.role for one in pending(ledger.path)] == [""]


def test_a_name_cannot_forge_a_line(ledger: Ledger) -> None:
    ledger.add(unrevoked('x"}\n{"event": "dropped", "role": "sg_1'))
    ledger.add(unrevoked("sg_1"))
    assert "sg_1" in {one.role for one in pending(ledger.path)}


def test_it_is_written_through_no_link(ledger: Ledger, tmp_path: Path) -> None:
    ledger.path.parent.mkdir()
    ledger.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="cannot be written"):
        ledger.add(unrevoked("sg_1"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_in_its_place_is_one_line(ledger: Ledger) -> None:
    ledger.path.mkdir(parents=True)
    for use in (ledger.check, lambda: pending(ledger.path)):
        with pytest.raises(SettingsError) as caught:
            use()
        assert "\n" not in str(caught.value)
