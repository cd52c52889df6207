"""Tables for people: whole, and harmless to a terminal."""

from __future__ import annotations

import pytest

from console.cli.tables import show_table

LONG = "x" * 300


def test_nothing_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name", "value"), [(LONG, "1")] * 2)
    assert capsys.readouterr().out.count(LONG) == 2


def test_nothing_is_cut_off_in_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    show_table(("name", "value"), [(LONG, "1")])
    printed = capsys.readouterr().out
    assert printed.count("x") == len(LONG)
    assert "…" not in printed


def test_a_cell_can_neither_steer_a_terminal_nor_mark_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(("[red]name",), [("\x1b[2J[bold]\x9b\r",), (), ("line\nbreak",)])
    printed = capsys.readouterr().out
    assert "\\x1b[2J[bold]\\x9b\\r" in printed
    assert "[red]name" in printed
    assert not {"\x1b", "\x9b", "\r"} & set(printed)
    assert [line.strip("│ ") for line in printed.splitlines()[-3:-1]] == ["line", "break"]
