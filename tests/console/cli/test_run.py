"""What `run` refuses before anything is proposed: it needs no broker to say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import Result

Sluicegate = Callable[..., Result]

REFUSED = [
    pytest.param(("ls | wc",), "`ls | wc` is one word and no shell reads it; write each word by itself: `sluicegate run -- ls …`, without pipes and lists", id="a-pipe-in-one-word"),
    pytest.param(("cd /tmp && ls",), "`cd /tmp && ls` is one word and no shell reads it; write each word by itself: `sluicegate run -- cd …`, without pipes and lists", id="a-list-in-one-word"),
    pytest.param(("ls -l",), "`ls -l` is one word and no shell reads it; write each word by itself: `sluicegate run -- ls …`, without pipes and lists", id="a-command-in-one-word"),
    pytest.param(("ls", "|", "wc"), "`|` needs a shell; run each command of the list by itself", id="a-pipe-in-words"),
    pytest.param(("no-such-program", "-v"), "program `no-such-program` was not found; give its path", id="no-such-program"),
    pytest.param(("--json", "ls"), "no option `--json`; options stand before `--`", id="an-option"),
    pytest.param(("",), "no command given; write `sluicegate run -- PROGRAM ARGUMENTS`", id="nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "message"), REFUSED)
def test_what_cannot_be_proposed_is_wrong_usage(
    command: tuple[str, ...], message: str, sluicegate: Sluicegate
) -> None:
    result = sluicegate("run", "--", *command)
    assert (result.exit_code, result.stderr) == (2, f"error: {message}\n")


@pytest.mark.parametrize(
    ("flag", "value", "start"),
    [
        (
            "--ticket",
            "OPS 7",
            "error: ticket refused: it must be printable ASCII without spaces; correct it",
        ),
        ("--reason", "x" * 2_001, "error: reason refused: string should have at most 2000"),
    ],
)
def test_what_the_contract_refuses_is_one_line(
    flag: str, value: str, start: str, sluicegate: Sluicegate
) -> None:
    result = sluicegate("run", flag, value, "--", "ls")
    assert result.exit_code == 2
    assert result.stderr.startswith(start)
    assert result.stderr.count("\n") == 1
