"""What holds for every line: no exception, nothing hidden, the same Intent however a word is quoted."""

from __future__ import annotations

import shlex
import string
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enforcers.intent.model import Intent
from enforcers.intent.shell import read_argv, read_line
from enforcers.intent.shell.words import SPECIAL, split

PLACE = {"cwd": "/home/dev/app", "workspace": "/home/dev/app"}
PLAIN = string.ascii_letters + string.digits + "-_./:,=@%+"
NAMES = [
    "ls",
    "cat",
    "rm",
    "cp",
    "mv",
    "find",
    "sed",
    "awk",
    "tar",
    "sort",
    "git",
    "kubectl",
    "terraform",
    "aws",
    "gcloud",
    "az",
    "docker",
    "curl",
    "wget",
    "ssh",
    "scp",
    "rsync",
    "sh",
    "env",
    "sudo",
    "xargs",
    "timeout",
    "nice",
    "psql",
    "sqlite3",
    "npm",
    "pip",
    "make",
    "systemctl",
    "chmod",
    "dd",
    "tee",
    "python",
    "gh",
    "helm",
    "frobnicate",
    "watch",
    "flock",
    "unzip",
    "zip",
]
PARTS = [
    *(
        "-rf",
        "-c",
        "-e",
        "-o",
        "-i",
        "-exec",
        "--",
        "-",
        "--help",
        "--force",
        "--delete",
        "--output=x",
        "-f",
        "|",
        "&&",
    ),
    *(
        "{}",
        ";",
        "+",
        "'",
        '"',
        "$",
        "*",
        ".env",
        "/etc/shadow",
        "http://a.example",
        "a:b",
        "rm",
        "get",
        "secret",
    ),
    *(
        "push",
        "delete",
        "apply",
        "run",
        "s3",
        "cp",
        "@x",
        "x=y",
        "..",
        "/",
        "",
        " ",
        "\\",
        "~",
        "!",
        "#",
        "\t",
        "é",
    ),
]
words = st.text(PLAIN, min_size=1, max_size=8).filter(lambda word: word[0] not in "=%")
commands = st.builds(
    lambda name, rest: [name, *rest], st.sampled_from(NAMES), st.lists(words, max_size=6)
)


def without_spans(intent: Intent) -> Intent:
    return replace(
        intent,
        opaque=tuple(replace(finding, span=None) for finding in intent.opaque),
        nested=tuple(without_spans(one) for one in intent.nested),
    )


@given(st.text())
@example("a" * 70_000)
@example("ls " * 5_000)
@example("'\ud800'")
def test_any_text_has_an_intent(text: str) -> None:
    intent = read_line(text, **PLACE)
    assert intent.kind == "shell"
    assert intent.effects or intent.opaque or intent.inadmissible


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(PARTS), max_size=10))
def test_no_call_of_a_known_program_fails(name: str, parts: list[str]) -> None:
    for intent in (read_line(" ".join([name, *parts])), read_argv((name, *parts), **PLACE)):
        assert "unreadable" not in [finding.code for finding in intent.opaque]


@given(st.lists(st.text(), max_size=5))
def test_any_argv_has_an_intent(argv: list[str]) -> None:
    intent = read_argv(tuple(argv), **PLACE)
    assert intent.effects or intent.opaque or intent.inadmissible


@given(commands, st.sampled_from(sorted(set(SPECIAL) - {"\n"})), st.data())
def test_an_unquoted_special_character_makes_a_line_opaque(
    command: list[str], char: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(command) - 1))
    offset = data.draw(st.integers(0, len(command[place])))
    word = command[place]
    command[place] = word[:offset] + char + word[offset:]
    assert read_line(" ".join(command), **PLACE).opaque


@given(commands, st.data())
def test_quoting_changes_nothing(command: list[str], data: st.DataObject) -> None:
    quoted = []
    for word in command:
        cut = data.draw(st.integers(0, len(word)))
        left, right = data.draw(st.tuples(*[st.sampled_from(["", "'", '"'])] * 2))
        quoted.append(f"{left}{word[:cut]}{left}{right}{word[cut:]}{right}")
    plain = read_line(" ".join(command), **PLACE)
    again = read_line(" ".join(quoted), **PLACE)
    assert without_spans(again) == without_spans(plain)


@given(commands, st.sampled_from([" ", "  ", "\t", " \t "]))
def test_words_are_those_of_shlex(command: list[str], blank: str) -> None:
    text = blank.join(shlex.quote(word) for word in command)
    line = split(text)
    assert not line.opaque
    assert [word.text for word in line.commands[0]] == shlex.split(text)


@given(commands, commands, st.sampled_from(["|", "&&", "||", ";"]), st.sampled_from(["", " "]))
def test_a_list_does_what_its_parts_do(
    first: list[str], second: list[str], connector: str, blank: str
) -> None:
    # Another directory changes what the second names; that has its own rows.
    left, right = " ".join(first), " ".join(second)
    both = read_line(f"{left}{blank}{connector}{blank}{right}", **PLACE)
    assert both.shell is not None
    assert both.shell.connectors == (connector,)
    for part in (read_line(left, **PLACE), read_line(right, **PLACE)):
        assert set(part.effects) <= set(both.effects)
        assert {f.code for f in part.opaque} <= {f.code for f in both.opaque}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ls \0", "nul_byte"),
        ("ls \u200b", "invisible_character"),
        ("ls \u202etxt", "invisible_character"),
        ("ls\u00a0-la", "invisible_character"),
        ("ls\r", "invisible_character"),
        ("ls \u3164", "invisible_character"),
        ("ls \x1b[1m", "invisible_character"),
        ("echo " + "a" * 70_000, "oversized"),
        ("ls " + "a " * 4_001, "too_many_words"),
    ],
)
def test_what_no_policy_may_allow(text: str, code: str) -> None:
    assert [finding.code for finding in read_line(text).inadmissible] == [code]
    assert [finding.code for finding in read_argv(tuple(text.split(" "))).inadmissible] == [code]


def test_a_line_may_end_but_not_go_on() -> None:
    assert not read_line("ls\n").opaque
    assert [finding.code for finding in read_line("ls\nls").opaque] == ["newline"]
    assert not read_line("git commit -m 'a\nb'").opaque
