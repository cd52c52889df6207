"""What command lines do, by tables: `tests/cases/shell/*.txt`, one line a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.intent.model import Effect, Extent, Intent, Resource, ResourceType, Verb
from enforcers.intent.shell import read_argv, read_line
from enforcers.intent.shell.words import split

CASES = Path(__file__).parents[3] / "cases" / "shell"
PLACE = {"cwd": "/home/dev/app", "workspace": "/home/dev/app"}
SELECT = Intent("sql", effects=(Effect(Verb.READ, Resource(ResourceType.TABLE, "t")),))


def rows() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted(CASES.glob("*.txt")):
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                expected, _, command = line.partition(" | ")
                found.append((path.stem, expected, command))
    return found


def read(command: str) -> Intent:
    return read_line(command, read_sql=lambda text, dialect: SELECT, **PLACE)


def harmless(intent: Intent) -> bool:
    """Only programs that look, and what they look at is no secret."""
    if intent.opaque or intent.inadmissible:
        return False
    for effect in intent.effects:
        tags = effect.resource.tags
        if effect.verb is Verb.EXECUTE:
            if tags != ("read_only",):
                return False
        elif effect.verb is not Verb.READ or "secret" in tags:
            return False
    return True


def has_effect(intent: Intent, wanted: str) -> bool:
    """`verb[:type][+tag…][=extent]`."""
    rest, _, extent = wanted.partition("=")
    rest, *tags = rest.split("+")
    verb, _, kind = rest.partition(":")
    return any(
        e.verb == Verb(verb)
        and (not kind or e.resource.type == ResourceType(kind))
        and set(tags) <= set(e.resource.tags)
        and (not extent or e.extent == Extent(extent))
        for e in intent.effects
    )


def holds(intent: Intent, wanted: str) -> bool:
    if wanted == "harmless":
        return harmless(intent)
    if wanted.startswith("!"):
        return wanted[1:] in [finding.code for finding in intent.opaque]
    if wanted.startswith("class="):
        return set(wanted[6:].split("+")) == set(intent.effects[0].resource.tags)
    if wanted.startswith("nested="):
        return [nested.kind for nested in intent.nested] == [wanted[7:]]
    if wanted.startswith("flow:"):
        source, _, sink = wanted[5:].partition(">")
        return any(f.source.type == source and f.sink.type == sink for f in intent.flows)
    return has_effect(intent, wanted)


@pytest.mark.parametrize(("table", "expected", "command"), rows())
def test_a_command_does_what_its_row_says(table: str, expected: str, command: str) -> None:
    intent = read(command)
    missing = [wanted for wanted in expected.split() if not holds(intent, wanted)]
    assert not missing, (missing, intent)


@pytest.mark.parametrize(("table", "expected", "command"), rows())
def test_only_a_harmless_row_is_harmless(table: str, expected: str, command: str) -> None:
    # A plain read is the one thing that a row may name and still be harmless.
    if harmless(read(command)):
        assert expected == "harmless" or expected.startswith("read:file"), command


@pytest.mark.parametrize(("table", "expected", "command"), rows())
def test_an_argv_is_read_like_its_line(table: str, expected: str, command: str) -> None:
    line = split(command)
    if line.opaque or len(line.commands) != 1 or "/dev/null" in command:
        return
    argv = tuple(word.text for word in line.commands[0])
    from_argv = read_argv(argv, read_sql=lambda text, dialect: SELECT, **PLACE)
    from_line = read(command)
    assert from_argv.effects == from_line.effects
    assert from_argv.flows == from_line.flows
    assert [f.code for f in from_argv.opaque] == [f.code for f in from_line.opaque]
