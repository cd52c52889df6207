"""Tables for people: whole, and harmless to a terminal."""

from __future__ import annotations

import json
import re

import pytest

from console.cli.context import print_lines
from console.cli.tables import show_list, show_table

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


ROW = (
    "0193a5f2-7b1c-7e55-9d0a-3c44d1b2aa01",
    "Y" * 30,
    "waiting",
    "Z" * 50,
    "ada",
    "votes  2 of 2",
)
STYLE = re.compile("\x1b\\[[0-9;]*m")
COLUMNS = ("id", "what", "state", "reason", "by", "votes")


@pytest.mark.parametrize("width", [50, 80, 100, 200])
def test_an_id_can_be_copied_in_any_terminal(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    show_table(COLUMNS, [ROW, (), ROW])
    printed = capsys.readouterr().out
    assert printed.count(ROW[0]) == 2
    assert (printed.count("Y"), printed.count("Z")) == (60, 100)
    assert max(len(STYLE.sub("", line)) for line in printed.splitlines()) <= width


def test_a_cell_cannot_pretend_to_be_the_next_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    cells = (ROW[0], "x" * 43 + "state  active\nstate  active", *ROW[2:])
    show_table(COLUMNS, [cells])
    begin = [line for line in capsys.readouterr().out.splitlines() if line.startswith("state")]
    assert [line.split() for line in begin] == [["state", "waiting"]]


def test_a_cell_can_neither_steer_a_terminal_nor_mark_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(("[red]name",), [("\x1b[2J[bold]\x9b\r",), (), ("line\nbreak",)])
    printed = capsys.readouterr().out
    assert "\\x1b[2J[bold]\\x9b\\r" in printed
    assert "[red]name" in printed
    assert not {"\x1b", "\x9b", "\r"} & set(printed)
    assert [line.strip("│ ") for line in printed.splitlines()[-3:-1]] == ["line", "break"]


def test_a_text_cannot_pretend_to_be_another_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines(("reason     a  b\nvotes:\x1b[2K", "done"))
    assert capsys.readouterr().out == "reason     a  b\\nvotes:\\x1b[2K\ndone\n"


IGNORED = {"requests-0@7": "no\nrequest \x1b[2K"}


def test_a_list_tells_people_in_one_line_what_was_ignored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_list("things", ("name",), [({"name": "a"}, ("a\nb",))], IGNORED, False)
    printed = capsys.readouterr()
    assert "a\\nb" in printed.out
    assert printed.err.startswith("note: one record changes nothing")
    assert printed.err.endswith("requests-0@7: no request \\x1b[2K\n")


def test_a_list_tells_programs_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_list("things", ("name",), [({"name": "a"}, ("a",))], IGNORED, True)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"things": [{"name": "a"}], "ignored": IGNORED}
    assert printed.err == ""


@pytest.mark.parametrize(("nothing", "said"), [("nothing holds", True), ("", False)])
def test_an_empty_list_says_so_or_is_an_empty_table(
    nothing: str, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    show_list("things", ("name",), [], {}, False, nothing)
    printed = capsys.readouterr()
    assert (printed.out == "nothing holds\n") == said
    assert ("name" in printed.out) != said
    assert printed.err == ""
